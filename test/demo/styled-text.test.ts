import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { countText, lineText, momentText, wrapped } from '../../demo/styled-text.ts';

const line = ['one ', { text: 'two', style: 'red' }, ' three'] as const;

test('a line has colours only where they are wanted', () => {
  expect(lineText(line, 80, false)).toBe('one two three');
  expect(lineText(line, 80, true)).not.toBe('one two three');
  expect(stripVTControlCharacters(lineText(line, 80, true))).toBe('one two three');
});

test.each([
  [13, 'one two three'],
  [12, 'one two thr…'],
  [7, 'one two'],
  [6, 'one t…'],
  [1, '…'],
  [0, ''],
])('a line on %i columns does not go beyond them', (columns, text) => {
  expect(lineText(line, columns, false)).toBe(text);
});

test('text is wrapped between words; one that is too long has a line of its own', () => {
  expect(wrapped('a few words and incomprehensibilities', 11)).toEqual([
    'a few words',
    'and',
    'incomprehensibilities',
  ]);
});

test('moments are shown to the minute, and counts in groups', () => {
  expect(momentText(Date.parse('2014-02-08T14:30:59Z'))).toBe('2014-02-08 14:30');
  expect(countText(22695)).toBe('22,695');
});
