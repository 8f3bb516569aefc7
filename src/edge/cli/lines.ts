const newline = 0x0a;

/** Cuts a byte stream into lines without their `\n`, as bytes. Holds at most one line. */
export class LineSplitter {
  readonly #bytesMax: number;
  #begun: Buffer[] = [];
  #begunBytes = 0;

  /** Lines may have up to `bytesMax` bytes. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * The lines that the chunk completes.
   * @throws LineTooLong once a line exceeds the limit; the lines before it have been given by then
   */
  *push(chunk: Buffer): Generator<Buffer> {
    let start = 0;
    while (start < chunk.length) {
      const end = chunk.indexOf(newline, start);
      const piece = chunk.subarray(start, end === -1 ? undefined : end);
      this.#begunBytes += piece.length;
      if (this.#begunBytes > this.#bytesMax) throw new LineTooLong(this.#bytesMax);
      this.#begun.push(piece);
      if (end === -1) return;
      yield this.#take();
      start = end + 1;
    }
  }

  /** The last line, if the stream has ended without its `\n`. */
  *end(): Generator<Buffer> {
    if (this.#begunBytes > 0) yield this.#take();
  }

  #take(): Buffer {
    const line = Buffer.concat(this.#begun);
    this.#begun = [];
    this.#begunBytes = 0;
    return line;
  }
}

/** A line beyond the limit; the reader stops there, and keeps no more of it than the limit. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';

  constructor(bytesMax: number) {
    super(`a line is longer than ${bytesMax} bytes`);
  }
}
