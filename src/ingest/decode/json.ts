import type { Decoded } from './decoder.ts';
import { utf8Text } from './text.ts';

const encoder = new TextEncoder();

/** A string of valid JSON, or white space between its tokens. */
const stringOrSpace = /("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\r\n]+/g;

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
  return { value: encoder.encode(text.replaceAll(stringOrSpace, '$1')) };
}

/** Undefined if it is not JSON: no JSON text has that value. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
