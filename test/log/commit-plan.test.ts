import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { gapsTopicName } from '../../src/core/topic-name.ts';
import type { ClockEpoch } from '../../src/log/clock/clock-epoch.ts';
import { type CommitPlan, planCommit, type Request } from '../../src/log/commits/commit-plan.ts';
import { recordSizeBytes } from '../../src/log/commits/placement.ts';
import { decodeBatch, encodeBatch } from '../../src/log/encoding/batch.ts';
import {
  entryKinds,
  readRecordBatchEntry,
  topicDeletionEntry,
  topicSettingEntry,
} from '../../src/log/state/entries.ts';
import { LogState } from '../../src/log/state/state.ts';
import { textRecord } from '../support/log-on-disk.ts';

function stateWith(...topics: readonly [name: string, partitions: number][]): LogState {
  const state = new LogState();
  for (const [index, [name, partitions]] of topics.entries())
    state.apply(
      topicSettingEntry({ topicNumber: index + 1, name, partitions, settings: {} }),
      undefined,
      '1.2.3',
    );
  return state;
}

/** With the wall clock and the monotonic one the same. */
const plan = (state: LogState, requests: readonly Request[], begun: ClockEpoch | null = null): CommitPlan =>
  planCommit(state, requests, { settingMs: 0, ordinal: begun?.ordinal ?? -1, begun });

const records = (partition: number, ...texts: string[]): Request => ({
  kind: 'records',
  records: texts.map((text) => ({ record: textRecord('', text), id: { topicNumber: 1, partition } })),
});
const topic = (name: string, partitions: number, grow = false): Request => ({
  kind: 'topic',
  name,
  partitions,
  grow,
  settings: {},
});

const refusals = (outcomes: ReturnType<typeof plan>['outcomes']): (string | null)[] =>
  outcomes.map((outcome) => ('refused' in outcome ? outcome.refused.code : null));

describe('the plan of a commit', () => {
  test('has room for the loss ledger, whatever other topics there are', () => {
    const state = stateWith(['a', 64], ['b', 64], ['c', 64], ['d', 64]);
    const { outcomes } = plan(state, [topic(gapsTopicName, 1, true), topic('e', 1)]);
    expect(refusals(outcomes)).toEqual([null, 'too-many-partitions']);
    expect(refusals(plan(state, [topic(gapsTopicName, 2, true)]).outcomes)).toEqual(['too-many-partitions']);
  });

  test('remembers no more deleted topics than the limit, those of the same commit included', () => {
    const state = stateWith(['a', 1], ['b', 1]);
    for (let topicNumber = 3; state.deletedTopics < limits.deletedTopicsMax - 1; topicNumber += 1) {
      const setting = { topicNumber, name: `t${topicNumber}`, partitions: 1, settings: {} };
      state.apply(topicSettingEntry(setting), undefined, '1.2.3');
      state.apply(topicDeletionEntry(topicNumber), undefined, '1.2.3');
    }
    const deletion = (name: string): Request => ({ kind: 'topic-deletion', name });
    const { outcomes } = plan(state, [deletion('a'), deletion('b')]);
    expect(refusals(outcomes)).toEqual([null, 'too-many-deleted-topics']);
    expect(refusals(plan(state, [deletion('a'), topic('a', 1), deletion('b')]).outcomes)).toEqual([
      null,
      null,
      null,
    ]);
  });

  test('gives offsets in the order of the requests and one batch to each partition', () => {
    const { entries, outcomes } = plan(stateWith(['a', 2]), [
      records(0, 'x'),
      records(1, 'y'),
      records(0, 'z', 'zz'),
    ]);
    expect(outcomes).toEqual([
      { appended: [{ partition: 0, offset: 0 }] },
      { appended: [{ partition: 1, offset: 0 }] },
      {
        appended: [
          { partition: 0, offset: 1 },
          { partition: 0, offset: 2 },
        ],
      },
    ]);
    const values = entries.map((entry) =>
      decodeBatch(readRecordBatchEntry(entry).batch).map(({ value }) => String(value)),
    );
    expect(values).toEqual([['x', 'z', 'zz'], ['y']]);
  });

  test('creates topics with numbers that no topic had, and refuses a name twice in one commit', () => {
    const { entries, outcomes } = plan(stateWith(['a', 2]), [topic('b', 1), topic('b', 1), topic('c', 1)]);
    expect(refusals(outcomes)).toEqual([null, 'topic-exists', null]);
    expect(entries.map(({ kind }) => kind)).toEqual([entryKinds.topicSetting, entryKinds.topicSetting]);
  });

  test('grows a topic and never shrinks it', () => {
    const state = stateWith(['a', 2]);
    const { entries } = plan(state, [topic('a', 1, true), topic('a', 4, true), topic('a', 3, true)]);
    for (const entry of entries) state.apply(entry, undefined, '1.2.3');
    expect(state.topics()).toEqual([{ topicNumber: 1, name: 'a', partitions: 4, settings: {} }]);
  });

  test('counts what the same commit creates and grows against the limit of partitions', () => {
    const state = stateWith(['a', 1]);
    const requests = [
      topic('a', 64, true),
      ...['b', 'c', 'd'].map((name) => topic(name, 64)),
      topic('e', 1),
      topic('b', 64, true),
    ];
    const { entries, outcomes } = plan(state, requests);
    expect(refusals(outcomes)).toEqual([null, null, null, null, 'too-many-partitions', null]);
    for (const entry of entries) state.apply(entry, undefined, '1.2.3');
    expect(state.partitions()).toHaveLength(limits.partitionsMax);
  });

  test('says something again for a check that is alone, and begins an epoch for nothing but what changes something', () => {
    const state = stateWith(['a', 1]);
    const begun = {
      ordinal: 1,
      bootId: '',
      settingMs: 0,
      startedMs: 0,
      isSet: true,
      shiftMs: 0,
      isTold: true,
    };
    const kinds = (requests: readonly Request[]) => {
      const { entries, beginsEpoch } = plan(state, requests, begun);
      return { kinds: entries.map(({ kind }) => kind), beginsEpoch };
    };
    const { sealedOffset, clockEpoch, recordBatch } = entryKinds;
    expect(kinds([{ kind: 'check' }])).toEqual({ kinds: [sealedOffset], beginsEpoch: false });
    expect(kinds([])).toEqual({ kinds: [], beginsEpoch: false });
    expect(kinds([{ kind: 'check' }, records(0, 'x')])).toEqual({
      kinds: [clockEpoch, recordBatch],
      beginsEpoch: true,
    });
  });

  test('a record counts at least what it takes in a frame', () => {
    const record = textRecord('', 'value', {
      key: Buffer.from('key'),
      timestampMs: 0,
      headers: Array.from({ length: 64 }, () => ({ name: 'é', value: Buffer.from('x') })),
    });
    const alone = encodeBatch(0, [textRecord('', '', { timestampMs: 2 ** 52 })]).length;
    const both = encodeBatch(0, [textRecord('', '', { timestampMs: 2 ** 52 }), record]).length;
    expect(recordSizeBytes(record)).toBeGreaterThanOrEqual(both - alone);
  });
});
