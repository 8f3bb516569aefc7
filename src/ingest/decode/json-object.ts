import { limits } from '../../core/limits.ts';
import type { Decoded } from './decoder.ts';

/** A JSON object that is being written: names, with their values as JSON. It keeps their order; of two of a name the last counts. */
export type JsonMembers = Map<string, string>;

/** The object in UTF-8; one without members is the problem `no-values`. */
export function decodedObject(members: Iterable<readonly [string, string]>): Decoded {
  const text = Array.from(members, ([name, json]) => `${JSON.stringify(name)}:${json}`).join(',');
  return text === '' ? { problem: 'no-values' } : { value: Buffer.from(`{${text}}`) };
}

const decimal = /^([+-]?)0*(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;

/**
 * A number as devices write it (`+0021.50`, `.5`, `5.`, `1E3`) as JSON, with all its digits; null if it is none, or
 * longer than `limits.decoderNumberLengthMax`.
 */
export function numberJson(text: string): string | null {
  if (text.length > limits.decoderNumberLengthMax || !/\d/.test(text)) return null;
  const parts = decimal.exec(text);
  if (parts === null) return null;
  const [, sign, whole = '', fraction = '', exponent] = parts;
  // `0*` has taken the zeros of "000"; what has no digit before its exponent is no number.
  if (whole === '' && fraction === '' && !/^[+-]?0/.test(text)) return null;
  const digits = `${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
  return `${sign === '-' ? '-' : ''}${digits}${exponent === undefined ? '' : `e${exponent}`}`;
}

/** A number as a number, anything else as a string, in JSON. */
export const valueJson = (text: string): string => numberJson(text) ?? JSON.stringify(text);
