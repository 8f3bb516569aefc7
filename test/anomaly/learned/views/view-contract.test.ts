import { describe, expect, test } from 'vitest';
import { mixtureSize } from '../../../../src/anomaly/learned/mixture.ts';
import { views } from '../../../../src/anomaly/learned/views.ts';
import { START_MS, series, ViewRun } from '../synthetic.ts';

/** What holds for every view. A new one is in the list of views, and so it is here. */
describe.each(views.map((view) => [view.name, view] as const))('the view %s', (_, view) => {
  test.each(Object.entries(series))('gives a finite score from 0 for a series that is %s', (_name, rows) => {
    const scores = new ViewRun(view).scores(rows);
    expect(scores.every((score) => Number.isFinite(score) && score >= 0)).toBe(true);
  });

  test.each(Object.entries(series))('changes nothing by a score: %s', (_name, rows) => {
    const run = new ViewRun(view);
    const changed = rows.filter((row, index) => {
      const before = index % 20 === 0 ? run.state.bytes.slice() : null;
      run.score(row);
      const isChanged = before !== null && !before.every((byte, at) => byte === run.state.bytes[at]);
      run.learn(row);
      return isChanged;
    });
    expect(changed).toEqual([]);
  });

  test('keeps to its own numbers of the state', () => {
    const run = new ViewRun(view);
    const { doubles, floats } = run.state;
    doubles.fill(7);
    floats.fill(7);
    doubles.fill(0, run.at.doubles, run.at.doubles + view.size.doubles);
    floats.fill(0, run.at.floats, run.at.floats + view.size.floats);
    for (const rows of Object.values(series)) run.scores(rows);
    const others = [
      ...doubles.subarray(0, run.at.doubles),
      ...doubles.subarray(run.at.doubles + view.size.doubles),
      ...floats.subarray(0, run.at.floats),
      ...floats.subarray(run.at.floats + view.size.floats),
    ];
    expect(new Set(others)).toEqual(new Set([7]));
  });

  test('learns from a series what it is, and is not always silent', () => {
    const told = Object.values(series).filter((rows) =>
      new ViewRun(view).scores(rows).some((score) => score > view.usualScore),
    );
    expect(told).not.toEqual([]);
  });

  test('says what a high score means in words that fit into an alert', () => {
    const words = view.words({ timeMs: START_MS, value: 0, elapsedMs: 0, isAfterGap: false });
    expect(words).toMatch(/^[a-z]/);
    expect(Buffer.byteLength(words)).toBeLessThanOrEqual(48);
  });
});

test('all views together, and how they are calibrated, take at most 6 KiB of a state', () => {
  expect(mixtureSize.doubles * 8 + mixtureSize.floats * 4).toBeLessThanOrEqual(6 * 1024);
});
