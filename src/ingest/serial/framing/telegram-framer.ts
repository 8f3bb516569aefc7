import type { Framer } from '../frame.ts';
import type { ByteWindow } from './byte-window.ts';
import { checksums } from './checksum.ts';
import { NEEDS_MORE, NO_FRAME, ScanningFramer } from './scanning-framer.ts';

const SLASH = 0x2f;
const EXCLAMATION_MARK = 0x21;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const CRC_DIGITS = 4;

const crc16 = checksums['crc-16/arc'];

export interface TelegramSettings {
  /** What stands behind the exclamation mark; meters before DSMR 4 have nothing there. */
  readonly checksum: 'crc-16/arc' | 'none';
  /** Bytes of a telegram. */
  readonly lengthMax: number;
}

/**
 * Telegrams of electricity meters (IEC 62056-21; DSMR 5.0.2 P1, 6.2): from a slash to an exclamation mark and the CRC-16
 * of all up to that in hexadecimal digits, all of which is given. Neither character may stand inside, so a slash always
 * begins a telegram. Line ends between telegrams are nothing.
 */
export function telegramFramer({ checksum, lengthMax }: TelegramSettings): Framer {
  const hasCrc = checksum !== 'none';
  return new ScanningFramer({
    bytesMax: lengthMax,
    prefixBytes: 0,
    idle: Uint8Array.of(CARRIAGE_RETURN, LINE_FEED),
    checksum: hasCrc ? crc16 : null,
    lengthAt: (window, start, seen) => telegramBytes(window, start, seen, hasCrc),
  });
}

function telegramBytes(window: ByteWindow, start: number, seen: number, hasCrc: boolean): number {
  const { bytes, end } = window;
  if (bytes[start] !== SLASH) return NO_FRAME;
  // The exclamation mark may have been seen before its digits came.
  for (let at = start + Math.max(1, seen - CRC_DIGITS); at < end; at += 1) {
    if (bytes[at] === SLASH) return NO_FRAME;
    if (bytes[at] !== EXCLAMATION_MARK) continue;
    const after = at + 1;
    if (!hasCrc) return after - start;
    if (end < after + CRC_DIGITS) return NEEDS_MORE;
    return crcAt(bytes, after) === crcBetween(window, start, after) ? after + CRC_DIGITS - start : NO_FRAME;
  }
  return NEEDS_MORE;
}

const crcBetween = ({ states }: ByteWindow, from: number, to: number): number =>
  crc16.between(states[from] ?? 0, states[to] ?? 0, to - from);

/** Undefined if it is none. */
function crcAt(bytes: Uint8Array, place: number): number | undefined {
  const digits = String.fromCharCode(...bytes.subarray(place, place + CRC_DIGITS));
  return /^[0-9A-Fa-f]+$/.test(digits) ? Number.parseInt(digits, 16) : undefined;
}
