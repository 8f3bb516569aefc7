import type { Framer } from '../frame.ts';
import { DelimitedFramer } from './delimited-framer.ts';

const END = 0xc0;
const ESC = 0xdb;
/** What follows an ESC, and what the two stand for. */
const escaped: ReadonlyMap<number | undefined, number> = new Map([
  [0xdc, END],
  [0xdd, ESC],
]);

export interface SlipSettings {
  /** Bytes of a frame, without escapes. */
  readonly lengthMax: number;
}

/**
 * SLIP (RFC 1055): a frame ends with END, and has ESC sequences for END and ESC inside. Any other ESC sequence makes a
 * bad frame; the RFC leaves that open.
 */
export function slipFramer({ lengthMax }: SlipSettings): Framer {
  const delimiter = Uint8Array.of(END);
  return new DelimitedFramer({ delimiter, bytesMax: lengthMax, sentBytesMax: lengthMax * 2, decode });
}

function decode(sent: Uint8Array): Uint8Array | null {
  const bytes = new Uint8Array(sent.length);
  let length = 0;
  for (let at = 0; at < sent.length; at += 1) {
    let byte = sent[at];
    if (byte === ESC) {
      at += 1;
      byte = escaped.get(sent[at]);
      if (byte === undefined) return null;
    }
    bytes[length] = byte ?? 0;
    length += 1;
  }
  return bytes.subarray(0, length);
}
