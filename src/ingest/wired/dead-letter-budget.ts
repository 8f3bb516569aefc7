import { limits } from '../../core/limits.ts';
import type { LeftOut } from './summary-letter.ts';

/** What a port or bus may keep in an hour. */
export interface HourlyDeadLetters {
  readonly lettersMax: number;
  readonly bytesMax: number;
}

/** How many dead letters of a port or bus are kept in an hour, which begins with the first one. The others are counted by reason. */
export class DeadLetterBudget {
  readonly #hourly: HourlyDeadLetters;
  #endsMs = Number.NEGATIVE_INFINITY;
  #letters = 0;
  #bytes = 0;
  #leftOut: LeftOut | null = null;

  constructor(hourly: HourlyDeadLetters) {
    this.#hourly = hourly;
  }

  /** When the present hour ends, by the monotonic clock. */
  get endsMs(): number {
    return this.#endsMs;
  }

  /**
   * Whether a dead letter of so many bytes may be kept; if not, it is counted as left out.
   * @param receivedMs when what it tells of was received, by the monotonic clock, as `nowMs`
   */
  take(reason: string, bytes: number, receivedMs: number, nowMs: number): boolean {
    if (nowMs >= this.#endsMs) {
      this.#endsMs = nowMs + limits.deadLetterHourMs;
      this.#letters = 0;
      this.#bytes = 0;
    }
    const { lettersMax, bytesMax } = this.#hourly;
    if (this.#letters < lettersMax && this.#bytes + bytes <= bytesMax) {
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
