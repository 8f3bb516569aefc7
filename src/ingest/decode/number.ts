import { limits } from '../../core/limits.ts';
import type { Decoded, Decoder } from './decoder.ts';
import { decodedObject, numberJson } from './json-object.ts';
import { utf8Text } from './text.ts';

export interface NumberSettings {
  /** What the number is called. */
  readonly name: string;
}

/** A sign, perhaps away from its number; digits that are not hexadecimal; and the rest. */
const numberAndRest = /^([+-]?)\s*((?!0+x)(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(.*)$/iu;

/**
 * `kg`, `%RH`, `°C`, `m3/h`, `m/s²`, `kg·m^-3`, `kW-h`: letters and signs, each perhaps with an exponent of one digit behind it.
 * Any other digit may be that of another number, and other signs make of it a time, a fraction, a list.
 */
const unitText = unitPattern();

function unitPattern(): RegExp {
  // A column of water is measured in H2O.
  const symbol = '(?:H2O|[\\p{L}%‰°℃℉])+';
  const exponent = '(?:[23²³]|\\^-?[1-9]|-[1-3]|⁻[¹²³])?';
  const factor = symbol + exponent;
  return new RegExp(`^${factor}(?:[/·⋅-]${factor})*$`, 'u');
}

/**
 * A frame is one number, perhaps with a unit behind it, as scales send it: `+ 12.50 kg` is `{"weight":12.50,"unit":"kg"}`. With
 * anything else behind it, it is no number: a part of what is sent would be a wrong value.
 */
export function numberDecoder({ name }: NumberSettings): Decoder {
  return (frame): Decoded => {
    const text = utf8Text(frame)?.trim();
    if (text === undefined) return { problem: 'not-utf-8' };
    const parts = text.length > limits.decoderNumberLengthMax ? null : numberAndRest.exec(text);
    const [, sign = '', digits = '', unit = ''] = parts ?? [];
    const number = numberJson(`${sign}${digits}`);
    if (number === null) return { problem: 'not-a-number' };
    const value: [string, string] = [name, number];
    if (unit === '') return decodedObject([value]);
    if (unit.length > limits.decoderUnitLengthMax || !unitText.test(unit)) return { problem: 'not-a-number' };
    return decodedObject([value, ['unit', JSON.stringify(unit)]]);
  };
}
