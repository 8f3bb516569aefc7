import type { Clock } from '../../src/core/clock.ts';

/** Virtual time: it passes only by sleeping, and sleeping takes no real time. */
export class SimClock implements Clock {
  #nowMs = 0;

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    // A few turns of the microtask queue, so that whatever else is ready goes first.
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    if (signal?.aborted !== true) this.#nowMs += ms;
  }
}
