import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  escapedText,
  hexText,
  parseEscapedBytes,
  parseHexBytes,
} from '../../../src/edge/config/byte-text.ts';

test.each([
  ['READ\\r\\n', [0x52, 0x45, 0x41, 0x44, 0x0d, 0x0a]],
  ['\\x00\\xFf\\0\\t\\\\', [0x00, 0xff, 0x00, 0x09, 0x5c]],
  // As YAML gives it for double quotes.
  ['A\r\n', [0x41, 0x0d, 0x0a]],
  ['', []],
  ['\\', undefined],
  ['\\q', undefined],
  ['\\xF', undefined],
  ['°', undefined],
])('%j as text is %j', (text, bytes) => {
  expect(parseEscapedBytes(text)).toEqual(bytes && Uint8Array.from(bytes));
});

test.each([
  ['FF 01 86', [0xff, 0x01, 0x86]],
  [' ff0186\n', [0xff, 0x01, 0x86]],
  ['FF 1 86', undefined],
  ['F F', undefined],
  ['0xFF', undefined],
])('%j as hex is %j', (text, bytes) => {
  expect(parseHexBytes(text)).toEqual(bytes && Uint8Array.from(bytes));
});

test('any bytes are read as they are shown', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(parseEscapedBytes(escapedText(bytes))).toEqual(Uint8Array.from(bytes));
      expect(parseHexBytes(hexText(bytes))).toEqual(Uint8Array.from(bytes));
    }),
  );
});

test('bytes are shown so that a person can type them', () => {
  const bytes = Uint8Array.of(0x41, 0x20, 0x0d, 0x0a, 0x00, 0x5c, 0xfe);
  expect(escapedText(bytes)).toBe('A \\r\\n\\0\\\\\\xFE');
  expect(hexText(bytes)).toBe('41 20 0D 0A 00 5C FE');
});
