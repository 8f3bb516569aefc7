import { limits } from '../../core/limits.ts';

const HOUR = 3_600_000;

/** How many dead letters one bus may still make: `limits.modbusDeadLettersPerHourMax` in each hour. */
export class LetterAllowance {
  #hourStartMs = Number.NEGATIVE_INFINITY;
  #taken = 0;

  /** Takes one, if there is one left. `nowMs` is of the monotonic clock. */
  take(nowMs: number): boolean {
    if (nowMs - this.#hourStartMs >= HOUR) {
      this.#hourStartMs = nowMs;
      this.#taken = 0;
    }
    if (this.#taken >= limits.modbusDeadLettersPerHourMax) return false;
    this.#taken += 1;
    return true;
  }
}
