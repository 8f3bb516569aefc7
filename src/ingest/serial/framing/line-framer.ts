import { limits } from '../../../core/limits.ts';
import type { Frame, FrameProblem, Framer } from '../frame.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * A frame is a line: it ends with LF, or CR LF, which are not part of it. Empty lines are no frames. A line of more
 * than `limits.serialFrameBytesMax` bytes (a CR at its end counts) is one bad frame of its first so many bytes, given
 * as soon as that is known; the rest up to the next LF is passed over.
 */
export class LineFramer implements Framer {
  /** Copies of the bytes of the line begun: a view would keep the whole chunk in memory. */
  readonly #line = new Uint8Array(limits.serialFrameBytesMax);
  #length = 0;
  #receivedMs = 0;
  #isPassingOver = false;

  push(chunk: Uint8Array, receivedMs: number): readonly Frame[] {
    const frames: Frame[] = [];
    for (let at = 0; at < chunk.length; ) {
      const feed = chunk.indexOf(LINE_FEED, at);
      const end = feed === -1 ? chunk.length : feed;
      if (!this.#isPassingOver && !this.#append(chunk.subarray(at, end), receivedMs)) {
        frames.push(this.#take('frame-too-long'));
        this.#isPassingOver = true;
      }
      if (feed === -1) break;
      if (!this.#isPassingOver) this.#endLine(frames);
      this.#isPassingOver = false;
      at = feed + 1;
    }
    return frames;
  }

  interrupt(): Frame | null {
    this.#isPassingOver = false;
    return this.#length === 0 ? null : this.#take('frame-incomplete');
  }

  /** False if they do not all fit into the line; then it is full. */
  #append(bytes: Uint8Array, receivedMs: number): boolean {
    if (this.#length === 0) this.#receivedMs = receivedMs;
    const fitting = bytes.subarray(0, this.#line.length - this.#length);
    this.#line.set(fitting, this.#length);
    this.#length += fitting.length;
    return fitting.length === bytes.length;
  }

  #endLine(frames: Frame[]): void {
    if (this.#length > 0 && this.#line[this.#length - 1] === CARRIAGE_RETURN) this.#length -= 1;
    if (this.#length > 0) frames.push(this.#take(null));
  }

  #take(problem: FrameProblem | null): Frame {
    const bytes = this.#line.slice(0, this.#length);
    this.#length = 0;
    return { bytes, receivedMs: this.#receivedMs, problem };
  }
}
