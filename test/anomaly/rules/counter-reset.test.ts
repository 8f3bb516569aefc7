import { expect, test } from 'vitest';
import { counterResetRule } from '../../../src/anomaly/rules/counter-reset.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { findingsOf, minuteMs, startMs } from './synthetic-series.ts';

const readingsOf = (values: readonly number[]) =>
  values.map((value, index) => ({ timeMs: startMs + index * minuteMs, value, sourceTimeMs: null }));

const kindsIn = (values: readonly number[]): string[] =>
  findingsOf(readingsOf(values)).map((findings) => findings.map(({ kind }) => kind).join());

test('a counter that begins anew is told as that, and as nothing else', () => {
  const random = new SimRandom(1);
  let total = 1000;
  const values = Array.from({ length: 1000 }, (_, index) => {
    total = index === 600 ? 3 : total + random.below(10);
    return total;
  });
  const kinds = kindsIn(values);
  expect(kinds[600]).toBe('counter-reset');
  expect(kinds.filter((kind) => kind !== '')).toHaveLength(1);
});

test('a full counter of 16 bits is told as that', () => {
  const kinds = kindsIn(Array.from({ length: 200 }, (_, index) => (60_000 + index * 50) % 65_536));
  expect(kinds.filter((kind) => kind !== '')).toEqual(['counter-reset']);
});

test('a value that goes up and down is no counter', () => {
  const kinds = kindsIn(Array.from({ length: 1000 }, (_, index) => 50 + 45 * Math.sin(index / 20)));
  expect(kinds).not.toContain('counter-reset');
  expect(counterResetRule.consequence).toBe('explained');
});
