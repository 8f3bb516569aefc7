import type { Decoded } from './decoder.ts';
import { decodedObject } from './json-object.ts';

const frameLength = 9;

/**
 * Winsen MH-Z19, MH-Z19B and C: carbon dioxide. A frame is the answer to the command 86: FF 86, CO2 (high byte first),
 * temperature, three bytes that are no reading, and the checksum (manual, "UART output"). `co2` is in ppm; `temperature`
 * in °C is of the inside of the sensor, which the manual does not promise.
 */
export function decodeMhZ19(frame: Uint8Array): Decoded {
  if (frame.length !== frameLength) return { problem: 'wrong-length' };
  if (frame[0] !== 0xff || frame[1] !== 0x86) return { problem: 'not-a-reading' };
  const sum = frame.subarray(1).reduce((total, byte) => total + byte, 0);
  if ((sum & 0xff) !== 0) return { problem: 'bad-checksum' };
  return decodedObject([
    ['co2', String((frame[2] ?? 0) * 256 + (frame[3] ?? 0))],
    // It is sent 40 higher, so that it is no negative number.
    ['temperature', String((frame[4] ?? 0) - 40)],
  ]);
}
