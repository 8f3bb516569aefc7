import type { Clock } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { countFromZero, type Metrics } from '../../core/metrics.ts';
import type { Flush } from '../flush/flush.ts';
import type { MirrorState, Phase } from '../mirror/mirror-state.ts';
import type { MirrorEvent } from '../mirror/mirror-steps.ts';
import { type Drain, GoodputMeter } from './goodput.ts';
import { type Moment, OldestWaiting, type WaitingRange } from './oldest-waiting.ts';
import { Outage } from './outage.ts';
import { Retries } from './retries.ts';
import { describe, type LaneStatus, type TopicLag } from './status.ts';

export interface ProgressOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How long new records wait for others, milliseconds. */
  readonly lingerMs: number;
  /** About what the records of a range take in the log. */
  readonly storedBytes: (range: WaitingRange) => number;
  /** What has gone to the sockets in this run. */
  readonly linkBytes: () => number;
}

/** What was read last, until the cluster has it. */
interface InHand extends Pick<Flush, 'ranges' | 'recordCount'> {
  readonly bytes: number;
  /** By the monotonic clock. */
  readonly readMs: number;
  /** Its commit was asked for and not answered. */
  isInDoubt: boolean;
}

/**
 * The accounts of the mirror: what the cluster has acknowledged, what waits, what went wrong. It hears of everything
 * that happens and changes nothing; status, metrics and log lines come from here. Ranges that it is given are those of
 * all mirrored partitions, also where nothing waits.
 */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #oldest = new OldestWaiting();
  readonly #goodput: GoodputMeter;
  readonly #outage: Outage;
  readonly #retries = new Retries();
  /** Since when something waits without a pause, by the monotonic clock; null if nothing does. */
  #waitingSinceMs: number | null = null;
  /** When it was last over that the configuration wanted nothing to be sent, by the monotonic clock. */
  #restedMs = Number.NEGATIVE_INFINITY;
  #inHand: InHand | null = null;
  #recordsAcknowledged = 0;
  #bytesAcknowledged = 0;
  #linkBytesSeen = 0;
  #lastAcknowledged: Moment | null = null;
  #lastError: LaneStatus['lastError'] = null;

  constructor(options: ProgressOptions) {
    const { clock, logger, metrics } = options;
    this.#options = options;
    this.#goodput = new GoodputMeter(clock.monotonicMs());
    this.#outage = new Outage(clock, logger);
    const ends = ['committed', 'aborted', 'unknown'];
    countFromZero(metrics, 'headwater_forwarder_transactions_total', 'outcome', ends);
  }

  /** The log or the cluster has moved: this waits now. */
  waits(ranges: readonly WaitingRange[]): void {
    const now = this.#now();
    this.#goodput.arrived(this.#oldest.update(ranges, now), now.monotonicMs);
    this.#waitingSinceMs = ranges.some(isWaiting) ? (this.#waitingSinceMs ?? now.monotonicMs) : null;
  }

  /** A partition of which somebody has to read how old its oldest record is; undefined if there is none. */
  unread(ranges: readonly WaitingRange[]): WaitingRange | undefined {
    return this.#oldest.unread(ranges);
  }

  /** The stamp of the first record of an unread range, milliseconds; null if it cannot be read. */
  learn(range: WaitingRange, timestampMs: number | null): void {
    this.#oldest.learn(range, timestampMs);
  }

  /** This is about to be sent. */
  read({ ranges, recordCount, batches }: Flush): void {
    const bytes = sum(batches.map(({ batch }) => batch.bytes.length));
    const readMs = this.#options.clock.monotonicMs();
    this.#inHand = { ranges, recordCount, bytes, readMs, isInDoubt: false };
    this.#oldest.read(ranges);
  }

  /** The mirror has gone from one state to the next; `ranges` wait now. */
  stepped(
    event: MirrorEvent,
    before: MirrorState,
    after: MirrorState,
    ranges: readonly WaitingRange[],
  ): void {
    const { metrics, logger } = this.#options;
    this.#countLinkBytes();
    this.#settle(event, before, after, ranges);
    if (event.type === 'rested') this.#restedMs = this.#options.clock.monotonicMs();
    const { phase, failure, warning } = after;
    if (warning !== null && warning !== before.warning) logger.warn({}, warning);
    if (phase === 'backing-off') {
      const outcome = outcomes.get(before.phase);
      if (outcome !== undefined) metrics.add('headwater_forwarder_transactions_total', 1, { outcome });
    }
    if (event.type === 'failed' && !before.stopping) {
      const { kind, cause = '' } = event.failure;
      this.#retries.count(event.failure);
      metrics.add('headwater_forwarder_retries_total', 1, { kind, cause });
    }
    // Only when it happens: the state keeps the failure until there is progress.
    if (failure !== null && failure !== before.failure) {
      this.#outage.failed(failure, phase === 'stopped');
      this.#lastError = { message: failure.message, atMs: this.#options.clock.wallMs() };
    }
    if (failure === null && before.failure !== null) this.#outage.ended(0);
  }

  /** How the mirror is doing in this state. */
  status(state: MirrorState, ranges: readonly WaitingRange[]): Omit<LaneStatus, 'warnings'> {
    const now = this.#now();
    this.#countLinkBytes();
    const lagRecords = recordsOf(ranges);
    const lagSeconds = this.#oldest.ageSeconds(ranges, now);
    const topics = this.#topics(ranges, now);
    const isStale = state.phase !== 'resting' && this.#isStale(now);
    const last = this.#lastAcknowledged;
    return {
      ...describe(state, lagRecords),
      lagRecords,
      lagBytes: sum(topics.map((topic) => topic.lagBytes)),
      lagSeconds,
      topics,
      goodput: this.#goodput.goodput(now.monotonicMs),
      drain: this.#drain(lagRecords, lagSeconds, isStale || state.failure !== null),
      lastDay: this.#goodput.lastDay(now.monotonicMs),
      recordsAcknowledged: this.#recordsAcknowledged,
      bytesAcknowledged: this.#bytesAcknowledged,
      linkBytesWritten: this.#linkBytesSeen,
      lastAcknowledgedMs: last?.wallMs ?? null,
      secondsSinceAcknowledged: last && (now.monotonicMs - last.monotonicMs) / 1000,
      isStale,
      retries: this.#retries.list(),
      lastError: this.#lastError,
    };
  }

  /** What became of the transaction in hand. */
  #settle(
    event: MirrorEvent,
    before: MirrorState,
    after: MirrorState,
    ranges: readonly WaitingRange[],
  ): void {
    const flush = this.#inHand;
    if (flush === null) return;
    if (event.type === 'committed') this.#acknowledged(flush, ranges);
    // Without a commit it cannot have arrived, even if the positions pass it because its records are set aside.
    else if (before.phase === 'committing' && after.phase === 'backing-off') flush.isInDoubt = true;
    else if (event.type === 'checkpoints' && flush.isInDoubt && hasArrivedAfterAll(before, after))
      // When it did is not known: it is part of no rate.
      this.#count(flush, ranges);
  }

  #acknowledged(flush: InHand, ranges: readonly WaitingRange[]): void {
    const nowMs = this.#options.clock.monotonicMs();
    const hasRested = this.#restedMs > (this.#lastAcknowledged?.monotonicMs ?? Number.NEGATIVE_INFINITY);
    if (this.#outage.seconds !== null || hasRested) this.#goodput.resumed(flush.readMs, nowMs);
    this.#count(flush, ranges);
    this.#goodput.acknowledged(flush.recordCount, flush.bytes, nowMs);
    this.#outage.ended(flush.recordCount + recordsOf(ranges));
    const { metrics } = this.#options;
    metrics.add('headwater_forwarder_transactions_total', 1, { outcome: 'committed' });
    metrics.observe('headwater_forwarder_transaction_seconds', (nowMs - flush.readMs) / 1000);
  }

  #count(flush: InHand, ranges: readonly WaitingRange[]): void {
    const { metrics } = this.#options;
    const now = this.#now();
    this.#inHand = null;
    this.#oldest.acknowledged(flush.ranges, now);
    this.waits(ranges);
    this.#recordsAcknowledged += flush.recordCount;
    this.#bytesAcknowledged += flush.bytes;
    this.#lastAcknowledged = now;
    metrics.add('headwater_forwarder_records_total', flush.recordCount);
    metrics.add('headwater_forwarder_bytes_total', flush.bytes);
  }

  /** Sockets that are gone may count a little less than while they were there. */
  #countLinkBytes(): void {
    const more = this.#options.linkBytes() - this.#linkBytesSeen;
    if (more <= 0) return;
    this.#linkBytesSeen += more;
    this.#goodput.wrote(more, this.#options.clock.monotonicMs());
    this.#options.metrics.add('headwater_forwarder_link_bytes_written_total', more);
  }

  #drain(lagRecords: number, lagSeconds: number, isStuck: boolean): Drain {
    const { lingerMs, clock } = this.#options;
    if (lagRecords === 0) return { state: 'no-backlog', secondsLeft: null };
    if (isStuck) return { state: 'unknown', secondsLeft: null };
    if (lagSeconds * 1000 <= lingerMs + limits.backlogAgeMsMin)
      return { state: 'no-backlog', secondsLeft: null };
    return this.#goodput.drain(lagRecords, clock.monotonicMs());
  }

  #isStale({ monotonicMs }: Moment): boolean {
    if (this.#waitingSinceMs === null) return false;
    const lastMs = this.#lastAcknowledged?.monotonicMs ?? 0;
    const sinceMs = Math.max(this.#waitingSinceMs, lastMs, this.#restedMs);
    return monotonicMs - sinceMs > limits.acknowledgementStaleMs;
  }

  #topics(ranges: readonly WaitingRange[], now: Moment): readonly TopicLag[] {
    return [...Map.groupBy(ranges, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
      topic,
      lagRecords: recordsOf(ofTopic),
      lagBytes: sum(ofTopic.filter(isWaiting).map(this.#options.storedBytes)),
      lagSeconds: this.#oldest.ageSeconds(ofTopic, now),
    }));
  }

  #now(): Moment {
    const { clock } = this.#options;
    return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
  }
}

/** Whether anything waits there. */
export const isWaiting = ({ fromOffset, endOffset }: WaitingRange): boolean => fromOffset < endOffset;

/**
 * Whether a session start has told that the transaction in doubt did arrive: all that it would have moved is where it
 * would have been moved to, or beyond.
 */
function hasArrivedAfterAll(before: MirrorState, after: MirrorState): boolean {
  const nextOffset = (state: MirrorState, of: { topic: string; partition: number }): number =>
    state.positions.find((one) => nameOf(one) === nameOf(of))?.nextOffset ?? 0;
  const moved = before.flush.filter((one) => one.nextOffset > nextOffset(before, one));
  return moved.length > 0 && moved.every((one) => nextOffset(after, one) >= one.nextOffset);
}

const recordsOf = (ranges: readonly WaitingRange[]): number =>
  sum(ranges.map(({ fromOffset, endOffset }) => endOffset - fromOffset));

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

const nameOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${topic}/${partition}`;

/** What becomes of a transaction when the session fails in this phase. */
const outcomes: ReadonlyMap<Phase, 'aborted' | 'unknown'> = new Map([
  ['sending', 'aborted'],
  ['aborting', 'aborted'],
  ['committing', 'unknown'],
]);
