import type { Clock } from '../../src/core/clock.ts';

/** A clock that stands still until the test lets it go on; who sleeps wakes when the time has come. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #wallSetByMs = 0;
  readonly #sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>();

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs + this.#wallSetByMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = { untilMs: this.#nowMs + ms, wake: resolve };
      if (signal?.aborted === true) return resolve();
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Somebody sets the wall clock. */
  setWallBy(ms: number): void {
    this.#wallSetByMs += ms;
  }

  /** Lets so much time pass. */
  pass(ms: number): void {
    this.#nowMs += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.untilMs > this.#nowMs) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}
