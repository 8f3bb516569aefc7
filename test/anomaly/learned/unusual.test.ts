import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../src/anomaly/detection/finding.ts';
import { noHints, type SeriesHints } from '../../../src/anomaly/detection/reading.ts';
import { newSeriesState } from '../../../src/anomaly/detection/series-state.ts';
import { learnedScore, unusual } from '../../../src/anomaly/learned/unusual.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { DAY_MS, daily, deviate, MINUTE_MS, type Row, rowsOf, series } from './synthetic.ts';

const AT = { doubles: 0, floats: 0 };
const STEP_MS = 10 * MINUTE_MS;
const ROWS_PER_WEEK = (7 * DAY_MS) / STEP_MS;

function found(
  rows: readonly Row[],
  hints: SeriesHints = noHints,
  state = newSeriesState(unusual.size),
): (readonly Finding[])[] {
  return rows.map((row) => unusual.observe(state, AT, { ...row, sourceTimeMs: null }, hints));
}

/** How often something was found that was not found at the reading before. */
const raises = (findings: readonly (readonly Finding[])[]): number =>
  findings.filter((now, index) => now.length > 0 && (findings[index - 1] ?? []).length === 0).length;

const stepUp = (rows: readonly Row[], from: number, to: number, by: number): Row[] =>
  rows.map((row, index) => (index >= from && index < to ? { ...row, value: row.value + by } : row));

describe('a fault in a series with a daily course', () => {
  const from = 3 * ROWS_PER_WEEK;
  const findings = found(stepUp(daily(4 * ROWS_PER_WEEK, STEP_MS, 1), from, from + 40, 12));
  const [first] = findings[from] ?? [];

  test('is found at its first reading, with what was expected, how rare it is, and why', () => {
    expect(findings.slice(0, from).flat()).toEqual([]);
    expect(first).toMatchObject({ kind: 'unusual', isWarmingUp: false, rarity: 'the largest in 21 days' });
    expect(first?.score).toBeGreaterThan(0.5);
    expect(first?.severity).toBeGreaterThan(500);
    expect(first?.severity).toBeLessThanOrEqual(1000);
    expect(first?.expected?.value).toBeCloseTo(20, 0);
    expect(first?.expected?.low).toBeGreaterThan(16);
    expect(first?.expected?.high).toBeLessThan(24);
    expect(first?.words.length).toBe(2);
  });

  test('stays found for some readings, and ends', () => {
    expect(findings.slice(from, from + 8).every(({ length }) => length === 1)).toBe(true);
    expect(findings.slice(from + 200).flat()).toEqual([]);
  });
});

test('what is unusual holds until the evidence, fading by a tenth a reading, is half the threshold', () => {
  const from = 3 * ROWS_PER_WEEK;
  const findings = found(stepUp(daily(from + 200, STEP_MS, 9), from, from + 1, 4));
  const { score = 0 } = findings[from]?.[0] ?? {};
  const evidence = score / (1 - score);
  const readings = 1 + Math.floor(Math.log(evidence / 0.3) / -Math.log(0.9));
  expect(readings).toBeGreaterThan(5);
  expect(findings.flatMap(({ length }, index) => (length > 0 ? [index - from] : []))).toEqual([
    ...Array(readings).keys(),
  ]);
});

describe('a healthy series', () => {
  const random = new SimRandom(2);
  let level = 0;
  const kinds: Readonly<Record<string, readonly Row[]>> = {
    'of noise': rowsOf(8 * ROWS_PER_WEEK, STEP_MS, () => deviate(random)),
    'with a heavy tail': rowsOf(8 * ROWS_PER_WEEK, STEP_MS, () => Math.exp(1.5 * deviate(random))),
    'with a daily course': daily(8 * ROWS_PER_WEEK, STEP_MS, 3),
    'that walks': rowsOf(8 * ROWS_PER_WEEK, STEP_MS, () => (level += deviate(random))),
  };

  test.each(Object.entries(kinds))('%s gives at most an alert a week', (_, rows) => {
    expect(raises(found(rows))).toBeLessThanOrEqual(8);
  });

  test('gives more at high sensitivity, and fewer at low', () => {
    const count = (sensitivity: SeriesHints['sensitivity']) =>
      raises(found(kinds['with a heavy tail'] ?? [], { ...noHints, sensitivity }));
    expect(count('high')).toBeGreaterThan(count('normal'));
    expect(count('low')).toBeLessThanOrEqual(count('normal'));
    expect(count('low')).toBeLessThanOrEqual(3);
  });

  test('gives the same empty array at each reading', () => {
    const arrays = new Set(found(daily(100, STEP_MS, 4)));
    expect(arrays.size).toBe(1);
  });
});

describe('while a series warms up', () => {
  test('nothing is unusual, whatever it does', () => {
    const random = new SimRandom(5);
    const wild = rowsOf(287, STEP_MS, () => Math.exp(5 * deviate(random)));
    expect(found(wild).flat()).toEqual([]);
    const fast = rowsOf(10_000, 1000, () => Math.exp(5 * deviate(random)));
    expect(found(fast).flat()).toEqual([]);
  });

  test('and in its first week a finding says so', () => {
    const findings = found(stepUp(daily(ROWS_PER_WEEK, STEP_MS, 6), 800, 900, 15));
    expect(findings.flat().length).toBeGreaterThan(0);
    expect(findings.flat().every(({ isWarmingUp }) => isWarmingUp)).toBe(true);
  });
});

describe('the state', () => {
  const rows = stepUp(daily(1500, STEP_MS, 7), 1200, 1250, 15);

  test('takes at most 6 KiB', () => {
    expect(unusual.size.doubles * 8 + unusual.size.floats * 4).toBeLessThanOrEqual(6 * 1024);
  });

  test('gives the same findings if it is saved and restored at any reading', () => {
    const findings = found(rows);
    expect(findings.flat().length).toBeGreaterThan(0);
    let state = newSeriesState(unusual.size);
    const again = rows.map((row) => {
      const restored = newSeriesState(unusual.size);
      restored.bytes.set(state.bytes);
      state = restored;
      return unusual.observe(state, AT, { ...row, sourceTimeMs: null }, noHints);
    });
    expect(again).toEqual(findings);
  });

  test('begins anew by a reset, and touches no other numbers', () => {
    const findings = found(rows);
    const at = { doubles: 4, floats: 3 };
    const state = newSeriesState({
      doubles: at.doubles + unusual.size.doubles + 1,
      floats: at.floats + unusual.size.floats + 1,
    });
    state.bytes.fill(0x41);
    unusual.reset(state, at);
    const again = rows.map((row) => unusual.observe(state, at, { ...row, sourceTimeMs: null }, noHints));
    expect(again).toEqual(findings);
    expect([...state.bytes.subarray(0, 32), ...state.bytes.subarray(-4)].every((byte) => byte === 0x41)).toBe(
      true,
    );
  });

  test('does not change by what is no number', () => {
    const state = newSeriesState(unusual.size);
    found(rows, noHints, state);
    const before = state.bytes.slice();
    expect(
      found(
        [Number.NaN, Infinity, -Infinity].map((value) => ({ timeMs: 0, value })),
        noHints,
        state,
      ).flat(),
    ).toEqual([]);
    expect(learnedScore(state, AT, 0, Number.NaN)).toBe(0);
    expect(state.bytes).toEqual(before);
  });
});

test.each(Object.entries(series))('findings of a series that is %s are fit to be told', (_, rows) => {
  const longer = [
    ...rows,
    ...rows.map((row) => ({ ...row, timeMs: row.timeMs + 3 * DAY_MS, value: -row.value })),
  ];
  for (const { severity, score, expected, words, rarity } of found(longer, {
    ...noHints,
    sensitivity: 'high',
  }).flat()) {
    expect(severity).toBeGreaterThanOrEqual(1);
    expect(severity).toBeLessThanOrEqual(1000);
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThanOrEqual(1);
    expect([expected?.value, expected?.low, expected?.high].every(Number.isFinite)).toBe(true);
    expect(new Set(words).size).toBe(words.length);
    expect(Buffer.byteLength(rarity ?? '')).toBeLessThanOrEqual(40);
  }
});

test('the score for comparisons is that of the mixture, reading by reading', () => {
  const rows = stepUp(daily(800, STEP_MS, 8), 700, 800, 12);
  const state = newSeriesState(unusual.size);
  const scores = rows.map(({ timeMs, value }) => learnedScore(state, AT, timeMs, value));
  expect(scores.indexOf(Math.max(...scores.slice(300)))).toBe(700);
});
