import { describe, expect, test } from 'vitest';
import { gapsTopicName } from '../../src/core/topic-name.ts';
import { lostWith, planBudget, planRetention, type Removal } from '../../src/log/retention/retention.ts';
import {
  type Entry,
  partitionStateEntry,
  segmentEntry,
  topicSettingEntry,
} from '../../src/log/state/entries.ts';
import { LogState } from '../../src/log/state/state.ts';
import type { Forwarding, TopicSettings } from '../../src/log/types.ts';

interface Topic {
  readonly settings?: TopicSettings;
  /** Each of ten offsets and a hundred bytes; the number is its newest timestamp. */
  readonly segments: readonly number[];
}

function stateOf(topics: Readonly<Record<string, Topic>>): LogState {
  const state = new LogState();
  const apply = (entry: Entry): void => state.apply(entry, undefined, 'test');
  for (const [index, [name, { settings = {}, segments }]] of Object.entries(topics).entries()) {
    const topicNumber = index + 1;
    const id = { topicNumber, partition: 0 };
    apply(topicSettingEntry({ topicNumber, name, partitions: 1, settings }));
    const endOffset = 10 * segments.length;
    apply(partitionStateEntry({ id, logStartOffset: 0, sealedOffset: endOffset, nextOffset: endOffset + 5 }));
    for (const [at, maxTimestampMs] of segments.entries())
      apply(
        segmentEntry({ id, baseOffset: 10 * at, endOffset: 10 * at + 10, sizeBytes: 100, maxTimestampMs }),
      );
  }
  return state;
}

/** Topics that are mirrored, with the confirmed and, if it differs, the undecided offset. */
const forwardingOf = (topics: Readonly<Record<string, readonly [number, number?]>>): Forwarding => ({
  isMirrored: (topic) => topic in topics,
  confirmedOffset: (topic) => topics[topic]?.[0] ?? 0,
  undecidedOffset: (topic) => topics[topic]?.[1] ?? topics[topic]?.[0] ?? 0,
});

const shown = (removals: readonly Removal[]): Record<string, number> =>
  Object.fromEntries(removals.map(({ partition, logStartOffset }) => [partition.topic, logStartOffset]));

const nowMs = 1000;
const nobody = forwardingOf({});

describe('retention', () => {
  test('by bytes keeps at least what the topic may keep, and removes whole segments', () => {
    const of = (bytes: number): Record<string, number> =>
      shown(
        planRetention(
          stateOf({ a: { settings: { retention: { bytes } }, segments: [1, 2, 3] } }),
          nobody,
          nowMs,
        ),
      );
    expect(of(300)).toEqual({});
    expect(of(250)).toEqual({});
    expect(of(200)).toEqual({ a: 10 });
    expect(of(199)).toEqual({ a: 10 });
    expect(of(100)).toEqual({ a: 20 });
  });

  test('by age removes what is too old, and nothing before the clock is set', () => {
    const state = stateOf({ a: { settings: { retention: { ageMs: 100 } }, segments: [899, 900, 950] } });
    expect(shown(planRetention(state, nobody, nowMs))).toEqual({ a: 10 });
    expect(planRetention(state, nobody, undefined)).toEqual([]);
  });

  test('waits for the mirror, unless the topic says otherwise', () => {
    const retention = { bytes: 0 };
    const plan = (settings: TopicSettings, forwarding: Forwarding): Record<string, number> =>
      shown(planRetention(stateOf({ a: { settings, segments: [1, 2, 3] } }), forwarding, nowMs));
    expect(plan({ retention }, nobody)).toEqual({ a: 30 });
    expect(plan({ retention }, forwardingOf({ a: [0] }))).toEqual({});
    expect(plan({ retention }, forwardingOf({ a: [25] }))).toEqual({ a: 20 });
    expect(plan({ retention, dropUnforwarded: true }, forwardingOf({ a: [5] }))).toEqual({ a: 30 });
  });

  test('never removes what an undecided transaction may carry', () => {
    const settings = { retention: { bytes: 0 }, dropUnforwarded: true };
    const state = stateOf({ a: { settings, segments: [1, 2, 3] } });
    expect(shown(planRetention(state, forwardingOf({ a: [10, 12] }), nowMs))).toEqual({ a: 10 });
    expect(planBudget(state, forwardingOf({ a: [0, 1] }), 1000)).toEqual([]);
  });

  test('until-forwarded keeps what the cluster has not confirmed, to the very offset', () => {
    const state = stateOf({ a: { settings: { retention: 'until-forwarded' }, segments: [1, 2] } });
    expect(shown(planRetention(state, forwardingOf({ a: [17, 19] }), nowMs))).toEqual({ a: 17 });
    expect(planRetention(state, nobody, nowMs)).toEqual([]);
  });

  test('leaves alone what has no retention', () => {
    expect(planRetention(stateOf({ a: { segments: [1] } }), nobody, nowMs)).toEqual([]);
  });
});

describe('the disk budget', () => {
  const low = { priority: 1 };
  const high = { priority: 9 };

  test('removes what the cluster has first, of the lowest priority, then the oldest', () => {
    const state = stateOf({
      a: { settings: high, segments: [1, 2] },
      b: { settings: low, segments: [5, 6] },
      c: { settings: low, segments: [4, 7] },
    });
    const all = forwardingOf({ a: [20], b: [20], c: [20] });
    expect(shown(planBudget(state, all, 1))).toEqual({ c: 10 });
    expect(shown(planBudget(state, all, 200))).toEqual({ c: 10, b: 10 });
    expect(shown(planBudget(state, all, 400))).toEqual({ c: 20, b: 20 });
    expect(shown(planBudget(state, all, 500))).toEqual({ c: 20, b: 20, a: 10 });
    expect(shown(planBudget(state, all, 5000))).toEqual({ c: 20, b: 20, a: 20 });
    // What the cluster has of a high priority goes before what it does not have of a low one.
    expect(shown(planBudget(state, forwardingOf({ a: [20], b: [0], c: [0] }), 200))).toEqual({ a: 20 });
    expect(shown(planBudget(state, forwardingOf({ a: [20], b: [0], c: [0] }), 300))).toEqual({
      a: 20,
      c: 10,
    });
  });

  test('passes over partitions that have no segments', () => {
    const state = stateOf({ empty: { segments: [] }, a: { segments: [1] } });
    expect(shown(planBudget(state, nobody, 1))).toEqual({ a: 10 });
  });

  test('keeps the loss ledger until it has arrived', () => {
    const state = stateOf({ [gapsTopicName]: { segments: [1] } });
    expect(planBudget(state, nobody, 1)).toEqual([]);
    expect(planBudget(state, forwardingOf({ [gapsTopicName]: [9] }), 1)).toEqual([]);
    expect(shown(planBudget(state, forwardingOf({ [gapsTopicName]: [10] }), 1))).toEqual({
      [gapsTopicName]: 10,
    });
  });

  test('loses only what the cluster does not have', () => {
    const state = stateOf({ a: { segments: [1, 2, 3] } });
    const [partition] = state.partitions();
    if (partition === undefined) throw new Error('there is one');
    const removal = { partition, logStartOffset: 20, reason: 'disk-budget' } as const;
    expect(lostWith(removal, nobody)).toEqual({ firstOffset: 0, endOffset: 20 });
    expect(lostWith(removal, forwardingOf({ a: [15] }))).toEqual({ firstOffset: 15, endOffset: 20 });
    const { firstOffset, endOffset } = lostWith(removal, forwardingOf({ a: [25] }));
    expect(firstOffset).toBeGreaterThanOrEqual(endOffset);
  });
});
