/** A budget of bytes shared by all clients. Who does not fit waits in line, so that a large packet gets its turn. */
export class PendingBytes {
  readonly #bytesMax: number;
  readonly #waiting = new Map<() => void, number>();
  #used = 0;

  /** @param bytesMax must be at least the largest reservation, or that one would wait for ever. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get used(): number {
    return this.#used;
  }

  /** True: the bytes are reserved. False: they are not yet, and `granted` is called once they are. */
  reserve(bytes: number, granted: () => void): boolean {
    if (this.#waiting.size > 0 || this.#used + bytes > this.#bytesMax) {
      this.#waiting.set(granted, bytes);
      return false;
    }
    this.#used += bytes;
    return true;
  }

  /** Leaves the line. */
  cancel(granted: () => void): void {
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
      granted();
    }
  }
}
