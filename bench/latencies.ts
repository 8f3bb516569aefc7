/** Of 12 % each, from a microsecond to more than an hour. */
const BUCKETS_PER_DOUBLING = 6;
const BUCKETS = 32 * BUCKETS_PER_DOUBLING;

/** Counts how long something took, and tells quantiles of it. */
export class Latencies {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;

  add(ms: number): void {
    const bucket = Math.floor(Math.log2(Math.max(1, ms * 1000)) * BUCKETS_PER_DOUBLING);
    const at = Math.min(BUCKETS - 1, bucket);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#count += 1;
  }

  /** Forgets all. */
  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
  }

  /** At least so large a part took no longer than this, in ms, by at most 12 % too much; 0 if nothing was counted. */
  quantile(part: number): number {
    let left = this.#count * part;
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0 && this.#count > 0) return 2 ** ((bucket + 1) / BUCKETS_PER_DOUBLING) / 1000;
    }
    return 0;
  }
}
