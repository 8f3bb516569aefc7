import { csvDecoder } from '../ingest/decode/csv.ts';
import type { Decoder } from '../ingest/decode/decoder.ts';
import { decodeDsmr } from '../ingest/decode/dsmr.ts';
import { decodeJson } from '../ingest/decode/json.ts';
import { keyValueDecoder } from '../ingest/decode/key-value.ts';
import { decodeMhZ19 } from '../ingest/decode/mh-z19.ts';
import { decodeNmea } from '../ingest/decode/nmea.ts';
import { numberDecoder } from '../ingest/decode/number.ts';
import { decodePms5003 } from '../ingest/decode/pms5003.ts';
import { decodeRaw } from '../ingest/decode/raw.ts';
import { regexDecoder } from '../ingest/decode/regex.ts';
import { decodeSds011 } from '../ingest/decode/sds011.ts';
import type { Framer } from '../ingest/serial/frame.ts';
import { LineFramer } from '../ingest/serial/line-framer.ts';

/** How frames are found in the bytes of a serial port: the values of `serial.framing`. */
export const framings = {
  line: () => new LineFramer(),
} as const satisfies Readonly<Record<string, () => Framer>>;

/** How frames and payloads are understood, by what `decoder` says: each makes a decoder of its settings. */
export const decoders = {
  json: () => decodeJson,
  raw: () => decodeRaw,
  csv: csvDecoder,
  'key-value': keyValueDecoder,
  regex: regexDecoder,
  number: numberDecoder,
  nmea: () => decodeNmea,
  sds011: () => decodeSds011,
  pms5003: () => decodePms5003,
  'mh-z19': () => decodeMhZ19,
  dsmr: () => decodeDsmr,
} as const;

export type FramingName = keyof typeof framings;
export type DecoderName = keyof Decoders;

type Decoders = typeof decoders;

type DecoderSettingsOf<Make> = Make extends (settings: infer Settings extends object) => Decoder
  ? Settings
  : object;

/** The settings of each decoder. */
type DecoderSettings = { readonly [Name in DecoderName]: DecoderSettingsOf<Decoders[Name]> };

/** A decoder with its settings. */
export type DecoderConfig<Name extends DecoderName = DecoderName> = {
  readonly [One in Name]: { readonly type: One } & DecoderSettings[One];
}[Name];

const decoderMakers: { readonly [Name in DecoderName]: (settings: DecoderSettings[Name]) => Decoder } =
  decoders;

/** The decoder that is configured so. */
export function decoderOf<Name extends DecoderName>(config: DecoderConfig<Name>): Decoder {
  return decoderMakers[config.type](config);
}

/** The names in a table, typed. */
export const namesOf = <Name extends string>(table: Readonly<Record<Name, unknown>>): readonly Name[] =>
  Object.keys(table) as Name[];
