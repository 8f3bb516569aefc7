import type { Framer } from '../frame.ts';
import { DelimitedFramer } from './delimited-framer.ts';

/** The block that has no zero after it. */
const LONGEST = 0xff;

export interface CobsSettings {
  /** Bytes of a frame, decoded. */
  readonly lengthMax: number;
}

/**
 * COBS (Cheshire and Baker 1999: "Consistent Overhead Byte Stuffing"): frames without a zero inside, and a zero after
 * each. A frame is blocks of a length byte, which counts itself, and bytes that are not zero; each but the longest
 * stands for its bytes and a zero, save at the end of the frame.
 */
export function cobsFramer({ lengthMax }: CobsSettings): Framer {
  const sentBytesMax = lengthMax + Math.floor(lengthMax / (LONGEST - 1)) + 1;
  return new DelimitedFramer({ delimiter: Uint8Array.of(0), bytesMax: lengthMax, sentBytesMax, decode });
}

function decode(sent: Uint8Array): Uint8Array | null {
  const bytes = new Uint8Array(sent.length);
  let length = 0;
  for (let at = 0; at < sent.length; ) {
    const code = sent[at] ?? 0;
    const next = at + code;
    if (next > sent.length) return null;
    for (at += 1; at < next; at += 1) {
      bytes[length] = sent[at] ?? 0;
      length += 1;
    }
    // The bytes of the array are zero already.
    if (code < LONGEST && next < sent.length) length += 1;
  }
  return bytes.subarray(0, length);
}
