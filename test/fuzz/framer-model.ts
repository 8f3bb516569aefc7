import { limits } from '../../src/core/limits.ts';
import type { FramingConfig } from '../../src/edge/registry.ts';
import type { FrameProblem } from '../../src/ingest/serial/frame.ts';
import { crc16Arc } from '../support/framing-samples.ts';

/*
 * What is to become of a stream that is known from its beginning to its end: each framing as plainly as it can be said,
 * with all bytes at hand, however long that takes.
 */

/** A frame, and where its first byte stands in the stream. */
export interface ModelFrame {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly problem: FrameProblem | null;
}

/** The frames of a stream that was interrupted at its end. */
export function modelFrames(framing: FramingConfig, stream: Uint8Array): readonly ModelFrame[] {
  switch (framing.type) {
    case 'line': {
      const isLine = framing.delimiter.toHex() === '0a';
      const decode = (text: string) => (isLine ? text.replace(/\r$/, '') : text);
      return splitFrames(stream, { ...framing, sentBytesMax: framing.lengthMax, decode });
    }
    case 'slip': {
      const [delimiter, sentBytesMax] = [Uint8Array.of(0xc0), framing.lengthMax * 2];
      return splitFrames(stream, { ...framing, delimiter, sentBytesMax, decode: slipDecoded });
    }
    case 'cobs': {
      const sentBytesMax = framing.lengthMax + Math.floor(framing.lengthMax / 254) + 1;
      return splitFrames(stream, {
        ...framing,
        delimiter: Uint8Array.of(0),
        sentBytesMax,
        decode: cobsDecoded,
      });
    }
    case 'telegram':
      return foundFrames(stream, {
        bytesMax: framing.lengthMax,
        prefixBytes: 0,
        idle: /^[\r\n]*$/,
        lengthOf: (rest) => telegramLength(framing.checksum, rest),
      });
    default: {
      const parts = partsOf(framing);
      return foundFrames(stream, {
        bytesMax: longestOf(parts),
        prefixBytes: parts.prefixBytes,
        idle: /^$/,
        lengthOf: (rest) => partsLength(parts, rest),
      });
    }
  }
}

/** The longest frame that may be given, good or bad. */
export function givenBytesMax(framing: FramingConfig): number {
  if (framing.type === 'line' || framing.type === 'slip' || framing.type === 'cobs') return framing.lengthMax;
  const longest = framing.type === 'telegram' ? framing.lengthMax : longestOf(partsOf(framing));
  return Math.max(longest, limits.serialGarbledBytesMin);
}

interface Splitting {
  readonly delimiter: Uint8Array;
  readonly lengthMax: number;
  readonly sentBytesMax: number;
  readonly decode: (text: string) => string | null;
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function splitFrames(stream: Uint8Array, splitting: Splitting): readonly ModelFrame[] {
  const { delimiter, lengthMax, sentBytesMax, decode } = splitting;
  const frames: ModelFrame[] = [];
  const pieces = textOf(stream).split(textOf(delimiter));
  let at = 0;
  pieces.forEach((piece, index) => {
    const isEnded = index < pieces.length - 1;
    // What may be the beginning of a delimiter is not too much yet.
    const bytesMax = isEnded ? sentBytesMax : sentBytesMax + delimiter.length - 1;
    const content = isEnded ? decode(piece) : null;
    const problem =
      piece.length > bytesMax || (content?.length ?? 0) > lengthMax
        ? 'frame-too-long'
        : content === null
          ? isEnded
            ? 'frame-garbled'
            : 'frame-incomplete'
          : null;
    const bytes = latin1(problem === null ? (content ?? '') : piece.slice(0, lengthMax));
    if (bytes.length > 0) frames.push({ at, bytes, problem });
    at += piece.length + delimiter.length;
  });
  return frames;
}

function slipDecoded(text: string): string | null {
  if (/\xdb(?![\xdc\xdd])/.test(text)) return null;
  return text.replaceAll('\xdb\xdc', '\xc0').replaceAll('\xdb\xdd', '\xdb');
}

function cobsDecoded(text: string): string | null {
  if (text === '') return '';
  const code = text.charCodeAt(0);
  if (code > text.length) return null;
  const rest = cobsDecoded(text.slice(code));
  if (rest === null) return null;
  return text.slice(1, code) + (code < 255 && text.length > code ? '\0' : '') + rest;
}

type Length = number | 'none' | 'more';

interface Finding {
  readonly bytesMax: number;
  readonly prefixBytes: number;
  /** What means nothing between frames. */
  readonly idle: RegExp;
  /** The length of the frame that the rest of the stream begins with. */
  readonly lengthOf: (rest: Uint8Array) => Length;
}

function foundFrames(stream: Uint8Array, finding: Finding): readonly ModelFrame[] {
  const { bytesMax, prefixBytes, idle, lengthOf } = finding;
  const frames: ModelFrame[] = [];
  let from = 0;
  let at = 0;
  let isEnding = false;
  const giveBad = (problem: FrameProblem): void => {
    const bytes = stream.slice(from, at);
    if (!idle.test(textOf(bytes))) frames.push({ at: from, bytes, problem });
    from = at;
  };
  while (at < stream.length) {
    const length = lengthOf(stream.subarray(at));
    if (length === 'more' && !isEnding && stream.length - at < bytesMax) {
      giveBad('frame-garbled');
      isEnding = true;
    }
    if (typeof length === 'number' && length <= bytesMax) {
      giveBad('frame-garbled');
      const end = at + length;
      frames.push({ at, bytes: stream.slice(at + prefixBytes, end), problem: null });
      at = end;
      from = end;
    } else {
      at += 1;
      if (at - from === Math.max(bytesMax, limits.serialGarbledBytesMin)) giveBad('frame-garbled');
    }
  }
  giveBad(isEnding ? 'frame-incomplete' : 'frame-garbled');
  return frames;
}

type Telegram = Extract<FramingConfig, { type: 'telegram' }>;

function telegramLength(checksum: Telegram['checksum'], rest: Uint8Array): Length {
  const text = textOf(rest);
  if (!text.startsWith('/')) return 'none';
  const body = /^\/[^/!]*/.exec(text)?.[0] ?? '';
  if (text.length === body.length) return 'more';
  if (text[body.length] === '/') return 'none';
  const summed = body.length + 1;
  if (checksum === 'none') return summed;
  const digits = text.slice(summed, summed + 4);
  if (digits.length < 4) return 'more';
  const crc = crc16Arc(rest.subarray(0, summed)).toString(16).padStart(4, '0');
  return digits.toLowerCase() === crc ? summed + 4 : 'none';
}

type Header = Extract<FramingConfig, { type: 'header' }>;
type Parts = Omit<Header, 'type'> & { readonly prefixBytes: number };

/** The framings that are special cases of one with a header; those of sensors as their data sheets have them. */
function partsOf(framing: Exclude<FramingConfig, { type: 'line' | 'slip' | 'cobs' | 'telegram' }>): Parts {
  const header = new Uint8Array();
  switch (framing.type) {
    case 'header':
      return { ...framing, prefixBytes: 0 };
    case 'fixed':
      return { header, length: framing.length, prefixBytes: 0 };
    case 'length-prefixed':
      return {
        header,
        length: { ...framing, at: 0 },
        lengthMax: framing.lengthMax,
        prefixBytes: framing.bytes,
      };
    case 'sds011': {
      const tail = Uint8Array.of(0xab);
      return { ...sensor('aac0', 10, 'sum-8', 2), tail };
    }
    case 'pms5003':
      return sensor('424d001c', 32, 'sum-16', 0);
    case 'mh-z19':
      return sensor('ff86', 9, 'negative-sum-8', 1);
  }
}

type ChecksumName = NonNullable<Header['checksum']>['kind'];

const sensor = (header: string, length: number, kind: ChecksumName, from: number): Parts => ({
  header: Uint8Array.fromHex(header),
  length,
  checksum: { kind, from },
  prefixBytes: 0,
});

const addOf = ({ at, bytes, add }: Exclude<Header['length'], number>): number => add ?? at + bytes;

const longestOf = ({ length, lengthMax = 1e9 }: Parts): number =>
  typeof length === 'number'
    ? Math.min(length, lengthMax)
    : Math.min(lengthMax, (length.bytes === 1 ? 0xff : 0xffff) + addOf(length));

function partsLength(parts: Parts, rest: Uint8Array): Length {
  const { header, length, checksum, tail = new Uint8Array(), prefixBytes } = parts;
  const isBegun = header.every((byte, index) => index >= rest.length || rest[index] === byte);
  if (!isBegun) return 'none';
  let frameBytes = length;
  if (typeof frameBytes !== 'number') {
    const field = rest.slice(frameBytes.at, frameBytes.at + frameBytes.bytes);
    if (field.length < frameBytes.bytes) return 'more';
    if (frameBytes.order === 'little') field.reverse();
    frameBytes = Number.parseInt(field.toHex(), 16) + addOf(frameBytes);
  }
  const sumBytes = checksum === undefined ? 0 : checksumBytes(checksum.kind);
  const ends = frameBytes - tail.length - sumBytes;
  const begins = Math.max(
    header.length,
    checksum?.from ?? 0,
    prefixBytes === 0 ? 0 : prefixBytes + 1,
    typeof length === 'number' ? 0 : length.at + length.bytes,
  );
  if (ends < begins || frameBytes > longestOf(parts)) return 'none';
  if (rest.length < frameBytes) return 'more';
  const frame = rest.subarray(0, frameBytes);
  if (frame.subarray(frameBytes - tail.length).toHex() !== tail.toHex()) return 'none';
  if (checksum === undefined) return frameBytes;
  const sum = checksumText(checksum.kind, frame.subarray(checksum.from, ends));
  return frame.subarray(ends, ends + sumBytes).toHex() === sum ? frameBytes : 'none';
}

const checksumBytes = (kind: ChecksumName): number => (kind.endsWith('-8') ? 1 : 2);

/** As it is sent, in hexadecimal digits. */
function checksumText(kind: ChecksumName, bytes: Uint8Array): string {
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  const little = (crc: number): Uint8Array => Uint8Array.of(crc & 0xff, crc >> 8);
  switch (kind) {
    case 'sum-8':
      return Uint8Array.of(sum).toHex();
    case 'negative-sum-8':
      return Uint8Array.of(-sum).toHex();
    case 'sum-16':
      return Uint8Array.of(sum >> 8, sum).toHex();
    case 'xor-8':
      return Uint8Array.of(bytes.reduce((all, byte) => all ^ byte, 0)).toHex();
    case 'crc-16/arc':
      return little(crc16Arc(bytes)).toHex();
    case 'crc-16/modbus':
      return little(crc16Arc(bytes, 0xffff)).toHex();
  }
}
