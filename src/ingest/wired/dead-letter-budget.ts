import { limits } from '../../core/limits.ts';
import type { LeftOut } from './summary-letter.ts';

/**
 * How many bad frames of a port are kept: in an hour, which begins with the first one, at most
 * `limits.serialDeadLettersPerHourMax` with `limits.serialDeadLetterBytesPerHourMax`. The others are counted by reason.
 */
export class DeadLetterBudget {
  #endsMs = Number.NEGATIVE_INFINITY;
  #letters = 0;
  #bytes = 0;
  #leftOut: LeftOut | null = null;

  /** When the present hour ends, by the monotonic clock. */
  get endsMs(): number {
    return this.#endsMs;
  }

  /**
   * Whether a bad frame may be kept; if not, it is counted as left out.
   * @param receivedMs when it was received, by the monotonic clock, as `nowMs`
   */
  take(reason: string, bytes: number, receivedMs: number, nowMs: number): boolean {
    if (nowMs >= this.#endsMs) {
      this.#endsMs = nowMs + limits.serialDeadLetterHourMs;
      this.#letters = 0;
      this.#bytes = 0;
    }
    const { serialDeadLettersPerHourMax, serialDeadLetterBytesPerHourMax } = limits;
    const fits =
      this.#letters < serialDeadLettersPerHourMax && this.#bytes + bytes <= serialDeadLetterBytesPerHourMax;
    if (fits) {
      this.#letters += 1;
      this.#bytes += bytes;
      return true;
    }
    const { counts = {}, firstMs = receivedMs } = this.#leftOut ?? {};
    this.#leftOut = {
      counts: { ...counts, [reason]: (counts[reason] ?? 0) + 1 },
      firstMs,
      lastMs: receivedMs,
    };
    return false;
  }

  /** What was left out since this was asked last; null for nothing. */
  takeLeftOut(): LeftOut | null {
    const leftOut = this.#leftOut;
    this.#leftOut = null;
    return leftOut;
  }
}
