import { expect, test } from 'vitest';
import type { AlertSubject } from '../../../src/anomaly/alerts/alert.ts';
import { AlertBook, type AlertsToCommit } from '../../../src/anomaly/alerts/alert-book.ts';
import { SilenceTree } from '../../../src/anomaly/alerts/silence-tree.ts';
import { limits } from '../../../src/core/limits.ts';
import { findingOf, hall, readingAt } from './alert-examples.ts';

const empty = () => AlertBook.restored(new Map()).book;

/** Verdict records as one reads them. */
const told = ({ verdicts }: AlertsToCommit) =>
  verdicts.map(({ key, value }) => {
    const { event, kind, heldBack } = JSON.parse(`${value}`);
    return `${event} ${key} ${kind ?? heldBack}`;
  });

const seriesNumber = (index: number): AlertSubject => ({ series: `air:${index}`, partition: 0, unit: null });

test('a verdict record says all there is to say, for programs and for people', () => {
  const book = empty();
  book.observe(hall, readingAt(4, 9000), [findingOf('out-of-range', { rarity: 'never seen before' })]);
  const { verdicts, memos } = book.take();
  const [verdict] = verdicts;
  expect(`${verdict?.key}`).toBe('air:hall:co2');
  expect(verdict?.timestampMs).toBe(readingAt(4).timeMs);
  expect(JSON.parse(`${verdict?.value}`)).toEqual({
    event: 'raised',
    timeMs: 1_040_000,
    id: expect.stringMatching(/^[0-9a-f]{16}$/),
    series: 'air:hall:co2',
    topic: 'air',
    partition: 3,
    unit: 'ppm',
    kind: 'out-of-range',
    model: null,
    firstOffset: 4,
    state: 'active',
    severity: 600,
    score: 1,
    value: 9000,
    expected: { value: 500, low: 380, high: 2000 },
    rarity: 'never seen before',
    words: ['above its maximum'],
    isWarmingUp: false,
    startedMs: 1_040_000,
    detectedMs: 1_040_000,
    clearedMs: null,
    suppressed: 0,
    acknowledgedMs: null,
    acknowledgedBy: null,
    shelvedUntilMs: null,
    message: 'air:hall:co2 is out of range: 9000 ppm, expected 380 to 2000 (above its maximum)',
  });
  expect([...memos.keys()]).toEqual([expect.stringMatching(/^alert\/[0-9a-f]{16}$/)]);
});

test('a series is quiet until something is found, and again when all is cleared', () => {
  const book = empty();
  expect(book.isQuiet(hall)).toBe(true);
  book.observe(hall, readingAt(1), []);
  expect(book.take()).toEqual({ verdicts: [], memos: new Map(), raised: [] });
  book.observe(hall, readingAt(2), [findingOf('spike')]);
  expect(book.isQuiet(hall)).toBe(false);
  for (let offset = 3; offset < 10; offset += 1) book.observe(hall, readingAt(offset), []);
  expect(book.isQuiet(hall)).toBe(true);
  const committed = book.take();
  expect(told(committed)).toEqual(['raised air:hall:co2 spike', 'cleared air:hall:co2 spike']);
  expect([...committed.memos.values()]).toEqual([new Uint8Array()]);
});

test('kinds, and external models, live beside each other on one series', () => {
  const book = empty();
  book.observe(hall, readingAt(1), [findingOf('spike'), findingOf('unusual')]);
  book.observe(hall, readingAt(1), [findingOf('model')], 'ours');
  book.observe(hall, readingAt(1), [findingOf('model')], 'theirs');
  // What a model does not find says nothing about what our detectors do.
  for (let offset = 2; offset < 12; offset += 1) book.observe(hall, readingAt(offset), [], 'ours');
  expect(book.alerts().map(({ kind, model, state }) => [kind, model, state])).toEqual(
    expect.arrayContaining([
      ['spike', null, 'active'],
      ['unusual', null, 'active'],
      ['model', 'theirs', 'active'],
    ]),
  );
  expect(book.alerts()).toHaveLength(3);
});

test('an external model ends its alert by saying so once', () => {
  const book = empty();
  book.observe(hall, readingAt(1), [findingOf('model')], 'ours');
  book.observe(hall, readingAt(2), [], 'ours');
  expect(told(book.take())).toEqual(['raised air:hall:co2 model', 'cleared air:hall:co2 model']);
});

test('a counter that begins anew is noted, and is no alert', () => {
  const book = empty();
  book.observe(hall, readingAt(1), [findingOf('counter-reset')]);
  expect(told(book.take())).toEqual(['noted air:hall:co2 counter-reset']);
  expect(book.alerts()).toEqual([]);
});

test('people acknowledge and shelve by the id, and unknown ones are refused', () => {
  const book = empty();
  book.observe(hall, readingAt(1), [findingOf('spike')]);
  book.observe(seriesNumber(1), readingAt(1), [findingOf('drift')]);
  const [{ id } = expect.fail(), pending] = book.alerts();
  expect(book.acknowledge(id, 'anna', 5)).toMatchObject({ acknowledgedBy: 'anna', acknowledgedMs: 5 });
  expect(book.unshelve(id, 6)).toBeNull();
  expect(book.shelve(id, 9, 7)).toMatchObject({ shelvedUntilMs: 9 });
  expect(book.unshelve(id, 8)).toMatchObject({ shelvedUntilMs: null, acknowledgedBy: 'anna' });
  expect(pending?.state).toBe('pending');
  expect(book.acknowledge(pending?.id ?? '', 'anna', 5)).toBeNull();
  expect(book.shelve(pending?.id ?? '', 9, 5)).toBeNull();
  expect(book.acknowledge('nonsense', 'anna', 5)).toBeNull();
  expect(told(book.take()).map((line) => line.split(' ')[0])).toEqual([
    'raised',
    'acknowledged',
    'shelved',
    'unshelved',
  ]);
});

test('a flood is told once, counted, and told to be over with the count', () => {
  const book = empty();
  const count = limits.openAlertsMax + 25;
  for (let index = 0; index < count; index += 1) {
    book.observe(seriesNumber(index), readingAt(index), [findingOf('sentinel')]);
  }
  const lines = told(book.take());
  expect(lines.filter((line) => line.startsWith('raised'))).toHaveLength(limits.openAlertsMax);
  expect(lines.filter((line) => line.startsWith('flood'))).toEqual(['flood-began * 1']);
  expect(book.heldBack).toBe(25);
  book.tick(readingAt(count).timeMs, new SilenceTree());
  expect(book.heldBack).toBe(25);
  for (let index = 0; index < 30; index += 1) book.forget(`air:${index}`, 9e9);
  book.tick(9e9, new SilenceTree());
  expect(told(book.take()).at(-1)).toBe('flood-ended * 25');
  expect(book.heldBack).toBe(0);
});

test('what waits for readings that never come gives way to what is found later', () => {
  const book = empty();
  for (let index = 0; index < limits.pendingAlertsMax; index += 1)
    book.observe(seriesNumber(index), { timeMs: 1000 + index, value: 1, offset: 1 }, [
      findingOf('duplicate'),
    ]);
  for (let index = 0; index < 5; index += 1) {
    const timeMs = 1000 + limits.pendingAlertMs + index * limits.alertOnDelayMs;
    book.observe(hall, { timeMs, value: 1, offset: index }, [findingOf('drift')]);
  }
  expect(told(book.take())).toEqual(['raised air:hall:co2 drift']);
  expect(book.heldBack).toBe(0);
});

test('what waits for its delay does not take the room of what is raised at once, nor the other way round', () => {
  const book = empty();
  for (let index = 0; index < limits.pendingAlertsMax + 1; index += 1) {
    book.observe(seriesNumber(index), readingAt(index), [findingOf('drift')]);
  }
  expect(book.heldBack).toBe(1);
  expect(told(book.take())).toEqual(['flood-began * 1']);
  for (let index = 0; index < limits.openAlertsMax; index += 1) {
    book.observe(seriesNumber(index), readingAt(index), [findingOf('drift'), findingOf('spike')]);
  }
  expect(book.alerts().filter(({ kind }) => kind === 'spike')).toHaveLength(limits.openAlertsMax);
  const before = book.heldBack;
  const last = readingAt(1_000_000);
  book.observe(seriesNumber(0), last, [findingOf('drift'), findingOf('spike')]);
  // It would have been raised now.
  expect(book.heldBack).toBe(before + 1);
  expect(book.alerts().find(({ series, kind }) => series === 'air:0' && kind === 'drift')).toBeUndefined();
});

test('memos that cannot be read are told and forgotten, and those of others are left alone', () => {
  const { book, problems } = AlertBook.restored(
    new Map([
      ['alert/0123', Uint8Array.of(1, 2, 3)],
      ['mirror/copy', Uint8Array.of(9)],
    ]),
  );
  expect(problems).toEqual([expect.stringContaining('alert/0123 cannot be read and is forgotten')]);
  expect(book.take().memos).toEqual(new Map([['alert/0123', new Uint8Array()]]));
});

/** A device with two fields, and another one, all missed after 10 s. */
function site() {
  const tree = new SilenceTree();
  const add = (key: string, path: string | null) =>
    tree.add(
      { series: [key, path].filter(Boolean).join(':'), partition: 0, unit: null },
      { topic: 'air', key, path },
      0,
      1,
    );
  const all = [add('roof', 'rain'), add('roof', 'wind'), add('hall', null)];
  const [rain = expect.fail(), wind = expect.fail(), inside = expect.fail()] = all;
  return {
    tree,
    rain,
    wind,
    inside,
    judge: (nowMs: number) => {
      for (const series of all) tree.judge(series, nowMs, 10_000);
    },
  };
}

test('a silent device is one alert, its fields come back with what it recovers of', () => {
  const book = empty();
  const { tree, rain, wind, inside, judge } = site();
  const at = (nowMs: number) => {
    judge(nowMs);
    book.tick(nowMs, tree);
    return told(book.take());
  };
  tree.heard(inside, 100_000, 2);
  tree.heard(wind, 7000, 2);
  expect(at(11_000)).toEqual(['raised roof:rain silence']);
  expect(at(18_000)).toEqual(['suppressed roof:rain silence', 'raised air:roof:* silence']);
  expect(at(19_000)).toEqual([]);
  // One field is back: the other one has as long as it is given anyway.
  tree.heard(wind, 20_000, 3);
  expect(at(20_000)).toEqual([]);
  expect(at(29_000)).toEqual([]);
  tree.heard(wind, 30_000, 4);
  expect(at(30_000)).toEqual(['cleared air:roof:* silence', 'raised roof:rain silence']);
  tree.heard(rain, 31_000, 2);
  expect(at(31_000)).toEqual(['cleared roof:rain silence']);
});

test('a device that is lost again while it recovers is the same alert', () => {
  const book = empty();
  const { tree, wind, inside, judge } = site();
  const at = (nowMs: number) => {
    judge(nowMs);
    book.tick(nowMs, tree);
    return told(book.take());
  };
  tree.heard(inside, 100_000, 2);
  expect(at(11_000)).toEqual(['raised air:roof:* silence']);
  tree.heard(wind, 12_000, 3);
  expect(at(12_000)).toEqual([]);
  expect(book.alerts().map(({ state }) => state)).toEqual(['clearing']);
  wind.lastHeardMs = 0;
  expect(at(13_000)).toEqual([]);
  expect(book.alerts()).toMatchObject([{ state: 'active', suppressed: 3 }]);
});

test('a reading ends the silence of its series without waiting for a tick', () => {
  const book = empty();
  const { tree, inside, rain, judge } = site();
  tree.heard(inside, 100_000, 2);
  tree.heard(rain, 100_000, 2);
  judge(11_000);
  book.tick(11_000, tree);
  book.observe(
    { series: 'roof:wind', partition: 0, unit: null },
    { timeMs: 12_000, value: 1, offset: 1 },
    [],
  );
  expect(told(book.take())).toEqual(['raised roof:wind silence', 'cleared roof:wind silence']);
});

/** Forty devices behind a port, each heard once a minute, at its own second; and one elsewhere. What is told of them. */
function lostPort(lostMs: number, backMs: number, endMs: number): readonly string[] {
  const book = empty();
  const tree = new SilenceTree();
  const [elsewhere = expect.fail(), ...behind] = Array.from({ length: 41 }, (_, index) => {
    const [topic, key] = index === 0 ? ['other', 'a'] : ['port', `device${index}`];
    return tree.add(
      { series: `${topic}:${key}`, partition: 0, unit: null },
      { topic, key, path: null },
      0,
      1,
    );
  });
  const lines: string[] = [];
  for (let nowMs = 0; nowMs <= endMs; nowMs += 1000) {
    tree.heard(elsewhere, nowMs, 1);
    for (const [index, series] of behind.entries()) {
      if (nowMs % 60_000 !== index * 1500 - (index % 2) * 500 || (nowMs >= lostMs && nowMs < backMs))
        continue;
      tree.heard(series, nowMs, 1);
      const reading = { timeMs: nowMs, value: 1, offset: 1 };
      book.observe(series.subject, reading, [findingOf('silence')].slice(0, Number(nowMs >= backMs)));
    }
    if (nowMs % 5000 !== 0) continue;
    for (const series of [elsewhere, ...behind]) tree.judge(series, nowMs, 240_000);
    book.tick(nowMs, tree);
    for (const line of told(book.take())) lines.push(`${nowMs / 1000} ${line}`);
  }
  return lines;
}

test('a lost port is one alert, although its devices are missed one after the other, and return so', () => {
  expect(lostPort(600_000, 3_600_000, 4_200_000)).toEqual([
    '840 raised port:* silence',
    '3660 cleared port:* silence',
  ]);
});

test('that a pause is over is no silence', () => {
  const book = empty();
  book.observe(hall, readingAt(1), [findingOf('silence')]);
  expect(told(book.take())).toEqual([]);
  expect(book.isQuiet(hall)).toBe(true);
});
