import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Flush } from './flush.ts';
import { Lag } from './lag.ts';
import type { MirrorState, Phase } from './mirror.ts';
import { describe, type ForwarderStatus } from './status.ts';
import type { Failure } from './target.ts';

/** What waits in one partition: everything from the first offset up to, not including, the second. */
export interface WaitingRange {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly endOffset: number;
}

export interface ProgressOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * The accounts of the mirror: what the cluster has acknowledged, what waits, what went wrong. It hears of everything
 * that happens and changes nothing; status, metrics and log lines come from here.
 */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #lag = new Lag();
  #recordsAcknowledged = 0;
  #lastAcknowledgedMs: number | null = null;
  #lastError: ForwarderStatus['lastError'] = null;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** The log has moved: this waits now. */
  waits(waiting: readonly WaitingRange[]): void {
    this.#lag.update(recordsOf(waiting), this.#options.clock.wallMs());
  }

  /** This is about to be sent. */
  read({ times }: Flush): void {
    if (times !== null) this.#lag.oldestIsFrom(times.oldestMs);
  }

  /** The cluster has acknowledged this; `waiting` is left. */
  acknowledged({ recordCount, times }: Flush, waiting: readonly WaitingRange[]): void {
    const { metrics, clock } = this.#options;
    // What still waits is younger than what has just arrived.
    if (times !== null) this.#lag.oldestIsFrom(times.newestMs);
    this.waits(waiting);
    this.#recordsAcknowledged += recordCount;
    this.#lastAcknowledgedMs = clock.wallMs();
    metrics.add('headwater_forwarder_records_total', recordCount);
    metrics.add('headwater_forwarder_transactions_total', 1, { outcome: 'committed' });
    metrics.set(
      'headwater_forwarder_last_acknowledged_timestamp_seconds',
      Math.floor(this.#lastAcknowledgedMs / 1000),
    );
  }

  /** The mirror has gone from one state to the next. */
  stepped(before: MirrorState, after: MirrorState): void {
    const { metrics, logger } = this.#options;
    const { phase, failure, warning } = after;
    if (warning !== null && warning !== before.warning) logger.warn({}, warning);
    if (phase === 'backing-off') {
      const outcome = outcomes.get(before.phase);
      if (outcome !== undefined) metrics.add('headwater_forwarder_transactions_total', 1, { outcome });
    }
    // Only when it happens: the state keeps the failure until there is progress.
    if (failure !== null && failure !== before.failure) this.#report(failure, phase);
  }

  /** How the mirror is doing in this state, with this waiting. */
  status(state: MirrorState, waiting: readonly WaitingRange[]): Omit<ForwarderStatus, 'warnings'> {
    const lagRecords = recordsOf(waiting);
    return {
      ...describe(state, lagRecords),
      lagRecords,
      lagSeconds: this.#lag.seconds(this.#options.clock.wallMs()),
      recordsAcknowledged: this.#recordsAcknowledged,
      lastAcknowledgedMs: this.#lastAcknowledgedMs,
      lastError: this.#lastError,
    };
  }

  #report({ kind, message }: Failure, phase: Phase): void {
    const { logger, clock } = this.#options;
    // A month without a link would fill the log with one sentence, so only what is new is told.
    if (message !== this.#lastError?.message) {
      if (phase === 'stopped') logger.error({ kind }, message);
      else logger.warn({ kind }, message);
    }
    this.#lastError = { message, atMs: clock.wallMs() };
  }
}

const recordsOf = (waiting: readonly WaitingRange[]): number =>
  waiting.reduce((sum, { fromOffset, endOffset }) => sum + endOffset - fromOffset, 0);

/** What becomes of a transaction when the session fails in this phase. */
const outcomes: ReadonlyMap<Phase, 'aborted' | 'unknown'> = new Map([
  ['sending', 'aborted'],
  ['aborting', 'aborted'],
  ['committing', 'unknown'],
]);
