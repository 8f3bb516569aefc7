import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeJson } from '../../../src/ingest/decode/json.ts';

const decode = (text: string | Uint8Array): string => {
  const decoded = decodeJson(typeof text === 'string' ? Buffer.from(text) : text);
  return 'value' in decoded ? Buffer.from(decoded.value).toString() : decoded.problem;
};

describe('the JSON decoder', () => {
  test.each([
    ['{}', '{}'],
    ['{"t":21.5}', '{"t":21.5}'],
    [' {\t"t" : 21.5 ,\r "u":[ 1, 2 ] } ', '{"t":21.5,"u":[1,2]}'],
    ['{"a b" : " c \\" d \\\\" , "e": "\\\\\\" f"}', '{"a b":" c \\" d \\\\","e":"\\\\\\" f"}'],
    ['{"n": 12345678901234567890, "x": 1.0, "e": 1E2}', '{"n":12345678901234567890,"x":1.0,"e":1E2}'],
    ['{"b":1, "a":2, "b":3}', '{"b":1,"a":2,"b":3}'],
    ['{"__proto__": {"constructor": 1}}', '{"__proto__":{"constructor":1}}'],
    ['{"grad": "21 °C", "u": "\\u00b0"}', '{"grad":"21 °C","u":"\\u00b0"}'],
  ])('takes the object %j, without the space between its tokens', (sent, value) => {
    expect(decode(sent)).toBe(value);
  });

  test.each([
    ['', 'not-json'],
    ['hello', 'not-json'],
    ['{"t":21.5', 'not-json'],
    ['5}', 'not-json'],
    ['{"t":NaN}', 'not-json'],
    ['{"t":1}{"t":2}', 'not-json'],
    ["{'t':1}", 'not-json'],
    ['{"t":"\u0001"}', 'not-json'],
    ['\0', 'not-json'],
    ['21.5', 'not-an-object'],
    ['"text"', 'not-an-object'],
    ['[{"t":1}]', 'not-an-object'],
    ['null', 'not-an-object'],
    ['true', 'not-an-object'],
  ])('says what is wrong with %j: %s', (sent, problem) => {
    expect(decode(sent)).toBe(problem);
  });

  test('says that bytes are not UTF-8', () => {
    expect(decode(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d))).toBe('not-utf-8');
  });

  test('survives the deepest nesting and the longest string that fit into a frame', () => {
    expect(decode('['.repeat(65_536))).toBe('not-json');
    const deep = `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    expect(decode(deep)).toBe(deep);
    const string = JSON.stringify({ a: '\\" '.repeat(10_000) });
    expect(decode(string)).toBe(string);
  });

  test('keeps every object as it is, but for its white space', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()),
        fc.nat(4),
        (object, indent) => {
          expect(decode(JSON.stringify(object, null, indent))).toBe(JSON.stringify(object));
        },
      ),
    );
  });

  test('never throws, whatever the bytes are', () => {
    const pieces = fc.array(fc.constantFrom('{', '}', '"', '\\', ':', ',', ' ', '1', 'a', '[', ']', 'null'));
    const noise = fc.oneof(
      fc.uint8Array(),
      pieces.map((text) => Buffer.from(text.join(''))),
    );
    fc.assert(
      fc.property(noise, (bytes) => {
        const decoded = decodeJson(bytes);
        if ('value' in decoded)
          expect(JSON.parse(Buffer.from(decoded.value).toString())).toBeTypeOf('object');
        else expect(['not-utf-8', 'not-json', 'not-an-object']).toContain(decoded.problem);
      }),
    );
  });
});
