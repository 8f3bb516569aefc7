import { setTimeout as sleep } from 'node:timers/promises';

const stepMs = 20;

/** Which moment of a recording it is in its replay. */
export class ReplayClock {
  readonly #fromMs: number;
  readonly #perMs: number;
  readonly #startedMs = performance.now();

  /** A replay from one moment to another that takes so long; 0 for as fast as can be: then all of it has come already. */
  constructor(fromMs: number, toMs: number, durationMs: number) {
    this.#fromMs = fromMs;
    this.#perMs = (toMs - fromMs) / durationMs;
  }

  /** Resolves once that moment has come. Rejects with an `AbortError` if the signal comes first. */
  async reached(momentMs: number, signal: AbortSignal): Promise<void> {
    while (momentMs - this.#fromMs > (performance.now() - this.#startedMs) * this.#perMs)
      await sleep(stepMs, undefined, { signal });
    signal.throwIfAborted();
  }
}
