/** Since when something waits to be acknowledged, as far as it is known. Times are of the wall clock, milliseconds. */
export class Lag {
  #waitingSinceMs: number | null = null;

  /** The log or the cluster has moved: so many records wait now. */
  update(records: number, nowMs: number): void {
    if (records === 0) this.#waitingSinceMs = null;
    else this.#waitingSinceMs ??= nowMs;
  }

  /** The oldest record that waits is from then. */
  oldestIsFrom(timestampMs: number): void {
    this.#waitingSinceMs = timestampMs;
  }

  /** The age of the oldest record that waits; records of earlier runs count from the start until they are read. */
  seconds(nowMs: number): number {
    return this.#waitingSinceMs === null ? 0 : Math.max(0, nowMs - this.#waitingSinceMs) / 1000;
  }
}
