import { describe, expect, test } from 'vitest';
import { newSeriesState } from '../../../src/anomaly/detection/series-state.ts';
import { type SeriesRule, SeriesSettingsBook } from '../../../src/anomaly/series/series-settings.ts';
import { type Series, SeriesTable } from '../../../src/anomaly/series/series-table.ts';
import { noMetrics } from '../../../src/core/metrics.ts';

const tableOf = (
  seriesMax: number,
  rules: readonly SeriesRule[] = [],
  onRemoved: (series: Series) => void = () => {},
): SeriesTable =>
  new SeriesTable({
    seriesMax,
    settings: new SeriesSettingsBook(rules),
    newState: () => newSeriesState({ doubles: 1, floats: 2 }),
    onRemoved,
    metrics: noMetrics,
  });

const names = (table: SeriesTable): string[] => [...table].map(({ subject }) => subject.series);

describe('the table of series', () => {
  test('makes a series when it is first used, and finds it again', () => {
    const table = tableOf(10);
    const readings = table.of('readings', 0);
    const first = table.use(readings, 'sensors/kitchen', 'temperature', 5);
    expect(first).toMatchObject({
      subject: { series: 'readings:sensors/kitchen:temperature', partition: 0, unit: null },
      heardMs: 5,
      hasReturned: false,
    });
    expect(table.use(table.of('readings', 0), 'sensors/kitchen', 'temperature', 7)).toBe(first);
    expect(first).toMatchObject({ heardMs: 7, hasReturned: true });
    expect(table.use(table.of('readings', 1), 'sensors/kitchen', 'temperature', 7)).not.toBe(first);
    expect(table.use(readings, 'sensors/kitchen', '', 7)?.subject.series).toBe('readings:sensors/kitchen');
    expect(table.size).toBe(3);
  });

  test('keeps those that were used last when there are too many', () => {
    const removed: string[] = [];
    const table = tableOf(3, [], ({ subject }) => void removed.push(subject.series));
    const place = table.of('readings', 0);
    for (const key of ['a', 'b', 'c']) for (let use = 0; use < 2; use += 1) table.use(place, key, '', 0);
    table.use(place, 'a', '', 0);
    table.use(place, 'd', '', 0);
    expect(names(table).sort()).toEqual(['readings:a', 'readings:c', 'readings:d']);
    expect(removed).toEqual(['readings:b']);
    expect(table.evicted).toBe(1);
    expect(table.size).toBe(3);
  });

  test('is not emptied by names that come only once', () => {
    const table = tableOf(100);
    const place = table.of('readings', 0);
    for (let round = 0; round < 2; round += 1)
      for (let key = 0; key < 50; key += 1) table.use(place, `steady/${key}`, '', 0);
    for (let key = 0; key < 10_000; key += 1) table.use(place, `once/${key}`, '', 0);
    expect(names(table).filter((name) => name.includes('steady'))).toHaveLength(50);
    expect(table.size).toBeLessThanOrEqual(100);
  });

  test('has none that the configuration turns off, and gives others what it says of them', () => {
    const table = tableOf(10, [
      { match: 'readings:*:battery', hints: {}, detect: 'off' },
      { match: 'readings:sensors/*', hints: { min: -40, max: 85 }, unit: '°C', detect: 'faults' },
    ]);
    const place = table.of('readings', 0);
    expect(table.use(place, 'sensors/a', 'battery', 0)).toBeNull();
    expect(table.use(place, 'sensors/a', 'temperature', 0)?.settings).toEqual({
      hints: { min: -40, max: 85, intervalMs: null, sensitivity: 'normal' },
      unit: '°C',
      detect: 'faults',
    });
    expect(table.use(place, 'other', '', 0)?.settings).toMatchObject({ unit: null, detect: 'all' });
    expect(table.size).toBe(2);
  });

  test('forgets the series of a partition that is gone, and no others', () => {
    const table = tableOf(10);
    for (const topic of ['gone', 'here']) table.use(table.of(topic, 0), 'a', '', 0);
    table.remove(table.of('gone', 0));
    expect(names(table)).toEqual(['here:a']);
    expect(table.size).toBe(1);
  });
});

test('the order of the names stays right when series come and go', () => {
  const table = tableOf(3);
  const place = table.of('readings', 0);
  const sorted = (): string[] => table.byName().map(({ subject }) => subject.series);
  for (const key of ['c', 'a']) table.use(place, key, '', 0);
  expect(sorted()).toEqual(['readings:a', 'readings:c']);
  expect(table.byName()).toBe(table.byName());
  table.use(place, 'b', '', 0);
  expect(sorted()).toEqual(['readings:a', 'readings:b', 'readings:c']);
  table.use(place, 'd', '', 0);
  expect(sorted()).toEqual(['readings:a', 'readings:b', 'readings:d']);
  table.remove(place);
  expect(sorted()).toEqual([]);
});

describe('other settings', () => {
  test('count for series that are known and for new ones, whose states stay', () => {
    const removed: string[] = [];
    const table = tableOf(10, [{ match: '*:a', hints: { max: 1 }, unit: 'V' }], ({ subject }) => {
      removed.push(subject.series);
    });
    const place = table.of('t', 0);
    const known = table.use(place, 'a', '', 0);
    const other = table.use(place, 'b', '', 0);
    const state = known?.state;
    table.useSettings(new SeriesSettingsBook([{ match: '*:a', hints: { max: 5 }, unit: 'A' }]));
    expect(known).toMatchObject({ settings: { hints: { max: 5 } }, subject: { series: 't:a', unit: 'A' } });
    expect(known?.state).toBe(state);
    expect(other).toMatchObject({ settings: { hints: { max: null } } });
    expect(removed).toEqual([]);
  });

  test('have series forgotten that nobody is to look at, and looked at again later', () => {
    const removed: string[] = [];
    const table = tableOf(10, [], ({ subject }) => void removed.push(subject.series));
    const place = table.of('t', 0);
    table.use(place, 'a', '', 0);
    table.use(place, 'b', '', 0);
    table.useSettings(new SeriesSettingsBook([{ match: '*:a', hints: {}, detect: 'off' }]));
    expect({ names: names(table), size: table.size, removed }).toEqual({
      names: ['t:b'],
      size: 1,
      removed: ['t:a'],
    });
    expect(table.use(place, 'a', '', 0)).toBeNull();
    table.useSettings(new SeriesSettingsBook([]));
    expect(table.use(place, 'a', '', 0)).not.toBeNull();
  });
});
