import type { Decoder, Framer } from '../ingest/serial/frame.ts';
import { LineFramer } from '../ingest/serial/framing/line-framer.ts';
import { decodeJson } from '../ingest/serial/json-decoder.ts';

/** How frames are found in the bytes of a serial port: the values of `serial.framing`. */
export const framings = {
  line: () => new LineFramer(),
} as const satisfies Readonly<Record<string, () => Framer>>;

/** How frames are understood: the values of `serial.decoder`. */
export const decoders = {
  json: decodeJson,
} as const satisfies Readonly<Record<string, Decoder>>;

export type FramingName = keyof typeof framings;
export type DecoderName = keyof typeof decoders;

/** The names in a table, typed. */
export const namesOf = <Name extends string>(table: Readonly<Record<Name, unknown>>): readonly Name[] =>
  Object.keys(table) as Name[];
