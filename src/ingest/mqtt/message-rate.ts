/**
 * How many messages of one client may pass: so many a second on the average, and as many at once after a second without any. A
 * token bucket that is filled as time is told, so that nobody has to ask for the time with each message.
 */
export class MessageRate {
  readonly #perSecond: number;
  #left: number;

  /** @param perSecond null for no bound */
  constructor(perSecond: number | null) {
    this.#perSecond = perSecond ?? Number.POSITIVE_INFINITY;
    this.#left = this.#perSecond;
  }

  /** Whether one more may pass; it then counts. */
  take(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** Time has passed. */
  pass(elapsedMs: number): void {
    this.#left = Math.min(this.#perSecond, this.#left + (this.#perSecond * elapsedMs) / 1000);
  }
}
