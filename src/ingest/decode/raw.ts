import type { Decoded } from './decoder.ts';

/** The value is the frame as it came: for formats that are understood in the centre. */
export const decodeRaw = (frame: Uint8Array): Decoded => ({ value: frame });
