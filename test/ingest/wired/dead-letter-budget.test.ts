import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { DeadLetterBudget } from '../../../src/ingest/wired/dead-letter-budget.ts';

const hourMs = limits.deadLetterHourMs;
const hourly = { lettersMax: 10, bytesMax: 1_000 };

test('an hour begins with its first dead letter, and after it as many are kept again', () => {
  const budget = new DeadLetterBudget(hourly);
  const take = (nowMs: number): boolean => budget.take('not-json', 1, nowMs - 10, nowMs);
  for (let count = 0; count < hourly.lettersMax; count += 1) expect(take(1_000)).toBe(true);
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

test('of long dead letters fewer are kept', () => {
  const budget = new DeadLetterBudget(hourly);
  let kept = 0;
  while (budget.take('frame-too-long', 300, 0, 0)) kept += 1;
  expect(kept).toBe(3);
  expect(budget.take('not-json', 0, 0, 0)).toBe(true);
});
