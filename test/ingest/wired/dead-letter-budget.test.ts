import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { DeadLetterBudget } from '../../../src/ingest/wired/dead-letter-budget.ts';

const {
  serialDeadLetterHourMs: hourMs,
  serialDeadLettersPerHourMax,
  serialDeadLetterBytesPerHourMax,
} = limits;

test('an hour begins with its first bad frame, and after it as many are kept again', () => {
  const budget = new DeadLetterBudget();
  const take = (nowMs: number): boolean => budget.take('not-json', 1, nowMs - 10, nowMs);
  for (let count = 0; count < serialDeadLettersPerHourMax; count += 1) expect(take(1_000)).toBe(true);
  expect(budget.endsMs).toBe(1_000 + hourMs);
  expect(take(2_000)).toBe(false);
  expect(budget.take('not-utf-8', 1, 3_000, 3_000)).toBe(false);
  expect(take(999 + hourMs)).toBe(false);
  expect(take(1_000 + hourMs)).toBe(true);
  expect(budget.takeLeftOut()).toEqual({
    counts: { 'not-json': 2, 'not-utf-8': 1 },
    firstMs: 1_990,
    lastMs: 989 + hourMs,
  });
  expect(budget.takeLeftOut()).toBeNull();
});

test('long bad frames are fewer', () => {
  const budget = new DeadLetterBudget();
  const bytes = limits.serialFrameBytesMax;
  let kept = 0;
  while (budget.take('frame-too-long', bytes, 0, 0)) kept += 1;
  expect(kept * bytes).toBeLessThanOrEqual(serialDeadLetterBytesPerHourMax);
  expect(kept).toBe(Math.floor(serialDeadLetterBytesPerHourMax / bytes));
  expect(budget.take('not-json', 0, 0, 0)).toBe(true);
});
