import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { encodeBatch } from '../../src/log/encoding/batch.ts';
import {
  checkpointEntry,
  encodeEntries,
  entryKinds,
  recordBatchEntry,
  topicSettingEntry,
} from '../../src/log/state/entries.ts';
import { type Life, LogState } from '../../src/log/state/state.ts';
import { textRecord } from '../support/log-on-disk.ts';

const life = (ordinal: number): Life => ({ ordinal, lifeId: ordinal.toString(16).padStart(32, '0') });

const batchOf = (state: LogState, topicNumber: number, partition: number, count = 1) => {
  const { nextOffset } = state.partitionById({ topicNumber, partition });
  const records = Array.from({ length: count }, () => textRecord('', 'x'));
  return recordBatchEntry({ topicNumber, partition }, encodeBatch(nextOffset, records));
};

/** Everything that a state shows, in an order that does not depend on how it came about. */
const shown = (state: LogState) => ({
  topics: state.topics().toSorted((a, b) => a.topicNumber - b.topicNumber),
  partitions: state
    .partitions()
    .map((partition) => ({ ...partition, lives: state.lives(partition) }))
    .toSorted((a, b) => a.id.topicNumber - b.id.topicNumber || a.id.partition - b.id.partition),
  nextTopicNumber: state.nextTopicNumber(),
});

type Step = { readonly topic: number; readonly partitions: number; readonly writes: readonly number[] };

function play(steps: readonly Step[]): LogState {
  const state = new LogState();
  for (const [index, { topic, partitions, writes }] of steps.entries()) {
    const before = state.topics().find(({ topicNumber }) => topicNumber === topic)?.partitions ?? 0;
    const setting = {
      topicNumber: topic,
      name: `t${topic}`,
      partitions: Math.max(before, partitions),
      settings: {},
    };
    state.apply(topicSettingEntry(setting), undefined, '1.2.3');
    for (const count of writes)
      state.apply(batchOf(state, topic, count % setting.partitions, count), life(1 + index), '1.2.3');
  }
  return state;
}

const steps = fc.array(
  fc.record({
    topic: fc.integer({ min: 1, max: 4 }),
    partitions: fc.integer({ min: 1, max: 5 }),
    writes: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 6 }),
  }),
  { maxLength: 12 },
);

describe('the state of the log', () => {
  test('is the same after a snapshot, and so is the snapshot', () => {
    fc.assert(
      fc.property(steps, (played) => {
        const state = play(played);
        const again = LogState.fromSnapshot(state.snapshot(), '1.2.3');
        expect(shown(again)).toEqual(shown(state));
        expect(shown(LogState.fromSnapshot(again.snapshot(), '1.2.3'))).toEqual(shown(state));
      }),
    );
  });

  test('knows which life wrote from which offset on', () => {
    const state = new LogState();
    state.apply(
      topicSettingEntry({ topicNumber: 1, name: 'a', partitions: 2, settings: {} }),
      undefined,
      '1.2.3',
    );
    state.apply(batchOf(state, 1, 0, 3), life(1), '1.2.3');
    state.apply(batchOf(state, 1, 0, 2), life(1), '1.2.3');
    state.apply(batchOf(state, 1, 0, 1), life(3), '1.2.3');
    state.apply(batchOf(state, 1, 1, 1), life(3), '1.2.3');
    expect(state.partitions().map((partition) => state.lives(partition))).toEqual([
      [
        { life: life(1).lifeId, firstOffset: 0 },
        { life: life(3).lifeId, firstOffset: 5 },
      ],
      [{ life: life(3).lifeId, firstOffset: 0 }],
    ]);
  });

  test('forgets the oldest life first when it holds too many beginnings', () => {
    const partitions = limits.partitionsPerTopicMax;
    const lives = limits.lifeStartsMax / partitions;
    const state = new LogState();
    state.apply(
      topicSettingEntry({ topicNumber: 1, name: 'a', partitions, settings: {} }),
      undefined,
      '1.2.3',
    );
    for (let ordinal = 1; ordinal <= lives + 1; ordinal += 1)
      for (let partition = 0; partition < partitions; partition += 1)
        state.apply(batchOf(state, 1, partition), life(ordinal), '1.2.3');
    const starts = state.partitions().map((partition) => state.lives(partition));
    expect(starts.flat()).toHaveLength(limits.lifeStartsMax);
    for (const ofPartition of starts)
      expect(ofPartition[0]).toEqual({ life: life(2).lifeId, firstOffset: 1 });
    expect(shown(LogState.fromSnapshot(state.snapshot(), '1.2.3'))).toEqual(shown(state));
  });

  test('keeps what the mirror saved last under each key, also over a snapshot, and forgets what is empty', () => {
    const state = new LogState();
    for (const [key, text] of [
      ['a', 'old'],
      ['b', 'x'],
      ['a', 'new'],
      ['c', 'y'],
      ['b', ''],
    ] as const)
      state.apply(checkpointEntry({ key, value: Buffer.from(text) }), life(1), '1.2.3');
    for (const one of [state, LogState.fromSnapshot(state.snapshot(), '1.2.3')])
      expect([...one.memos()].map(([key, value]) => `${key}=${Buffer.from(value)}`)).toEqual([
        'a=new',
        'c=y',
      ]);
  });

  test('refuses an entry of an unknown kind and names the version that wrote it', () => {
    for (const kind of [entryKinds.cursor, entryKinds.alertState, 200]) {
      const snapshot = encodeEntries([{ kind, bytes: Buffer.from('?') }]);
      expect(() => LogState.fromSnapshot(snapshot, '9.8.7')).toThrowError(
        expect.objectContaining({
          code: 'unreadable-format',
          message: expect.stringMatching(new RegExp(`Headwater 9\\.8\\.7.*kind ${kind}`)),
        }),
      );
    }
  });

  test('takes no offset twice', () => {
    const state = new LogState();
    state.apply(
      topicSettingEntry({ topicNumber: 1, name: 'a', partitions: 1, settings: {} }),
      undefined,
      '1.2.3',
    );
    const batch = batchOf(state, 1, 0, 2);
    state.apply(batch, life(1), '1.2.3');
    expect(() => state.apply(batch, life(1), '1.2.3')).toThrowError(/offset 0 of 1\/0 is used already/);
  });

  test('keeps records whose topic the medium took, and gives them their name back when it turns up', () => {
    const state = new LogState();
    const orphan = recordBatchEntry({ topicNumber: 3, partition: 1 }, encodeBatch(7, [textRecord('', 'x')]));
    state.apply(orphan, life(1), '1.2.3');
    expect(state.topics()).toEqual([{ topicNumber: 3, name: 'lost-name-3', partitions: 2, settings: {} }]);
    expect(state.partition('lost-name-3', 1)).toMatchObject({ topic: 'lost-name-3', nextOffset: 8 });
    state.apply(
      topicSettingEntry({ topicNumber: 3, name: 'a', partitions: 4, settings: {} }),
      undefined,
      '1.2.3',
    );
    expect(state.topics()).toEqual([{ topicNumber: 3, name: 'a', partitions: 4, settings: {} }]);
    expect(state.topic('lost-name-3')).toBeUndefined();
    expect(state.partitions().map(({ topic }) => topic)).toEqual(['a', 'a', 'a', 'a']);
  });
});
