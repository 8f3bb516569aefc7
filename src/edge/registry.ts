import type { Decoder, Framer } from '../ingest/serial/frame.ts';
import { cobsFramer } from '../ingest/serial/framing/cobs-framer.ts';
import { fixedLengthFramer } from '../ingest/serial/framing/fixed-length-framer.ts';
import { headerFramer } from '../ingest/serial/framing/header-framer.ts';
import { lengthPrefixedFramer } from '../ingest/serial/framing/length-prefixed-framer.ts';
import { lineFramer } from '../ingest/serial/framing/line-framer.ts';
import { mhz19Framer, pms5003Framer, sds011Framer } from '../ingest/serial/framing/sensor-framers.ts';
import { slipFramer } from '../ingest/serial/framing/slip-framer.ts';
import { telegramFramer } from '../ingest/serial/framing/telegram-framer.ts';
import { decodeJson } from '../ingest/serial/json-decoder.ts';

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

/** How frames are understood: the values of `serial.decoder`. */
export const decoders = {
  json: decodeJson,
} as const satisfies Readonly<Record<string, Decoder>>;

export type FramingName = keyof Framings;
export type DecoderName = keyof typeof decoders;

/** The names in a table, typed. */
export const namesOf = <Name extends string>(table: Readonly<Record<Name, unknown>>): readonly Name[] =>
  Object.keys(table) as Name[];
