/** A budget of bytes shared by all clients. Who does not fit waits in line, so that a large packet gets its turn. */
export class PendingBytes {
  readonly #bytesMax: number;
  readonly #waiting = new Map<(bytes: number) => void, number>();
  #used = 0;

  /** @param bytesMax must be at least the largest reservation, or that one would wait for ever. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get used(): number {
    return this.#used;
  }

  /**
   * Reserves what is left between `least` and `most`, and tells how much that is. 0: there is not so much, or others are in line; then
   * `granted` is called with `most`, once that is reserved.
   */
  reserve(least: number, most: number, granted: (bytes: number) => void): number {
    const left = this.#bytesMax - this.#used;
    if (this.#waiting.size > 0 || left < least) {
      this.#waiting.set(granted, most);
      return 0;
    }
    const bytes = Math.min(left, most);
    this.#used += bytes;
    return bytes;
  }

  /** Leaves the line. */
  cancel(granted: (bytes: number) => void): void {
    if (this.#waiting.delete(granted)) this.#serve();
  }

  /** Gives reserved bytes back. */
  release(bytes: number): void {
    this.#used -= bytes;
    this.#serve();
  }

  #serve(): void {
    for (const [granted, bytes] of this.#waiting) {
      if (this.#used + bytes > this.#bytesMax) return;
      this.#waiting.delete(granted);
      this.#used += bytes;
      granted(bytes);
    }
  }
}
