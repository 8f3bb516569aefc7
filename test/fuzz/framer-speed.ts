import { limits } from '../../src/core/limits.ts';
import { type FramingConfig, framerOf } from '../../src/edge/registry.ts';

/** Bytes that a framer may find hard, again and again. */
export interface HardBytes {
  readonly name: string;
  readonly framing: FramingConfig;
  readonly bytes: Uint8Array;
}

const lengthMax = limits.serialFrameBytesMax;
const lines: FramingConfig = { type: 'line', delimiter: Uint8Array.of(0x0a), lengthMax };
const text = (what: string): Uint8Array => Uint8Array.from(Buffer.from(what, 'latin1'));
const long = (before: string, after: string): Uint8Array => text(before + 'x'.repeat(lengthMax - 10) + after);

/** Every framing with frames as long as they may be, and bytes that never end one, end it late, or seem to begin one everywhere. */
export const hardBytes: readonly HardBytes[] = [
  { name: 'line, no delimiter', framing: lines, bytes: text('x') },
  { name: 'line, late delimiters', framing: lines, bytes: long('', '\n') },
  {
    name: 'line, delimiters begun',
    framing: { ...lines, delimiter: text('aaaaaaab') },
    bytes: text('a'),
  },
  { name: 'slip, no end', framing: { type: 'slip', lengthMax }, bytes: text('\xdb\xdc') },
  { name: 'slip, late ends', framing: { type: 'slip', lengthMax }, bytes: long('\xdb\xdd', '\xc0') },
  { name: 'cobs, no zero', framing: { type: 'cobs', lengthMax }, bytes: text('\x01') },
  {
    name: 'cobs, late zeros',
    framing: { type: 'cobs', lengthMax },
    bytes: text(`${'\x01'.repeat(lengthMax - 9)}\0`),
  },
  { name: 'fixed', framing: { type: 'fixed', length: lengthMax, gap: 1000 }, bytes: text('x') },
  {
    name: 'length-prefixed, legal lengths',
    framing: { type: 'length-prefixed', bytes: 2, order: 'big', lengthMax, gap: 1000 },
    bytes: text('x'),
  },
  {
    name: 'length-prefixed, illegal lengths',
    framing: { type: 'length-prefixed', bytes: 2, order: 'big', lengthMax: 1000, gap: 1000 },
    bytes: text('\xff'),
  },
  {
    name: 'header everywhere, CRC',
    framing: {
      type: 'header',
      header: text('x'),
      length: { at: 1, bytes: 2, order: 'big' },
      checksum: { kind: 'crc-16/modbus', from: 0 },
      lengthMax,
    },
    bytes: text('x'),
  },
  {
    name: 'header everywhere, sum',
    framing: {
      type: 'header',
      header: text('x'),
      length: 60_000,
      checksum: { kind: 'sum-16', from: 0 },
      lengthMax,
    },
    bytes: text('x'),
  },
  {
    name: 'telegram, no end',
    framing: { type: 'telegram', checksum: 'crc-16/arc', lengthMax },
    bytes: long('/', ''),
  },
  {
    name: 'telegram, slashes',
    framing: { type: 'telegram', checksum: 'crc-16/arc', lengthMax },
    bytes: text('/'),
  },
  {
    name: 'telegram, wrong CRCs',
    framing: { type: 'telegram', checksum: 'crc-16/arc', lengthMax },
    bytes: text('/!0000'),
  },
  { name: 'sds011, headers', framing: { type: 'sds011' }, bytes: text('\xaa\xc0') },
  { name: 'sds011, noise', framing: { type: 'sds011' }, bytes: text('\0') },
  { name: 'pms5003, headers', framing: { type: 'pms5003' }, bytes: text('\x42\x4d\0\x1c') },
  { name: 'mh-z19, headers', framing: { type: 'mh-z19' }, bytes: text('\xff\x86') },
];

/** What of these bytes a framer takes in a second of CPU time, given in chunks of so many, MB/s. */
export function measuredSpeed({ framing, bytes }: HardBytes, totalBytes: number, chunkBytes: number): number {
  const framer = framerOf(framing);
  const repeated = new Uint8Array(Math.ceil((1 << 20) / bytes.length) * bytes.length);
  for (let at = 0; at < repeated.length; at += bytes.length) repeated.set(bytes, at);
  const start = process.threadCpuUsage();
  for (let sent = 0; sent < totalBytes; ) {
    for (let at = 0; at < repeated.length && sent < totalBytes; at += chunkBytes) {
      framer.push(repeated.subarray(at, at + chunkBytes), 0);
      sent += chunkBytes;
    }
  }
  framer.interrupt();
  const { user, system } = process.threadCpuUsage(start);
  return totalBytes / (user + system);
}
