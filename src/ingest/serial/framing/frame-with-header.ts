import type { ByteWindow } from './byte-window.ts';
import { type ChecksumName, checksums } from './checksum.ts';
import { type FrameShape, NEEDS_MORE, NO_FRAME } from './scanning-framer.ts';

/** Where a frame says how long it is. */
export interface LengthField {
  /** Bytes before it. */
  readonly at: number;
  /** 1 or 2. */
  readonly bytes: number;
  /** Which of two bytes comes first: the higher, or the lower one. */
  readonly order: 'big' | 'little';
  /** Bytes of the frame that it does not count; if undefined, it counts all that follow it. */
  readonly add?: number | undefined;
}

/** What a frame is made of. */
export interface FrameParts {
  /** What it begins with; may be empty. */
  readonly header: Uint8Array;
  /** Bytes of the whole frame. */
  readonly length: number | LengthField;
  /** Which, and the first byte that it is about; it stands at the end, before the tail. Undefined for none. */
  readonly checksum?: { readonly kind: ChecksumName; readonly from: number } | undefined;
  /** What it ends with, if anything. */
  readonly tail?: Uint8Array | undefined;
  /** The longest whole frame; what says that it is longer is none. Undefined for what the length can say. */
  readonly lengthMax?: number | undefined;
}

const none = new Uint8Array();

/** How much a frame with these parts has at least: all of them, and no data. */
export function partsBytes({ header, length, checksum, tail = none }: FrameParts): number {
  const field = typeof length === 'number' ? 0 : length.at + length.bytes;
  const summed = checksum === undefined ? 0 : checksum.from;
  const sumBytes = checksum === undefined ? 0 : checksums[checksum.kind].bytes;
  return Math.max(header.length, field, summed) + sumBytes + tail.length;
}

/**
 * Frames that begin with a header, if any, know their length, and end with a checksum, a tail, or just so.
 * @param prefixBytes so many of the first bytes are not given
 */
export function shapeOf(parts: FrameParts, prefixBytes: number): FrameShape {
  const { header, length, checksum, tail = none, lengthMax } = parts;
  const bytesMin = Math.max(partsBytes(parts), prefixBytes + 1);
  const bytesMax = Math.min(lengthMax ?? Number.POSITIVE_INFINITY, sayableBytes(length));
  const running = checksum === undefined ? null : checksums[checksum.kind];

  const isWhole = (window: ByteWindow, start: number, end: number): boolean => {
    const tailAt = end - tail.length;
    if (!isAt(tail, window, tailAt)) return false;
    if (running === null || checksum === undefined) return true;
    const sumAt = tailAt - running.bytes;
    const from = start + checksum.from;
    const sum = running.between(window.states[from] ?? 0, window.states[sumAt] ?? 0, sumAt - from);
    return sum === numberAt(window, sumAt, running.bytes, running.isBigEndian);
  };

  const lengthAt = (window: ByteWindow, start: number): number => {
    if (!isAt(header, window, start)) return NO_FRAME;
    const there = window.end - start;
    let frameBytes = length;
    if (typeof frameBytes !== 'number') {
      const { at, bytes, order } = frameBytes;
      if (there < at + bytes) return NEEDS_MORE;
      frameBytes = numberAt(window, start + at, bytes, order === 'big') + uncounted(frameBytes);
    }
    if (frameBytes < bytesMin || frameBytes > bytesMax) return NO_FRAME;
    if (there < frameBytes) return NEEDS_MORE;
    return isWhole(window, start, start + frameBytes) ? frameBytes : NO_FRAME;
  };
  return { bytesMax, prefixBytes, idle: none, checksum: running, lengthAt };
}

/** The most that a length can say. */
const sayableBytes = (length: number | LengthField): number =>
  typeof length === 'number' ? length : 256 ** length.bytes - 1 + uncounted(length);

const uncounted = ({ at, bytes, add = at + bytes }: LengthField): number => add;

/** Whether these bytes stand at that place, as far as the window goes. */
function isAt(expected: Uint8Array, { bytes, end }: ByteWindow, place: number): boolean {
  const there = Math.min(expected.length, end - place);
  for (let index = 0; index < there; index += 1) if (bytes[place + index] !== expected[index]) return false;
  return true;
}

function numberAt({ bytes }: ByteWindow, place: number, count: number, isBigEndian: boolean): number {
  let number = 0;
  for (let index = 0; index < count; index += 1)
    number = number * 256 + (bytes[place + (isBigEndian ? index : count - 1 - index)] ?? 0);
  return number;
}
