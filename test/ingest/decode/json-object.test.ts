import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodedObject, numberJson, valueJson } from '../../../src/ingest/decode/json-object.ts';

test.each([
  ['21.5', '21.5'],
  ['+0021.50', '21.50'],
  ['-.5', '-0.5'],
  ['5.', '5'],
  ['000', '0'],
  ['-0', '-0'],
  ['1E+3', '1e+3'],
  ['12345678901234567890', '12345678901234567890'],
])('the number %s is %s in JSON, with all its digits', (text, json) => {
  expect(numberJson(text)).toBe(json);
  expect(Number(json)).toBe(Number(text));
});

test.each(['', '.', '-', 'e5', '.e5', '1.2.3', '1,5', '0x10', 'NaN', '1 2', '5V', '1'.repeat(65)])(
  '%s is no number but a string',
  (text) => {
    expect(numberJson(text)).toBeNull();
    expect(JSON.parse(valueJson(text))).toBe(text);
  },
);

test('what is taken for a number is one, with the same value', () => {
  const digits = fc.string({ unit: fc.constantFrom('0', '1', '9', '.', '-', '+', 'e', ' '), maxLength: 8 });
  fc.assert(
    fc.property(digits, (text) => {
      const json = numberJson(text);
      if (json !== null) expect(JSON.parse(json)).toBe(Number(text));
      else if (text.trim() === text && text !== '') expect(Number(text)).toBeNaN();
    }),
  );
});

test('an object keeps the order of its members, whatever they are called; without members it is none', () => {
  const decoded = decodedObject([
    ['b', '1'],
    ['2', '"x"'],
    ['__proto__', '3'],
  ]);
  expect('value' in decoded && Buffer.from(decoded.value).toString()).toBe('{"b":1,"2":"x","__proto__":3}');
  expect(decodedObject([])).toEqual({ problem: 'no-values' });
});
