import { describe, expect, test } from 'vitest';
import { clusterRows } from '../../../src/edge/cli/cluster-rows.ts';
import type { Drain } from '../../../src/forwarder/progress/goodput.ts';
import { drainingForwarder } from '../../support/forwarder-status.ts';

const nowMs = 1_700_000_000_000 + 7_200_000;

describe('the rows about the cluster', () => {
  test('say what waits, of each topic, how fast it goes, and what went wrong', () => {
    expect(clusterRows(drainingForwarder(), nowMs)).toEqual([
      'sending, 120007 records to go; last acknowledged 3 s ago',
      '120007 records, about 14.2 MB, the oldest for 2 h 3 min waiting; gone in 4 min at this rate',
      '  readings  120000 records, about 14.2 MB, the oldest for 2 h 3 min',
      '  alarms         7 records, about 1 kB, the oldest for 12 s',
      'in the last 5 min: 512 records/s acknowledged (15.4 kB/s), 12 records/s new',
      'in the last 24 h: 210 MB acknowledged, 225 MB sent over the link',
      'retries since the start: 12 unreachable (refused), 3 busy (CONCURRENT_TRANSACTIONS), 1 refused',
      'last error 2 h ago: the link was cut',
      'note: the board is another one',
    ]);
  });

  test('say plainly that records may arrive twice, where they may', () => {
    const [first, second] = clusterRows({ ...drainingForwarder(), delivery: 'at-least-once' }, nowMs);
    expect(first).toMatch(/^sending/);
    expect(second).toBe('at-least-once: records may arrive twice after a failure');
  });

  test.each<[Drain, RegExp]>([
    [{ state: 'no-backlog', secondsLeft: null }, /waiting$/],
    [
      { state: 'unknown', secondsLeft: null },
      /waiting; when they are gone is not known while nothing is acknowledged$/,
    ],
    [{ state: 'waits', secondsLeft: null }, /waiting; bulk has to wait before they are gone$/],
    [{ state: 'never', secondsLeft: null }, /waiting; never gone at this rate$/],
  ])('do not promise more than is known: $state', (drain, expected) => {
    expect(clusterRows({ ...drainingForwarder(), drain }, nowMs)[1]).toMatch(expected);
  });

  test('say of a metered link what was used, and why and until when bulk waits, once', () => {
    const rest = { reason: 'hours', until: '22:00', secondsLeft: 3600 } as const;
    const hours = ['22:00-06:00', '12:30-13:00'];
    const link = { bytesPerDay: 20e6, spentBytes: 3_210_000, hours, rest };
    expect(clusterRows({ ...drainingForwarder(), link }, nowMs).slice(1, 4)).toEqual([
      'bulk waits until 22:00 (forwarder.hours)',
      'today 3.21 MB of 20 MB used (forwarder.bytesPerDay)',
      'bulk sends 22:00-06:00, 12:30-13:00 (forwarder.hours)',
    ]);
    const message = 'lane bulk: bulk waits until 22:00 (forwarder.hours)';
    const rows = clusterRows({ ...drainingForwarder(), link, message }, nowMs);
    expect(rows.filter((row) => row.includes('22:00 (forwarder'))).toEqual([
      `${message}; last acknowledged 3 s ago`,
    ]);
    const free = { bytesPerDay: null, spentBytes: null, hours: ['00:00-24:00'], rest: null };
    expect(clusterRows({ ...drainingForwarder(), link: free }, nowMs)[1]).toBe(
      'bulk sends 00:00-24:00 (forwarder.hours)',
    );
  });

  test('are few when all is well, and name no rate before something was acknowledged', () => {
    const quiet = {
      ...drainingForwarder(),
      message: 'the cluster has acknowledged everything',
      lagRecords: 0,
      topics: [{ topic: 'readings', lagRecords: 0, lagBytes: 0, lagSeconds: 0 }],
      recordsAcknowledged: 0,
      lastDay: { seconds: 600, bytesAcknowledged: 0, linkBytesWritten: 1200 },
      secondsSinceAcknowledged: null,
      retries: [],
      warnings: [],
      lastError: null,
    };
    expect(clusterRows(quiet, nowMs)).toEqual([
      'the cluster has acknowledged everything; nothing acknowledged in this run yet',
      'nothing waits',
      'since the start, 10 min ago: 0 B acknowledged, 1.2 kB sent over the link',
    ]);
  });

  test('mark an acknowledgement that is stale', () => {
    const stale = { ...drainingForwarder(), isStale: true, secondsSinceAcknowledged: 300 };
    expect(clusterRows(stale, nowMs)[0]).toMatch(/last acknowledged 5 min ago \(STALE: records wait\)$/);
  });

  test('do not say an error twice', () => {
    const failing = { ...drainingForwarder(), message: 'the link was cut (trying again soon)' };
    expect(clusterRows(failing, nowMs).filter((row) => row.includes('the link was cut'))).toHaveLength(1);
  });
});
