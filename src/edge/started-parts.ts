import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';

/** What has been started, to be stopped in reverse order within a bound. */
export class StartedParts {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #parts: { readonly name: string; readonly stop: () => Promise<void> }[] = [];

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  add(name: string, stop: () => Promise<void>): void {
    this.#parts.push({ name, stop });
  }

  /**
   * Stops every part, the last one first, in `boundMs` at most: each may take half of what is left, and the very last
   * all of it, so that a stuck part leaves time for those below it. Resolves with the names of the parts that did not stop in time.
   * @throws what a part's stop rejected with, after all the others were stopped
   */
  async stop(boundMs: number): Promise<readonly string[]> {
    const endMs = this.#clock.monotonicMs() + boundMs;
    const stuck: string[] = [];
    const errors: unknown[] = [];
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
      const leftMs = Math.max(0, endMs - this.#clock.monotonicMs());
      try {
        if (await this.#stopsWithin(part.stop, this.#parts.length === 0 ? leftMs : leftMs / 2)) continue;
        this.#logger.warn(
          { part: part.name },
          'a part did not stop in time, and the process ends without it; nothing acknowledged is lost by that',
        );
        stuck.push(part.name);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
    return stuck;
  }

  async #stopsWithin(stop: () => Promise<void>, ms: number): Promise<boolean> {
    const stopped = new AbortController();
    const inTime = stop().then(() => true);
    const tooLate = this.#clock.sleep(ms, stopped.signal).then(() => false);
    try {
      return await Promise.race([inTime, tooLate]);
    } finally {
      stopped.abort();
    }
  }
}
