import { limits } from '../../core/limits.ts';
import { SlidingSum } from './sliding-sum.ts';

/** What went through lately: what the cluster has acknowledged, each record once however often it was sent. */
export interface Goodput {
  /** How long was looked at. */
  readonly windowSeconds: number;
  readonly recordsPerSecond: number;
  /** Of record batches as they were sent, compressed. */
  readonly bytesPerSecond: number;
  /** What the log took meanwhile for the mirrored topics. */
  readonly arrivingRecordsPerSecond: number;
}

/** When the backlog will be gone, if things go on as in the last minutes. */
export type Drain =
  /** Nothing waits for longer than a flush takes. */
  | { readonly state: 'no-backlog'; readonly secondsLeft: null }
  /** Nothing is acknowledged at present, so nobody can tell. */
  | { readonly state: 'unknown'; readonly secondsLeft: null }
  /** Not in one go: the configuration wants bulk to wait first. */
  | { readonly state: 'waits'; readonly secondsLeft: null }
  /** As much arrives as leaves, or more. */
  | { readonly state: 'never'; readonly secondsLeft: null }
  | { readonly state: 'draining'; readonly secondsLeft: number };

/** The last 24 hours, or what there was of them since the start of this run. */
export interface LastDay {
  readonly seconds: number;
  readonly bytesAcknowledged: number;
  /** All that went to the sockets, also what had to be sent again; without what TLS, TCP and IP add. */
  readonly linkBytesWritten: number;
}

/** Counts what goes through. Times are of the monotonic clock, milliseconds. */
export class GoodputMeter {
  readonly #records: SlidingSum;
  readonly #bytes: SlidingSum;
  readonly #arrived: SlidingSum;
  readonly #dayBytes: SlidingSum;
  readonly #dayLinkBytes: SlidingSum;

  constructor(nowMs: number) {
    const minutes = (): SlidingSum => new SlidingSum(limits.goodputBucketMs, limits.goodputBuckets, nowMs);
    const day = (): SlidingSum => new SlidingSum(limits.dayBucketMs, limits.dayBuckets, nowMs);
    this.#records = minutes();
    this.#bytes = minutes();
    this.#arrived = minutes();
    this.#dayBytes = day();
    this.#dayLinkBytes = day();
  }

  /** The log has taken so many records. */
  arrived(records: number, nowMs: number): void {
    this.#arrived.add(records, nowMs);
  }

  /** The cluster has acknowledged so many records and bytes. */
  acknowledged(records: number, bytes: number, nowMs: number): void {
    this.#records.add(records, nowMs);
    this.#bytes.add(bytes, nowMs);
    this.#dayBytes.add(bytes, nowMs);
  }

  /** So many more bytes have gone to the sockets. */
  wrote(linkBytes: number, nowMs: number): void {
    this.#dayLinkBytes.add(linkBytes, nowMs);
  }

  /**
   * Something goes through again that began at `sinceMs`. After a long outage the window begins there: else it would take
   * minutes until the rate is right.
   */
  resumed(sinceMs: number, nowMs: number): void {
    if (this.#records.sum(nowMs) > 0) return;
    this.#records.restart(sinceMs);
    this.#bytes.restart(sinceMs);
  }

  /** The rates of the last minutes; after {@link resumed} of what there was of them. */
  goodput(nowMs: number): Goodput {
    const seconds = secondsOf(this.#records, nowMs);
    return {
      windowSeconds: seconds,
      recordsPerSecond: this.#records.sum(nowMs) / seconds,
      bytesPerSecond: this.#bytes.sum(nowMs) / seconds,
      arrivingRecordsPerSecond: this.#arrived.sum(nowMs) / secondsOf(this.#arrived, nowMs),
    };
  }

  /** Until so many records are gone; `unknown` if nothing was acknowledged in the window. */
  drain(records: number, nowMs: number): Drain {
    const { recordsPerSecond, arrivingRecordsPerSecond } = this.goodput(nowMs);
    if (recordsPerSecond === 0) return { state: 'unknown', secondsLeft: null };
    const netPerSecond = recordsPerSecond - arrivingRecordsPerSecond;
    if (netPerSecond <= 0) return { state: 'never', secondsLeft: null };
    return { state: 'draining', secondsLeft: records / netPerSecond };
  }

  lastDay(nowMs: number): LastDay {
    return {
      seconds: this.#dayBytes.coveredMs(nowMs) / 1000,
      bytesAcknowledged: this.#dayBytes.sum(nowMs),
      linkBytesWritten: this.#dayLinkBytes.sum(nowMs),
    };
  }
}

/** Of less than a second no rate is told: one flush would count as a flood. */
const secondsOf = (sum: SlidingSum, nowMs: number): number => Math.max(1, sum.coveredMs(nowMs) / 1000);
