import { describe, expect, test } from 'vitest';
import { labelledMoments, readRecording } from '../../demo/recording.ts';
import { plottedSeries, screen, screenMin } from '../../demo/screen.ts';
import { lineText } from '../../demo/styled-text.ts';
import type { View } from '../../demo/view.ts';
import { alertAt } from './alert-examples.ts';

const recording = await readRecording();

const view: View = {
  mqtt: '127.0.0.1:4711',
  dataDir: 'folder/data',
  recording,
  replayed: recording.length,
  messagesPerSecond: 1234,
  linesPerSecond: 9,
  stored: { readings: 5000, commits: 70, payloadBytes: 450_000, waiting: 1, series: 5 },
  raised: [
    alertAt('2014-02-07T20:35Z', plottedSeries, 'drift'),
    alertAt('2014-02-10T10:00Z', 'other', 'stuck'),
  ],
  labelled: labelledMoments,
};

const shown = (part: Partial<View>, columns = 100, rows = 40): readonly string[] =>
  screen({ ...view, ...part }, columns, rows).map((line) => lineText(line, columns, false));

/** Where something stands in a line, counted in characters. */
const placesOf = (mark: string, line = ''): readonly number[] =>
  [...line].flatMap((character, column) => (character === mark ? [column] : []));

test('it says what arrives, what is stored, what was judged, and how far the replay is', () => {
  const half = shown({ replayed: recording.length / 2 + 0.5 }).join('\n');
  for (const text of [
    '1,234 MQTT messages/s',
    '9 lines/s',
    '5,000 readings in 70 synced commits',
    '450 kB',
    '4,999 readings of 5 series',
    '50 %',
  ])
    expect(half).toContain(text);
});

test('an alert about the recorded series is marked below the plot, one about another is not', () => {
  const marks = shown({}).filter((line) => /^ +▲/.test(line));
  expect(marks.map((line) => placesOf('▲', line))).toEqual([[85]]);
});

test('labelled moments are marked above the plot', () => {
  const [marks] = shown({}).filter((line) => /^ +▼/.test(line));
  expect(placesOf('▼', marks)).toEqual([15, 22, 72, 85]);
});

test('the newest alert stands first; without one it says so', () => {
  const lines = shown({});
  const first = lines.findIndex((line) => line.startsWith('2014-02-10 10:00  other stuck'));
  expect(lines[first + 1]).toContain('2014-02-07 20:35');
  expect(shown({ raised: [] }).at(-1)).toBe('no alerts yet');
});

describe.each([
  [screenMin.columns, screenMin.rows],
  [80, 24],
  [300, 100],
])('on %i columns and %i rows', (columns, rows) => {
  test('it fits, with plot and alerts', () => {
    const many = Array.from({ length: 200 }, () => alertAt('2014-01-01T00:00Z', plottedSeries, 'drift'));
    const lines = shown({ raised: many }, columns, rows);
    expect(lines.length).toBeLessThanOrEqual(rows);
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(columns);
    expect(lines.filter((line) => line.includes('│')).length).toBeGreaterThanOrEqual(6);
    expect(lines.at(-1)).toContain(`2014-01-01 00:00  ${plottedSeries}`);
  });
});

test('before the first reading it is there as well', () => {
  expect(shown({ replayed: 0, raised: [], labelled: [] }).join('\n')).toContain('0 %');
});
