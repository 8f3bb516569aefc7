import type { Framer } from '../frame.ts';
import { DelimitedFramer } from './delimited-framer.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export interface LineSettings {
  /** What ends a line; one byte at least. */
  readonly delimiter: Uint8Array;
  /** Bytes of a line. */
  readonly lengthMax: number;
}

/**
 * A frame is a line without its delimiter; empty lines are none. If lines end with LF, a CR before it is no part of them
 * either, though it counts for the length.
 */
export function lineFramer({ delimiter, lengthMax }: LineSettings): Framer {
  const isLineFeed = delimiter.length === 1 && delimiter[0] === LINE_FEED;
  const decode = isLineFeed ? withoutCarriageReturn : (sent: Uint8Array) => sent;
  return new DelimitedFramer({ delimiter, bytesMax: lengthMax, sentBytesMax: lengthMax, decode });
}

const withoutCarriageReturn = (sent: Uint8Array): Uint8Array =>
  sent.at(-1) === CARRIAGE_RETURN ? sent.subarray(0, -1) : sent;
