/**
 * The sum of what was counted lately, in a fixed number of buckets: memory and time do not depend on how much is counted.
 * The oldest bucket leaves as a whole, so the window is up to one bucket shorter than all of them; `coveredMs` says exactly.
 */
export class SlidingSum {
  readonly #bucketMs: number;
  readonly #sums: Float64Array;
  #sinceMs: number;
  /** Buckets are numbered by time; this is the last one that was counted in. */
  #newest: number;

  /** `nowMs` is of the monotonic clock, here and below. */
  constructor(bucketMs: number, buckets: number, nowMs: number) {
    this.#bucketMs = bucketMs;
    this.#sums = new Float64Array(buckets);
    this.#sinceMs = nowMs;
    this.#newest = Math.floor(nowMs / bucketMs);
  }

  /** Counts so many more. */
  add(count: number, nowMs: number): void {
    this.#moveTo(nowMs);
    const index = this.#newest % this.#sums.length;
    this.#sums[index] = (this.#sums[index] ?? 0) + count;
  }

  /** What was counted in the window that ends now. */
  sum(nowMs: number): number {
    this.#moveTo(nowMs);
    return this.#sums.reduce((sum, one) => sum + one, 0);
  }

  /** How long that window is, milliseconds: at first no longer than since the beginning. */
  coveredMs(nowMs: number): number {
    this.#moveTo(nowMs);
    const startMs = (this.#newest - this.#sums.length + 1) * this.#bucketMs;
    return nowMs - Math.max(startMs, this.#sinceMs);
  }

  /** Forgets everything; the window begins at `sinceMs`. */
  restart(sinceMs: number): void {
    this.#sums.fill(0);
    this.#sinceMs = sinceMs;
  }

  #moveTo(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs);
    const passed = Math.min(bucket - this.#newest, this.#sums.length);
    for (let step = 1; step <= passed; step += 1) this.#sums[(this.#newest + step) % this.#sums.length] = 0;
    this.#newest = Math.max(this.#newest, bucket);
  }
}
