import type { Checksum } from './checksum.ts';

/** The last bytes of a stream, as many as may still be needed, with the states of a checksum that runs over all of it. */
export class ByteWindow {
  readonly bytes: Uint8Array;
  /** At the place of each byte the state before it; empty without a checksum. */
  readonly states: Uint16Array;
  readonly #checksum: Checksum | null;
  #end = 0;

  /** @param capacity bytes; twice as many as are kept at most, so that moving them costs little for each new one */
  constructor(capacity: number, checksum: Checksum | null) {
    this.bytes = new Uint8Array(capacity);
    this.states = new Uint16Array(checksum === null ? 0 : capacity + 1);
    this.#checksum = checksum;
  }

  /** The place after the last byte. */
  get end(): number {
    return this.#end;
  }

  get isFull(): boolean {
    return this.#end === this.bytes.length;
  }

  /** Adds as many of these bytes as there is room for; gives how many. */
  append(chunk: Uint8Array): number {
    const fitting = chunk.subarray(0, this.bytes.length - this.#end);
    this.bytes.set(fitting, this.#end);
    if (this.#checksum !== null) this.#run(this.#checksum, fitting);
    this.#end += fitting.length;
    return fitting.length;
  }

  /** Forgets the bytes before that place, which becomes place 0. */
  dropBefore(place: number): void {
    this.bytes.copyWithin(0, place, this.#end);
    this.states.copyWithin(0, place, this.#end + 1);
    this.#end -= place;
  }

  #run({ step }: Checksum, bytes: Uint8Array): void {
    let state = this.states[this.#end] ?? 0;
    for (let index = 0; index < bytes.length; index += 1) {
      state = step(state, bytes[index] ?? 0);
      this.states[this.#end + index + 1] = state;
    }
  }
}
