import type { Decoded } from './decoder.ts';
import { decodedObject } from './json-object.ts';

const frameLength = 10;

/**
 * Nova SDS011, and SDS021: fine dust. A frame is AA C0, PM2.5 and PM10 in 0.1 µg/m³ (low byte first), two bytes of the
 * device's id, the sum of these six, AB (data sheet V1.3, "UART communication protocol"). `pm2_5` and `pm10` are in
 * µg/m³.
 */
export function decodeSds011(frame: Uint8Array): Decoded {
  if (frame.length !== frameLength) return { problem: 'wrong-length' };
  if (frame[0] !== 0xaa || frame[1] !== 0xc0 || frame[9] !== 0xab) return { problem: 'not-a-reading' };
  const sum = frame.subarray(2, 8).reduce((total, byte) => total + byte, 0);
  if ((sum & 0xff) !== frame[8]) return { problem: 'bad-checksum' };
  const tenths = (at: number): string => String(((frame[at] ?? 0) + (frame[at + 1] ?? 0) * 256) / 10);
  return decodedObject([
    ['pm2_5', tenths(2)],
    ['pm10', tenths(4)],
  ]);
}
