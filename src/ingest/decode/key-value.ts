import type { Decoded, Decoder } from './decoder.ts';
import { decodedObject, type JsonMembers, valueJson } from './json-object.ts';
import { utf8Text } from './text.ts';

export interface KeyValueSettings {
  /** Between two pairs. Undefined for commas or semicolons if the frame has any, else white space. */
  readonly pairSeparator?: string | undefined;
  /** Between a key and its value. Undefined for the first colon or equals sign. */
  readonly keySeparator?: string | undefined;
}

/**
 * A frame is pairs such as `temperature:21.5,humidity:40` or `t=21.5 h=40`. Numbers become numbers, other values
 * strings; pairs without a value are left out; of two of a key the last counts. White space around keys and values
 * does not count. A piece that is no pair spoils the frame.
 */
export function keyValueDecoder({ pairSeparator, keySeparator }: KeyValueSettings): Decoder {
  return (frame): Decoded => {
    const text = utf8Text(frame);
    if (text === null) return { problem: 'not-utf-8' };
    const members: JsonMembers = new Map();
    for (const pair of pairsOf(text, pairSeparator, keySeparator)) {
      if (pair.trim() === '') continue;
      const [start, end] = separatorIn(pair, keySeparator);
      const key = pair.slice(0, start).trim();
      if (start === -1 || key === '') return { problem: 'not-key-value' };
      const value = pair.slice(end).trim();
      if (value !== '') members.set(key, valueJson(value));
    }
    return decodedObject(members);
  };
}

function pairsOf(text: string, pairSeparator?: string, keySeparator?: string): readonly string[] {
  if (pairSeparator !== undefined) return text.split(pairSeparator);
  if (/[,;]/.test(text)) return text.split(/[,;]/);
  // Space may also stand around the separator of key and value. Only one character of each, so that this is linear.
  const words = text.trim().split(/\s+/).join(' ');
  if (keySeparator === undefined) return words.replaceAll(/ ?([:=]) ?/g, '$1').split(' ');
  return words
    .split(keySeparator)
    .map((piece) => piece.trim())
    .join(keySeparator)
    .split(' ');
}

/** Where the separator of a pair begins and ends; -1 if there is none. */
function separatorIn(pair: string, keySeparator: string | undefined): readonly [number, number] {
  const start = keySeparator === undefined ? pair.search(/[:=]/) : pair.indexOf(keySeparator);
  return [start, start + (keySeparator?.length ?? 1)];
}
