import type { Clock, ClockReading } from '../../src/core/clock.ts';

const bootId = (count: number): string => count.toString(16).padStart(32, '0');

/**
 * A machine without a clock that keeps time while it is off: it is told the true time once it has started, or never. True time
 * passes only when the test says so.
 */
export class SimMachine implements Clock {
  /** True time, milliseconds since 1970 UTC. */
  trueMs = 1_700_000_000_000;
  isSet = false;
  #boots = 1;
  #bootedAtMs = this.trueMs;
  /** What the wall clock is behind the truth. */
  #behindMs = 0;

  wallMs(): number {
    return this.trueMs - this.#behindMs;
  }

  monotonicMs(): number {
    return this.trueMs - this.#bootedAtMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    if (signal?.aborted !== true) this.trueMs += ms;
  }

  /** What the log asks for. */
  readonly read = (): ClockReading => ({
    wallMs: this.wallMs(),
    monotonicMs: this.monotonicMs(),
    bootId: bootId(this.#boots),
    isSet: this.isSet,
  });

  /** Off for so long, which the clock does not notice. */
  reboot(offMs: number): void {
    this.trueMs += offMs;
    this.#behindMs += offMs;
    this.#bootedAtMs = this.trueMs;
    this.#boots += 1;
    this.isSet = false;
  }

  /** Somebody sets the clock so far ahead, without knowing better. */
  jump(byMs: number): void {
    this.#behindMs -= byMs;
  }

  /** A time server answers. */
  setClock(): void {
    this.#behindMs = 0;
    this.isSet = true;
  }
}
