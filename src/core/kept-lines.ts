import { limits } from './limits.ts';

/** Lines, and how many before them are no longer there. */
export interface NewestLines {
  readonly lines: readonly string[];
  readonly leftOut: number;
}

/** Keeps the newest lines of the service log in memory, for whoever asks later what went wrong; bounded by lines and characters. */
export class KeptLines {
  readonly #lines: string[] = [];
  #length = 0;
  #leftOut = 0;

  add(line: string): void {
    const kept = line.slice(0, limits.keptLogLineLengthMax);
    this.#lines.push(kept);
    this.#length += kept.length;
    while (this.#lines.length > limits.keptLogLinesMax || this.#length > limits.keptLogLengthMax) {
      this.#length -= this.#lines.shift()?.length ?? 0;
      this.#leftOut += 1;
    }
  }

  newest(): NewestLines {
    return { lines: [...this.#lines], leftOut: this.#leftOut };
  }
}
