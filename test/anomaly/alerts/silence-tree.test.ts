import { expect, test } from 'vitest';
import { parentName, seriesName, topicOf } from '../../../src/anomaly/alerts/series-name.ts';
import { newSilences, silenceEvent } from '../../../src/anomaly/alerts/silence-changes.ts';
import { isSilentWhole, ofSeries, SilenceTree } from '../../../src/anomaly/alerts/silence-tree.ts';
import { limits } from '../../../src/core/limits.ts';

/** A tree of series, each missed after 10 s, and heard last at 1 s. */
function treeOf(...names: readonly string[]): SilenceTree {
  const tree = new SilenceTree();
  for (const name of names) {
    const [topic = '', key = '', path = null] = name.split(':');
    tree.add({ series: name, partition: 0, unit: null }, { topic, key, path }, 1000, 5);
  }
  return tree;
}

/** Judges all series named at a time, and says which silences there are to tell. */
function silencesAt(
  tree: SilenceTree,
  nowMs: number,
  names: readonly string[],
  open: readonly string[] = [],
) {
  for (const name of names) {
    const series = tree.series(name);
    if (series !== undefined) tree.judge(series, nowMs, 10_000);
  }
  const { silences, suppressed } = newSilences(tree, (series) => open.includes(series), nowMs);
  return { told: silences.map(({ subject }) => subject.series), suppressed };
}

const weather = ['air:roof:rain', 'air:roof:wind', 'air:hall', 'power:meter:kW'];

test('a silent series is told by itself while others are heard', () => {
  const tree = treeOf(...weather);
  tree.heard(tree.series('air:roof:wind') ?? expect.fail(), 9000, 6);
  expect(silencesAt(tree, 12_000, ['air:roof:rain', 'air:roof:wind'])).toEqual({
    told: ['air:roof:rain'],
    suppressed: [],
  });
  const [rain] = [...tree.silent];
  expect(ofSeries(rain ?? expect.fail(), 12_000)).toMatchObject({
    reading: { timeMs: 1000, value: null, offset: 5 },
    finding: { kind: 'silence', words: ['nothing for 11 s', 'expected within 10 s'] },
    standsFor: 0,
  });
});

test('the highest group of which nothing is heard is told, and stands for those below it', () => {
  const tree = treeOf(...weather);
  const heard = (name: string, timeMs: number) => tree.heard(tree.series(name) ?? expect.fail(), timeMs, 6);
  const roof = ['air:roof:rain', 'air:roof:wind'];
  // Nobody knows yet when the others would be missed: they do not count.
  expect(silencesAt(tree, 12_000, roof).told).toEqual(['*']);
  heard('power:meter:kW', 11_000);
  expect(silencesAt(tree, 12_000, ['power:meter:kW'], ['air:roof:rain'])).toEqual({
    told: ['air:*'],
    suppressed: ['air:roof:rain'],
  });
  heard('air:hall', 11_000);
  expect(silencesAt(tree, 12_000, ['air:hall'])).toEqual({ told: ['air:roof:*'], suppressed: [] });
  heard('power:meter:kW', 30_000);
  expect(silencesAt(tree, 31_000, ['air:hall'], ['air:roof:*'])).toEqual({
    told: ['air:*'],
    suppressed: ['air:roof:*'],
  });
  expect(silencesAt(tree, 41_000, ['power:meter:kW']).told).toEqual(['*']);
});

test('what may be the silence of a whole group is waited for, as long again as a series may be silent', () => {
  const tree = treeOf('air:roof', 'air:hall');
  tree.judge(tree.series('air:hall') ?? expect.fail(), 1000, 60_000);
  expect(silencesAt(tree, 20_000, ['air:roof']).told).toEqual([]);
  expect(silencesAt(tree, 21_001, ['air:roof']).told).toEqual(['air:roof']);
  // That the other one is heard shows that the group is not lost.
  tree.heard(tree.series('air:hall') ?? expect.fail(), 6000, 6);
  expect(silencesAt(tree, 20_000, ['air:roof']).told).toEqual(['air:roof']);
});

test('the silence of a group begins after the reading that came last', () => {
  const tree = treeOf(...weather);
  tree.heard(tree.series('air:hall') ?? expect.fail(), 5000, 77);
  silencesAt(tree, 3_605_000, weather);
  const silence = tree.ofGroup(tree.group('*') ?? expect.fail(), 3_605_000);
  expect(silence).toMatchObject({
    subject: { series: '*', partition: null },
    reading: { timeMs: 5000, offset: 77 },
    standsFor: 4,
    finding: { severity: 800, words: ['4 series, nothing for 1 h', 'last: air:hall'] },
  });
});

test('a series that comes when it likes is not missed, and keeps no group from being told', () => {
  const tree = treeOf('air:roof:rain', 'air:roof:wind', 'air:roof:door');
  expect(silencesAt(tree, 1e9, ['air:roof:rain', 'air:roof:wind']).told).toEqual(['*']);
  const group = tree.group('air:roof:*');
  expect(group && isSilentWhole(group)).toBe(true);
  expect(group).toMatchObject({ series: 3, watched: 2, silent: 2 });
});

test('a forgotten series is not silent, and takes a group along that has no other', () => {
  const tree = treeOf(...weather);
  silencesAt(tree, 12_000, weather);
  tree.remove(tree.series('air:hall') ?? expect.fail());
  expect(tree.group('air:hall:*')).toBeUndefined();
  expect(tree.series('air:hall')).toBeUndefined();
  expect(tree.group('air:*')).toMatchObject({ series: 2, watched: 2, silent: 2 });
  expect(tree.silent.size).toBe(3);
});

test('of what has become of a silence, the tree says nothing where it knows nothing', () => {
  const life = { alert: { series: 'air:attic', state: 'active' } } as never;
  expect(silenceEvent(life, treeOf(), 0)).toBeNull();
  const gone = { alert: { series: 'air:attic:*', state: 'active' } } as never;
  expect(silenceEvent(gone, treeOf(), 9)).toEqual({ type: 'ended', nowMs: 9 });
});

test('names of series are readable, bounded, and never those of a group', () => {
  expect(seriesName({ topic: 'air', key: 'hall', path: 'co2' })).toBe('air:hall:co2');
  expect(seriesName({ topic: 'air', key: 'hall', path: null })).toBe('air:hall');
  expect(seriesName({ topic: 'air', key: '*"\n', path: '*' })).toBe('air:%2A%22%0A:%2A');
  expect([parentName('air', 'hall'), parentName('air', null), parentName(null, null)]).toEqual([
    'air:hall:*',
    'air:*',
    '*',
  ]);
  const topic = 't'.repeat(limits.topicNameLengthMax);
  const long = ['ä'.repeat(300), `${'ä'.repeat(300)}b`].map((key) => seriesName({ topic, key, path: null }));
  expect(new Set(long).size).toBe(2);
  for (const name of long) {
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(limits.seriesNameBytesMax);
    expect(topicOf(name)).toBe(topic);
  }
  expect(topicOf('*')).toBeNull();
});

test('five thousand series are judged within a tick', () => {
  const names = Array.from({ length: 5000 }, (_, index) => `air:${index >> 1}:${index & 1}`);
  const tree = treeOf('other:device:a', ...names);
  tree.judge(tree.series('other:device:a') ?? expect.fail(), 0, 1e12);
  tree.judge(tree.series('air:0:0') ?? expect.fail(), 0, 1e12);
  const startMs = performance.now();
  const { told } = silencesAt(tree, 1e6, names.slice(1));
  expect(told.length).toBe(2500);
  expect(performance.now() - startMs).toBeLessThan(2000);
});
