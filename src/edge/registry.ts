import { limits } from '../core/limits.ts';
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
import { cobsFramer } from '../ingest/serial/framing/cobs-framer.ts';
import { fixedLengthFramer } from '../ingest/serial/framing/fixed-length-framer.ts';
import { headerFramer } from '../ingest/serial/framing/header-framer.ts';
import { lengthPrefixedFramer } from '../ingest/serial/framing/length-prefixed-framer.ts';
import { lineFramer } from '../ingest/serial/framing/line-framer.ts';
import { mhz19Framer, pms5003Framer, sds011Framer } from '../ingest/serial/framing/sensor-framers.ts';
import { slipFramer } from '../ingest/serial/framing/slip-framer.ts';
import { telegramFramer } from '../ingest/serial/framing/telegram-framer.ts';

/** How frames are found in the bytes of a serial port, with the settings that each takes: the types of `serial.framing`. */
export const framings = {
  line: lineFramer,
  slip: slipFramer,
  cobs: cobsFramer,
  fixed: fixedLengthFramer,
  'length-prefixed': lengthPrefixedFramer,
  header: headerFramer,
  telegram: telegramFramer,
  sds011: sds011Framer,
  pms5003: pms5003Framer,
  'mh-z19': mhz19Framer,
} as const;

type Framings = typeof framings;

type SettingsOf<Make> = Make extends (settings: infer Settings extends object) => Framer ? Settings : object;

/** The settings of each framing. */
export type FramingSettings = { readonly [Name in FramingName]: SettingsOf<Framings[Name]> };

/** A framing with its settings. */
export type FramingConfig<Name extends FramingName = FramingName> = {
  readonly [One in Name]: { readonly type: One } & FramingSettings[One];
}[Name];

const makers: { readonly [Name in FramingName]: (settings: FramingSettings[Name]) => Framer } = framings;

/** A framer for one port. */
export function framerOf<Name extends FramingName>(config: FramingConfig<Name>): Framer {
  return makers[config.type](config);
}

/**
 * How long bytes of a port may be collected before they are given to the framer, milliseconds: not for so long that
 * the system could lose some, and for a framer that goes by the pauses between them not for so long that it would miss one.
 * @param baud bits per second; a byte takes ten
 */
export function readPauseMsOf(framing: FramingConfig, baud: number): number {
  const gapMs = 'gap' in framing ? framing.gap : Number.POSITIVE_INFINITY;
  const fillMs = (limits.serialReadPauseBytes * 10_000) / baud;
  return Math.floor(Math.min(limits.serialReadPauseMsMax, fillMs, gapMs / limits.serialLooksPerGap));
}

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

export type FramingName = keyof Framings;
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
