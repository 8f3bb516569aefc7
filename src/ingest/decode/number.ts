import { limits } from '../../core/limits.ts';
import type { Decoded, Decoder } from './decoder.ts';
import { decodedObject, numberJson } from './json-object.ts';
import { utf8Text } from './text.ts';

export interface NumberSettings {
  /** What the number is called. */
  readonly name: string;
}

const numberAndUnit = /^([+-]?)\s*((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([^\d\s.,+-].*)?$/i;

/** A frame is one number, perhaps with a unit behind it, as scales send it: `+ 12.50 kg` is `{"weight":12.50,"unit":"kg"}`. */
export function numberDecoder({ name }: NumberSettings): Decoder {
  return (frame): Decoded => {
    const text = utf8Text(frame)?.trim();
    if (text === undefined) return { problem: 'not-utf-8' };
    const parts = text.length > limits.decoderNumberLengthMax ? null : numberAndUnit.exec(text);
    const [, sign = '', digits = '', unit] = parts ?? [];
    const number = numberJson(`${sign}${digits}`);
    if (number === null) return { problem: 'not-a-number' };
    const value: [string, string] = [name, number];
    return decodedObject(unit === undefined ? [value] : [value, ['unit', JSON.stringify(unit)]]);
  };
}
