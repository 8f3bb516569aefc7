import { expect, test } from 'vitest';
import { type ExpectedRecord, firstMisfit } from './expected-records.ts';

const needed = (value: string): ExpectedRecord => ({ value, isNeeded: true });
const optional = (value: string): ExpectedRecord => ({ value, isNeeded: false });
const story = [needed('a'), optional('any'), optional('b'), needed('c')];

test.each([['a c'], ['a b c'], ['a x c'], ['a x b c']])('records %s fit what was sent', (records) => {
  expect(firstMisfit(story, records.split(' '))).toBeNull();
});

test.each([
  ['c', 'record 0 is c, a expected'],
  ['a b', 'after 2 records one is missing: b or c'],
  ['a x x c', 'record 2 is x, b or c expected'],
  ['a b c c', 'record 3 is c, the end expected'],
  ['a c b', 'after 3 records one is missing: c'],
])('records %s do not: %s', (records, misfit) => {
  expect(firstMisfit(story, records.split(' '))).toBe(misfit);
});
