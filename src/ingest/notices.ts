import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';

/**
 * The lines about one source in the service log: at most `limits.sourceNoticesMax` in an interval, and never the same
 * twice in a row, because a port or a broker that is missing is tried every few seconds, for years.
 */
export class Notices {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #intervalStartMs: number;
  #lines = 0;
  #last = '';

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
    this.#intervalStartMs = clock.monotonicMs();
  }

  /** Writes the line if it may. */
  say(level: 'info' | 'warn', message: string): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#intervalStartMs >= limits.sourceNoticeIntervalMs) {
      this.#intervalStartMs = nowMs;
      this.#lines = 0;
      this.#last = '';
    }
    if (message === this.#last || this.#lines >= limits.sourceNoticesMax) return;
    this.#last = message;
    this.#lines += 1;
    this.#logger[level]({}, message);
  }
}
