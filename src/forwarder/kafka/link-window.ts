import { limits } from '../../core/limits.ts';

/**
 * How many bytes of the bulk lane may be under way without an answer, so that what goes first does not queue behind them:
 * what the link carries in the smallest round trip and `bulkQueueMsWanted`. The round trip is in it because a window of
 * goodput alone feeds back on long ones: fewer bytes a round trip are less goodput, which makes the window smaller still. So
 * do BBR (draft-ietf-ccwg-bbr: bandwidth by round-trip time) and LEDBAT (RFC 6817: a queue of a wanted length). Pure: times
 * are of the monotonic clock, milliseconds.
 */
export class LinkWindow {
  readonly #answers: { readonly bytes: number; readonly busyMs: number }[] = [];
  readonly #roundTripsMs: number[] = [];
  #bytesUnderWay = 0;
  #answeredMs = 0;

  /** Bytes a second that the link carries while it is busy; null before that is known. */
  get bytesPerSecond(): number | null {
    if (this.#answers.length === 0) return null;
    const busyMs = sum(this.#answers.map((answer) => answer.busyMs));
    return (sum(this.#answers.map(({ bytes }) => bytes)) / busyMs) * 1000;
  }

  /** About what a request is to carry at most: on a fast link several of them make up what may queue there. */
  get requestBytesMax(): number {
    const queued = ((this.bytesPerSecond ?? 0) * limits.bulkQueueMsWanted) / 1000;
    return Math.min(Math.max(queued / 4, limits.bulkRequestBytesMin), limits.produceRequestBytesMax);
  }

  /** Whether a request may leave. The last one may exceed the window: else a slow link would idle between two of them. */
  get mayBegin(): boolean {
    const wantedMs = this.#roundTripMs() + limits.bulkQueueMsWanted;
    const carried = ((this.bytesPerSecond ?? 0) * wantedMs) / 1000;
    // Small ones go side by side also before anything is known of the link.
    return this.#bytesUnderWay < Math.max(carried, limits.linkSampleBytesMin);
  }

  began(bytes: number): void {
    this.#bytesUnderWay += bytes;
  }

  /** It was answered. The link was busy with it since it had been on the way for a round trip, or since the answer before. */
  answered(bytes: number, beganMs: number, nowMs: number): void {
    this.#bytesUnderWay -= bytes;
    const busySinceMs = Math.max(beganMs + this.#roundTripMs(), this.#answeredMs);
    this.#answeredMs = nowMs;
    // What is small tells of the round trip and its jitter alone.
    if (bytes < limits.linkSampleBytesMin) return;
    keepLast(this.#answers, { bytes, busyMs: Math.max(0, nowMs - busySinceMs) }, limits.linkAnswersLookedAt);
  }

  /** It will not be answered. */
  failed(bytes: number): void {
    this.#bytesUnderWay -= bytes;
  }

  /** A request without records took so long, and brokers have stored something for it, as they do for records. */
  roundTrip(ms: number): void {
    keepLast(this.#roundTripsMs, ms, limits.linkRoundTripsLookedAt);
  }

  #roundTripMs(): number {
    return this.#roundTripsMs.length === 0 ? 0 : Math.min(...this.#roundTripsMs);
  }
}

function keepLast<Item>(list: Item[], item: Item, count: number): void {
  list.push(item);
  if (list.length > count) list.shift();
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
