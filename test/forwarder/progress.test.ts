import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { type MetricLabels, type MetricName, noMetrics } from '../../src/core/metrics.ts';
import type { Flush } from '../../src/forwarder/flush.ts';
import { initialState, type MirrorState, type Phase } from '../../src/forwarder/mirror.ts';
import { Progress, type WaitingRange } from '../../src/forwarder/progress.ts';
import type { Failure } from '../../src/forwarder/target.ts';
import { ManualClock } from '../support/manual-clock.ts';

const range = (fromOffset: number, endOffset: number, topic = 'readings'): WaitingRange => ({
  topic,
  partition: 0,
  fromOffset,
  endOffset,
});

const flushOf = (recordCount: number, times: Flush['times'] = null): Flush => ({
  ranges: [],
  batches: [],
  recordCount,
  times,
  backlog: false,
});

const inPhase = (phase: Phase, rest: Partial<MirrorState> = {}): MirrorState => ({
  ...initialState(0, 'resume'),
  phase,
  ...rest,
});

const noLink: Failure = { kind: 'unreachable', message: 'no link' };

function accounts() {
  const clock = new ManualClock();
  const counted: [MetricName, number, MetricLabels | undefined][] = [];
  const lines: [level: string, message: string][] = [];
  const logger = {
    ...silentLogger,
    warn: (_fields: object, message: string) => lines.push(['warn', message]),
    error: (_fields: object, message: string) => lines.push(['error', message]),
  };
  const metrics = {
    ...noMetrics,
    add: (name: MetricName, by: number, labels?: MetricLabels) => counted.push([name, by, labels]),
  };
  return { clock, counted, lines, progress: new Progress({ clock, logger, metrics }) };
}

describe('the accounts of the mirror', () => {
  test('say how many records wait, in all partitions', () => {
    const { progress } = accounts();
    const status = progress.status(inPhase('waiting'), [range(3, 7), range(0, 2, 'alarms')]);
    expect(status).toMatchObject({ state: 'idle', lagRecords: 6 });
    expect(progress.status(inPhase('waiting'), [])).toMatchObject({ lagRecords: 0, lagSeconds: 0 });
  });

  test('count the age from when something began to wait, and anew once nothing waits any more', () => {
    const { clock, progress } = accounts();
    progress.waits([range(0, 1)]);
    clock.pass(60_000);
    progress.waits([range(0, 2)]);
    expect(progress.status(inPhase('waiting'), [range(0, 2)]).lagSeconds).toBe(60);
    progress.waits([]);
    clock.pass(60_000);
    progress.waits([range(2, 3)]);
    clock.pass(5_000);
    expect(progress.status(inPhase('waiting'), [range(2, 3)]).lagSeconds).toBe(5);
  });

  test('know the age better once the records are read, and what is left is younger than what arrived', () => {
    const { clock, progress } = accounts();
    const nowMs = clock.wallMs();
    progress.waits([range(0, 4)]);
    const flush = flushOf(2, { oldestMs: nowMs - 90_000, newestMs: nowMs - 30_000 });
    progress.read(flush);
    expect(progress.status(inPhase('sending'), [range(0, 4)]).lagSeconds).toBe(90);
    progress.acknowledged(flush, [range(2, 4)]);
    expect(progress.status(inPhase('reading'), [range(2, 4)]).lagSeconds).toBe(30);
  });

  test('count what was acknowledged, and when', () => {
    const { clock, counted, progress } = accounts();
    expect(progress.status(inPhase('opening'), [])).toMatchObject({
      recordsAcknowledged: 0,
      lastAcknowledgedMs: null,
    });
    progress.acknowledged(flushOf(3), []);
    clock.pass(1_000);
    progress.acknowledged(flushOf(2), []);
    const status = progress.status(inPhase('waiting'), []);
    expect(status).toMatchObject({ recordsAcknowledged: 5, lastAcknowledgedMs: clock.wallMs() });
    expect(counted).toEqual([
      ['headwater_forwarder_records_total', 3, undefined],
      ['headwater_forwarder_transactions_total', 1, { outcome: 'committed' }],
      ['headwater_forwarder_records_total', 2, undefined],
      ['headwater_forwarder_transactions_total', 1, { outcome: 'committed' }],
    ]);
  });

  test('count a transaction that failed by what is known of it', () => {
    const { counted, progress } = accounts();
    for (const phase of ['opening', 'sending', 'aborting', 'committing'] as const)
      progress.stepped(inPhase(phase), inPhase('backing-off', { failure: noLink }));
    expect(counted.map(([, , labels]) => labels?.['outcome'])).toEqual(['aborted', 'aborted', 'unknown']);
  });

  test('tell the same error once, however often it comes, and one that ends the mirror as an error', () => {
    const { clock, lines, progress } = accounts();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      clock.pass(1_000);
      const failed = inPhase('backing-off', { failure: { ...noLink } });
      progress.stepped(inPhase('opening'), failed);
      progress.stepped(failed, { ...failed, phase: 'opening' });
    }
    expect(progress.status(inPhase('opening'), []).lastError).toEqual({
      message: 'no link',
      atMs: clock.wallMs(),
    });
    progress.stepped(
      inPhase('resuming'),
      inPhase('stopped', { failure: { kind: 'refused', message: 'lost' } }),
    );
    expect(lines).toEqual([
      ['warn', 'no link'],
      ['error', 'lost'],
    ]);
  });

  test('tell a warning when it is new', () => {
    const { lines, progress } = accounts();
    const warned = inPhase('reading', { warning: 'twice' });
    progress.stepped(inPhase('resuming'), warned);
    progress.stepped(warned, { ...warned, phase: 'waiting' });
    expect(lines).toEqual([['warn', 'twice']]);
  });
});
