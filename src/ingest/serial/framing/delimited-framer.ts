import type { Frame, FrameProblem, Framer } from '../frame.ts';
import { DelimiterSearch } from './delimiter-search.ts';

/** Frames with a delimiter between them, which is nowhere inside. */
export interface Delimiting {
  /** One byte at least. */
  readonly delimiter: Uint8Array;
  /** The longest frame, as it is given. */
  readonly bytesMax: number;
  /** The longest frame, as it is sent: what stands between two delimiters. */
  readonly sentBytesMax: number;
  /** What the bytes between two delimiters mean; null if that can be no frame. It may give a view of them, and never throws. */
  readonly decode: (sent: Uint8Array) => Uint8Array | null;
}

/**
 * A frame is what stands between delimiters, decoded; an empty one is none. One that is too long is one bad frame of its
 * first so many bytes, given as soon as that is known, and the rest up to the next delimiter is passed over. Bad frames
 * have their bytes as they were sent.
 */
export class DelimitedFramer implements Framer {
  readonly #delimiting: Delimiting;
  readonly #search: DelimiterSearch;
  /** Copies of what was sent of the frame begun, up to the last byte of its delimiter: a view would keep the whole chunk in memory. */
  readonly #sent: Uint8Array;
  #length = 0;
  #receivedMs = 0;
  #isPassingOver = false;

  constructor(delimiting: Delimiting) {
    const { delimiter, sentBytesMax } = delimiting;
    this.#delimiting = delimiting;
    this.#search = new DelimiterSearch(delimiter);
    this.#sent = new Uint8Array(sentBytesMax + delimiter.length - 1);
  }

  push(chunk: Uint8Array, receivedMs: number): readonly Frame[] {
    const frames: Frame[] = [];
    for (let at = 0; at < chunk.length; ) {
      const next = this.#search.endIn(chunk, at);
      const end = next === -1 ? chunk.length : next - 1;
      if (!this.#isPassingOver && !this.#append(chunk.subarray(at, end), receivedMs)) {
        frames.push(this.#takeBad('frame-too-long'));
        this.#isPassingOver = true;
      }
      if (next === -1) break;
      if (!this.#isPassingOver) this.#endFrame(frames);
      this.#isPassingOver = false;
      at = next;
    }
    return frames;
  }

  interrupt(): readonly Frame[] {
    this.#isPassingOver = false;
    this.#search.reset();
    return this.#length === 0 ? [] : [this.#takeBad('frame-incomplete')];
  }

  /** False if they do not all fit; then what fits is there. */
  #append(bytes: Uint8Array, receivedMs: number): boolean {
    if (this.#length === 0) this.#receivedMs = receivedMs;
    const fitting = bytes.subarray(0, this.#sent.length - this.#length);
    this.#sent.set(fitting, this.#length);
    this.#length += fitting.length;
    return fitting.length === bytes.length;
  }

  #endFrame(frames: Frame[]): void {
    const { delimiter, bytesMax, decode } = this.#delimiting;
    this.#length -= delimiter.length - 1;
    const bytes = decode(this.#sent.subarray(0, this.#length));
    if (bytes === null) frames.push(this.#takeBad('frame-garbled'));
    else if (bytes.length > bytesMax) frames.push(this.#takeBad('frame-too-long'));
    else if (bytes.length > 0)
      frames.push({ bytes: bytes.slice(), receivedMs: this.#receivedMs, problem: null });
    this.#length = 0;
  }

  #takeBad(problem: FrameProblem): Frame {
    const bytes = this.#sent.slice(0, Math.min(this.#length, this.#delimiting.bytesMax));
    this.#length = 0;
    return { bytes, receivedMs: this.#receivedMs, problem };
  }
}
