import type { Clock } from '../../core/clock.ts';
import { durationText } from '../../core/duration.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { Failure } from '../cluster/target.ts';

/**
 * What the service log hears of failures: each message once until the mirror has recovered, one line when it has, and no more
 * lines in an hour than `limits.mirrorNoticesMax`. So neither a month without a link nor a link that comes and goes fills it.
 */
export class Outage {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** What was said since it began. */
  readonly #told = new Set<string>();
  /** When it began; null while all is well. */
  #sinceMs: number | null = null;
  #intervalStartMs: number;
  #lines = 0;
  #leftOut = 0;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
    this.#intervalStartMs = clock.monotonicMs();
  }

  /** Seconds since the first failure after which nothing went well any more; null while all is well. */
  get seconds(): number | null {
    return this.#sinceMs === null ? null : (this.#clock.monotonicMs() - this.#sinceMs) / 1000;
  }

  /** Something failed; `isFinal` if nothing is tried any more, which is always told. */
  failed({ kind, message }: Failure, isFinal: boolean): void {
    this.#sinceMs ??= this.#clock.monotonicMs();
    if (isFinal) this.#logger.error({ kind }, message);
    if (isFinal || this.#told.has(message) || this.#told.size >= limits.outageMessagesMax) return;
    this.#told.add(message);
    this.#say('warn', { kind }, message);
  }

  /** All is well again. So many records waited for it. */
  ended(records: number): void {
    const { seconds } = this;
    if (seconds === null) return;
    this.#sinceMs = null;
    this.#told.clear();
    const after = `after ${durationText(seconds)}`;
    const message =
      records === 0
        ? `the cluster answers again ${after}; no record waited for it`
        : `the cluster acknowledges again ${after}; ${records} records waited`;
    this.#say('info', { seconds, records }, message);
  }

  #say(level: 'info' | 'warn', fields: object, message: string): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#intervalStartMs >= limits.mirrorNoticeIntervalMs) {
      this.#intervalStartMs = nowMs;
      this.#lines = 0;
    }
    if (this.#lines >= limits.mirrorNoticesMax) {
      this.#leftOut += 1;
      return;
    }
    this.#lines += 1;
    const leftOut = this.#leftOut === 0 ? {} : { linesLeftOut: this.#leftOut };
    this.#leftOut = 0;
    this.#logger[level]({ ...fields, ...leftOut }, message);
  }
}
