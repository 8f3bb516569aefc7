import { expect, test } from 'vitest';
import type { Reading } from '../../../src/anomaly/detection/reading.ts';
import { orderRule } from '../../../src/anomaly/rules/order.ts';
import { findingsOf, minuteMs, startMs } from './synthetic-series.ts';

const reading = (minute: number, value: number, sourceMinute: number | null = null): Reading => ({
  timeMs: startMs + minute * minuteMs,
  value,
  sourceTimeMs: sourceMinute === null ? null : startMs + sourceMinute * minuteMs,
});

const minutes = (first: number, count: number): Reading[] =>
  Array.from({ length: count }, (_, index) => reading(first + index, 20 + Math.sin(index)));

const kindsOf = (readings: readonly Reading[]): string[] =>
  findingsOf(readings).map((findings) => findings.map(({ kind }) => kind).join());

test('the same time with the same value is a duplicate; with another value it is none', () => {
  const kinds = kindsOf([...minutes(0, 40), reading(40, 7), reading(40, 7), reading(40, 8)]);
  expect(kinds[41]).toBe('duplicate');
  expect(kinds[42]).not.toContain('duplicate');
});

test('the same record time with another source time is no duplicate', () => {
  expect(kindsOf([reading(0, 7, -2), reading(0, 7, -1), reading(0, 7, -1)])).toEqual(['', '', 'duplicate']);
});

test('a series that is faster than its clock has no duplicates', () => {
  const fast = Array.from({ length: 300 }, (_, index) =>
    reading(Math.floor(index / 10), Math.floor(index / 3) % 4),
  );
  const kinds = kindsOf(fast);
  expect(kinds.slice(0, 3)).toContain('duplicate');
  expect(kinds.slice(20)).not.toContain('duplicate');
});

test('a reading of an older time is out of order, and the next one is measured against the newest', () => {
  const kinds = kindsOf([...minutes(0, 100), reading(50, 20.5), ...minutes(100, 50)]);
  expect(kinds[100]).toBe('out-of-order');
  expect(kinds.filter((kind) => kind !== '')).toHaveLength(1);
});

test('an older source time is out of order even if the record is newer', () => {
  const kinds = kindsOf([reading(0, 1, 0), reading(1, 2, 1), reading(2, 3, 0), reading(3, 4, 2)]);
  expect(kinds).toEqual(['', '', 'out-of-order', '']);
});

test('a clock that was set back is told a few times, then believed', () => {
  const kinds = kindsOf([...minutes(0, 100), ...minutes(40, 60)]);
  expect(kinds.slice(100, 103)).toEqual(['out-of-order', 'out-of-order', 'out-of-order']);
  expect(kinds.slice(103).filter((kind) => kind.includes('order'))).toEqual([]);
  expect(orderRule.consequence).toBe('no-measurement');
});
