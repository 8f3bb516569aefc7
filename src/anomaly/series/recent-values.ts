import { limits } from '../../core/limits.ts';

/** The last values of a series, for a glance at it: `limits.seriesRecentMax` of them. Of this run, in memory only. */
export class RecentValues {
  readonly #values = new Float32Array(limits.seriesRecentMax);
  #count = 0;
  #last = Number.NaN;

  /** Takes in the value of one more reading. */
  add(value: number): void {
    this.#values[this.#count % this.#values.length] = value;
    this.#count += 1;
    this.#last = value;
  }

  /** How many readings there were. */
  get count(): number {
    return this.#count;
  }

  /** The value of the last one, exactly; NaN before the first. */
  get last(): number {
    return this.#last;
  }

  /** The oldest first; about seven digits of each are right. */
  list(): readonly number[] {
    const kept = Math.min(this.#count, this.#values.length);
    const begin = this.#count - kept;
    return Array.from(
      { length: kept },
      (_, index) => this.#values[(begin + index) % this.#values.length] ?? 0,
    );
  }
}
