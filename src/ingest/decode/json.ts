import type { Decoded } from './decoder.ts';
import { utf8Text } from './text.ts';

const space = /[ \t\r\n]/;
/** A string of valid JSON, or white space between its tokens. */
const stringOrSpace = /("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\r\n]+/g;
const openingBrace = 0x7b;

/**
 * A frame is one JSON object in UTF-8. The value is that object without white space between its tokens and otherwise
 * as it was sent: numbers keep their digits, names their order.
 */
export function decodeJson(frame: Uint8Array): Decoded {
  const text = utf8Text(frame);
  if (text === null) return { problem: 'not-utf-8' };
  const value = parse(text);
  if (value === undefined) return { problem: 'not-json' };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { problem: 'not-an-object' };
  // Most devices send none; and in front of the brace there may be a byte order mark.
  if (frame[0] === openingBrace && !space.test(text)) return { value: frame };
  return { value: Buffer.from(text.replaceAll(stringOrSpace, '$1')) };
}

/** Undefined if it is not JSON: no JSON text has that value. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
