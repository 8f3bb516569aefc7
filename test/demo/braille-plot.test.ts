import { expect, test } from 'vitest';
import { braillePlot, columnOf } from '../../demo/braille-plot.ts';

const area = { fromMs: 0, toMs: 7, low: 0, high: 7, columns: 4, rows: 2 };
const rising = Array.from({ length: 8 }, (_, index) => ({ timeMs: index, value: index }));

test('a plot has a dot for each reading, time to the right and values upwards', () => {
  expect(braillePlot(rising, area)).toEqual(['⠀⠀⡠⠊', '⡠⠊⠀⠀']);
});

test('a step is drawn as a line, and what falls together as all between the lowest and the highest', () => {
  expect(
    braillePlot(
      [
        { timeMs: 0, value: 0 },
        { timeMs: 1, value: 7 },
      ],
      area,
    )[0]?.[0],
  ).toBe('⢸');
  const together = [3, 0, 7].map((value) => ({ timeMs: 0, value }));
  expect(braillePlot(together, area).map((row) => row[0])).toEqual(['⡇', '⡇']);
});

test('what was not replayed yet is empty', () => {
  expect(braillePlot([], area)).toEqual(['⠀⠀⠀⠀', '⠀⠀⠀⠀']);
});

test('a moment has the column of its readings, and none outside the plot', () => {
  expect([0, 3, 7, 99, -1].map((timeMs) => columnOf(timeMs, area))).toEqual([0, 1, 3, 3, 0]);
});
