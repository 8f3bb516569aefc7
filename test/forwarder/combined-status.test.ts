import { describe, expect, test } from 'vitest';
import { combinedStatus, type LaneReport } from '../../src/forwarder/progress/combined-status.ts';
import type { LaneStatus } from '../../src/forwarder/progress/status.ts';
import type { LaneName } from '../../src/log/types.ts';
import { drainingForwarder } from '../support/forwarder-status.ts';

const { lanes: _lanes, delivery: _delivery, link: _link, ...draining } = drainingForwarder();
const bulk: LaneStatus = draining;

/** A lane that has sent three alarms lately, and nothing waits. */
const alarm: LaneStatus = {
  ...bulk,
  state: 'idle',
  message: 'the cluster has acknowledged everything',
  lagRecords: 0,
  lagBytes: 0,
  lagSeconds: 0,
  topics: [{ topic: 'alarms', lagRecords: 0, lagBytes: 0, lagSeconds: 0 }],
  goodput: { windowSeconds: 60, recordsPerSecond: 1, bytesPerSecond: 100, arrivingRecordsPerSecond: 1 },
  drain: { state: 'no-backlog', secondsLeft: null },
  lastDay: { seconds: 60, bytesAcknowledged: 300, linkBytesWritten: 900 },
  recordsAcknowledged: 3,
  bytesAcknowledged: 300,
  linkBytesWritten: 900,
  lastAcknowledgedMs: 1_700_000_002_000,
  secondsSinceAcknowledged: 1,
  retries: [{ kind: 'busy', cause: 'CONCURRENT_TRANSACTIONS', count: 10 }],
  warnings: ['the board is another one'],
  lastError: null,
};

const used = (lane: LaneName, status: LaneStatus): LaneReport => ({ lane, isInUse: true, status });

describe('the status of both lanes together', () => {
  test('is the sum of what they carry, and the state of the worse one', () => {
    expect(
      combinedStatus(
        [used('alarm', alarm), used('bulk', { ...bulk, topics: bulk.topics.slice(0, 1) })],
        ['something of both'],
      ),
    ).toEqual({
      state: 'sending',
      message: 'lane bulk: sending, 120007 records to go',
      lagRecords: 120_007,
      lagBytes: 14_200_000,
      lagSeconds: 7380,
      topics: [...alarm.topics, bulk.topics[0]],
      goodput: {
        windowSeconds: 300,
        recordsPerSecond: 513.34,
        bytesPerSecond: 15_500,
        arrivingRecordsPerSecond: 13,
      },
      drain: { state: 'draining', secondsLeft: 240 },
      lastDay: { seconds: 86_000, bytesAcknowledged: 210_000_300, linkBytesWritten: 225_000_900 },
      recordsAcknowledged: 150_003,
      bytesAcknowledged: 210_000_300,
      linkBytesWritten: 225_000_900,
      lastAcknowledgedMs: 1_700_000_002_000,
      secondsSinceAcknowledged: 1,
      isStale: false,
      retries: [
        { kind: 'busy', cause: 'CONCURRENT_TRANSACTIONS', count: 13 },
        { kind: 'unreachable', cause: 'refused', count: 12 },
        { kind: 'refused', cause: '', count: 1 },
      ],
      warnings: ['something of both', 'the board is another one'],
      lastError: bulk.lastError,
      lanes: [
        { lane: 'alarm', state: 'idle', message: 'the cluster has acknowledged everything' },
        { lane: 'bulk', state: 'sending', message: 'sending, 120007 records to go' },
      ],
    });
  });

  test('is that of a lane that is alone', () => {
    const { lanes, ...rest } = combinedStatus([used('bulk', bulk)], []);
    expect(rest).toEqual(bulk);
    expect(lanes).toEqual([{ lane: 'bulk', state: bulk.state, message: bulk.message }]);
  });

  test('counts what a lane has carried that is not in use any more, and not how it does', () => {
    const gone = { ...alarm, state: 'connecting', message: 'starting a session with the cluster' } as const;
    const status = combinedStatus([{ lane: 'alarm', isInUse: false, status: gone }, used('bulk', bulk)], []);
    expect(status).toMatchObject({ state: 'sending', message: bulk.message, recordsAcknowledged: 150_003 });
    expect(status.lanes.map(({ lane }) => lane)).toEqual(['bulk']);
  });

  test('says something once if both lanes say it, and else who says it', () => {
    const broken = { ...alarm, state: 'backing-off', message: 'no broker can be reached' } as const;
    const messageOf = (one: LaneStatus, other: LaneStatus): string =>
      combinedStatus([used('alarm', one), used('bulk', other)], []).message;
    expect(messageOf(broken, broken)).toBe('no broker can be reached');
    expect(messageOf(broken, { ...broken, message: 'fenced' })).toBe(
      'lane alarm: no broker can be reached; lane bulk: fenced',
    );
    expect(messageOf(broken, bulk)).toBe('lane alarm: no broker can be reached');
  });

  test.each([
    ['no-backlog', 'never', 'never'],
    ['unknown', 'never', 'unknown'],
    ['draining', 'unknown', 'unknown'],
    ['no-backlog', 'no-backlog', 'no-backlog'],
  ] as const)('never promises more than both can keep: %s and %s is %s', (one, other, together) => {
    const drain = (state: typeof one | typeof other): LaneStatus['drain'] =>
      state === 'draining' ? { state, secondsLeft: 5 } : { state, secondsLeft: null };
    const { drain: combined } = combinedStatus(
      [used('alarm', { ...alarm, drain: drain(one) }), used('bulk', { ...bulk, drain: drain(other) })],
      [],
    );
    expect(combined.state).toBe(together);
  });
});
