import { limits } from '../../core/limits.ts';
import type { Decoded, Decoder } from './decoder.ts';
import { decodedObject, valueJson } from './json-object.ts';
import type { LinearPattern } from './linear-pattern.ts';
import { utf8Text } from './text.ts';

export interface RegexSettings {
  readonly pattern: LinearPattern;
}

/**
 * A frame is text that a pattern matches, somewhere unless it says where (`^`, `$`). Its named groups are the values: numbers as
 * numbers, others as strings; groups that are empty or took no part are left out. Frames longer than
 * `limits.decoderPatternFrameBytesMax` are not looked at, so that none takes longer than some 40 ms.
 */
export function regexDecoder({ pattern }: RegexSettings): Decoder {
  return (frame): Decoded => {
    if (frame.length > limits.decoderPatternFrameBytesMax) return { problem: 'too-long' };
    const text = utf8Text(frame);
    if (text === null) return { problem: 'not-utf-8' };
    const groups = pattern.match(text);
    if (groups === null) return { problem: 'no-match' };
    const members = [...groups].filter(([, value]) => value !== '');
    return decodedObject(members.map(([name, value]) => [name, valueJson(value)]));
  };
}
