/**
 * Finds a delimiter in a stream of chunks, in linear time whatever the bytes are. (Knuth, Morris and Pratt 1977: "Fast
 * pattern matching in strings".) Delimiters that it finds do not overlap.
 */
export class DelimiterSearch {
  readonly #delimiter: Uint8Array;
  /** For each length of its beginning: how much of the end of that is a shorter beginning. */
  readonly #borders: readonly number[];
  #matched = 0;

  /** @param delimiter one byte at least */
  constructor(delimiter: Uint8Array) {
    this.#delimiter = delimiter;
    this.#borders = bordersOf(delimiter);
  }

  /** Looks on, from that place of the chunk; gives the place after the delimiter, or -1 if it does not end in there. */
  endIn(chunk: Uint8Array, from: number): number {
    const [first = 0] = this.#delimiter;
    for (let at = from; at < chunk.length; at += 1) {
      if (this.#matched === 0) {
        at = chunk.indexOf(first, at);
        if (at === -1) return -1;
        this.#matched = 1;
      } else this.#step(chunk[at] ?? 0);
      if (this.#matched === this.#delimiter.length) {
        this.#matched = 0;
        return at + 1;
      }
    }
    return -1;
  }

  /** Forgets a delimiter begun. */
  reset(): void {
    this.#matched = 0;
  }

  #step(byte: number): void {
    while (this.#matched > 0 && this.#delimiter[this.#matched] !== byte)
      this.#matched = this.#borders[this.#matched] ?? 0;
    if (this.#delimiter[this.#matched] === byte) this.#matched += 1;
  }
}

function bordersOf(delimiter: Uint8Array): readonly number[] {
  return Array.from({ length: delimiter.length + 1 }, (_, length) => {
    for (let border = length - 1; border > 0; border -= 1) {
      const end = delimiter.subarray(length - border, length);
      if (end.every((byte, index) => byte === delimiter[index])) return border;
    }
    return 0;
  });
}
