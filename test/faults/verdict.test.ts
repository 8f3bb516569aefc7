import { expect, test } from 'vitest';
import { compareWithLog } from './verdict.ts';

const here = ['a', 'b', 'c', 'd'];

test.each([
  { there: ['a', 'b', 'c', 'd'], kinds: [] },
  { there: ['a', 'c', 'd'], kinds: ['lost'] },
  { there: ['a', 'b', 'b', 'c', 'd'], kinds: ['doubled'] },
  { there: ['a', 'c', 'b', 'd'], kinds: ['reordered'] },
  { there: ['a', 'b', 'c', 'd', 'x'], kinds: ['doubled'] },
  { there: [], kinds: ['lost', 'lost', 'lost', 'lost'] },
])('of a, b, c, d the cluster has $there: $kinds', ({ there, kinds }) => {
  expect(compareWithLog(0, here, there).map(({ kind }) => kind)).toEqual(kinds);
});
