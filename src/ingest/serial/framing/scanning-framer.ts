import { limits } from '../../../core/limits.ts';
import type { Frame, FrameProblem, Framer } from '../frame.ts';
import { ByteWindow } from './byte-window.ts';
import type { Checksum } from './checksum.ts';
import { ReceiptTimes } from './receipt-times.ts';

/** No frame begins there. */
export const NO_FRAME = -1;
/** More bytes are needed to know. */
export const NEEDS_MORE = 0;

/** Frames that are known by how they look from their beginning on. */
export interface FrameShape {
  /** The longest one, as it is sent. */
  readonly bytesMax: number;
  /** So many of its first bytes are not given. */
  readonly prefixBytes: number;
  /** Bytes that mean nothing where no frame is: alone they are no bad frame. */
  readonly idle: Uint8Array;
  /** What runs over the stream. */
  readonly checksum: Checksum | null;
  /**
   * The length of the whole and good frame that begins at that place, or NO_FRAME, or NEEDS_MORE; one above `bytesMax` is no
   * frame. It must cost all places together no more than a fixed time for each byte.
   * @param seen of the bytes from there on, those that were there when it gave NEEDS_MORE for them; 0 at first
   */
  lengthAt(window: ByteWindow, start: number, seen: number): number;
}

/**
 * Looks at each place of the stream for a frame of a shape. Where none begins, it goes on by one byte, so that a good
 * frame is found whatever stands before it: bytes lost, noise, a false beginning. What is passed over up to the next
 * good frame is one bad frame, or several if it is longer than the longest frame and than `limits.serialGarbledBytesMin`.
 */
export class ScanningFramer implements Framer {
  readonly #shape: FrameShape;
  readonly #gapMs: number;
  readonly #garbledBytesMax: number;
  readonly #window: ByteWindow;
  readonly #times = new ReceiptTimes();
  /** Bytes of the stream before the window. */
  #dropped = 0;
  /** In the window: where what is passed over begins, and where a frame may begin. */
  #passedOver = 0;
  #start = 0;
  #seen = 0;
  #receivedMs = 0;

  /** @param gapMs bytes after so long a pause begin a new frame, milliseconds */
  constructor(shape: FrameShape, gapMs = Number.POSITIVE_INFINITY) {
    this.#shape = shape;
    this.#gapMs = gapMs;
    this.#garbledBytesMax = Math.max(shape.bytesMax, limits.serialGarbledBytesMin);
    this.#window = new ByteWindow(2 * (this.#garbledBytesMax + shape.bytesMax), shape.checksum);
  }

  push(chunk: Uint8Array, receivedMs: number): readonly Frame[] {
    const frames: Frame[] = [];
    if (receivedMs - this.#receivedMs >= this.#gapMs) this.#endBegun(frames);
    this.#receivedMs = receivedMs;
    for (let at = 0; at < chunk.length; ) {
      if (this.#window.isFull) this.#makeRoom();
      this.#times.add(this.#dropped + this.#window.end, receivedMs);
      at += this.#window.append(chunk.subarray(at));
      this.#scan(frames);
    }
    return frames;
  }

  interrupt(): readonly Frame[] {
    const frames: Frame[] = [];
    this.#endBegun(frames);
    return frames;
  }

  #makeRoom(): void {
    this.#window.dropBefore(this.#passedOver);
    this.#dropped += this.#passedOver;
    this.#start -= this.#passedOver;
    this.#passedOver = 0;
  }

  #scan(frames: Frame[]): void {
    while (this.#start < this.#window.end) {
      const there = this.#window.end - this.#start;
      const { bytesMax } = this.#shape;
      const length = this.#shape.lengthAt(this.#window, this.#start, this.#seen);
      if (length === NEEDS_MORE && there < bytesMax) {
        this.#seen = there;
        return;
      }
      // More than the longest frame may be at hand; whether one is too long must not depend on that.
      if (length > 0 && length <= bytesMax) this.#accept(length, frames);
      else this.#skip(frames);
    }
  }

  /** Nothing follows what is there: it is no frame, but behind a false beginning there may be some. */
  #endBegun(frames: Frame[]): void {
    this.#giveBad('frame-garbled', frames);
    while (this.#start < this.#window.end) {
      this.#skip(frames);
      this.#scan(frames);
    }
    this.#giveBad('frame-incomplete', frames);
  }

  #accept(length: number, frames: Frame[]): void {
    this.#giveBad('frame-garbled', frames);
    const end = this.#start + length;
    frames.push(this.#frame(this.#start, end, null));
    this.#start = end;
    this.#passedOver = end;
    this.#seen = 0;
  }

  #skip(frames: Frame[]): void {
    this.#start += 1;
    this.#seen = 0;
    if (this.#start - this.#passedOver === this.#garbledBytesMax) this.#giveBad('frame-garbled', frames);
  }

  #giveBad(problem: FrameProblem, frames: Frame[]): void {
    const bytes = this.#window.bytes.subarray(this.#passedOver, this.#start);
    if (!bytes.every((byte) => this.#shape.idle.includes(byte)))
      frames.push(this.#frame(this.#passedOver, this.#start, problem));
    this.#passedOver = this.#start;
  }

  #frame(from: number, to: number, problem: FrameProblem | null): Frame {
    const receivedMs = this.#times.at(this.#dropped + from);
    const given = problem === null ? from + this.#shape.prefixBytes : from;
    return { bytes: this.#window.bytes.slice(given, to), receivedMs, problem };
  }
}
