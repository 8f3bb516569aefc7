import type { Decoded } from './decoder.ts';
import { decodedObject } from './json-object.ts';

const frameLength = 32;

/** What the words of a frame are, in order. */
const names = [
  'pm1_standard',
  'pm2_5_standard',
  'pm10_standard',
  'pm1',
  'pm2_5',
  'pm10',
  'particles_0_3',
  'particles_0_5',
  'particles_1',
  'particles_2_5',
  'particles_5',
  'particles_10',
] as const;

/**
 * Plantower PMS5003 and PMS7003: fine dust. A frame is 42 4D, the length 28, 13 words (high byte first) and the sum of
 * all bytes before it (data manual, appendix I). `pm1`, `pm2_5` and `pm10` are in µg/m³ under atmospheric conditions,
 * with `_standard` by the factory's calibration (CF = 1); `particles_…` counts those larger than so many µm in 0.1 l of
 * air; `version` and `error` are the bytes of the last word.
 */
export function decodePms5003(frame: Uint8Array): Decoded {
  if (frame.length !== frameLength) return { problem: 'wrong-length' };
  const word = (at: number): number => (frame[at] ?? 0) * 256 + (frame[at + 1] ?? 0);
  if (word(0) !== 0x424d || word(2) !== frameLength - 4) return { problem: 'not-a-reading' };
  const sum = frame.subarray(0, frameLength - 2).reduce((total, byte) => total + byte, 0);
  if (sum !== word(frameLength - 2)) return { problem: 'bad-checksum' };
  return decodedObject([
    ...names.map((name, index): [string, string] => [name, String(word(4 + index * 2))]),
    ['version', String(frame[28])],
    ['error', String(frame[29])],
  ]);
}
