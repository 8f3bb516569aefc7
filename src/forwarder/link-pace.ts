import type { Clock } from '../core/clock.ts';

/**
 * Holds requests back so that no more than so many bytes a second leave on the average: each may begin once those before it
 * have had their time, and what was not used before is lost (virtual scheduling, ITU-T I.371).
 */
export class LinkPace {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  #freeAtMs = 0;
  #turn = Promise.resolve();
  #closing = new AbortController();

  /** Without a rate nothing is held back. */
  constructor(clock: Clock, bytesPerSecond: number | null) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond ?? Number.POSITIVE_INFINITY;
  }

  /** Resolves when a request of so many bytes may leave, one after the other in the order of the calls; or at once after {@link release}. */
  take(bytes: number): Promise<void> {
    const { signal } = this.#closing;
    this.#turn = this.#turn.then(async () => {
      const waitMs = this.#freeAtMs - this.#clock.monotonicMs();
      if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
      this.#freeAtMs = this.#clock.monotonicMs() + (bytes / this.#bytesPerSecond) * 1000;
    });
    return this.#turn;
  }

  /** Lets go whoever waits: their requests are not wanted any more. What comes later is held back as before. */
  release(): void {
    this.#closing.abort();
    this.#closing = new AbortController();
  }
}
