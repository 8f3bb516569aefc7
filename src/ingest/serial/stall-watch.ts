import type { Clock } from '../../core/clock.ts';

export interface StallWatchOptions {
  readonly clock: Clock;
  /** Silent for so long is stalled. */
  readonly stalledAfterMs: number;
  /** False while the port is held back: silence is of our own making then. */
  readonly isReading: () => boolean;
  /** It has become stalled, or is heard again. */
  readonly onChange: (isStalled: boolean) => void;
}

/** Notices when a port is open and yet nothing comes, from its opening on. */
export class StallWatch {
  readonly #options: StallWatchOptions;
  #heardMs = 0;
  #isStalled = false;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  /** Bytes have come. */
  heard(): void {
    this.#heardMs = this.#options.clock.monotonicMs();
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.#options.onChange(false);
  }

  /** Watches a port that was opened just now, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, stalledAfterMs, isReading, onChange } = this.#options;
    this.#heardMs = clock.monotonicMs();
    this.#isStalled = false;
    while (!signal.aborted) {
      if (!isReading()) this.#heardMs = clock.monotonicMs();
      const leftMs = this.#heardMs + stalledAfterMs - clock.monotonicMs();
      if (leftMs <= 0 && !this.#isStalled) {
        this.#isStalled = true;
        onChange(true);
      }
      await clock.sleep(leftMs > 0 ? leftMs : stalledAfterMs, signal);
    }
  }
}
