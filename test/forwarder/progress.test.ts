import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { type MetricLabels, type MetricName, noMetrics } from '../../src/core/metrics.ts';
import type { Failure } from '../../src/forwarder/cluster/target.ts';
import type { Flush } from '../../src/forwarder/flush/flush.ts';
import { initialState, type MirrorState, type Phase } from '../../src/forwarder/mirror/mirror-state.ts';
import type { MirrorEvent } from '../../src/forwarder/mirror/mirror-steps.ts';
import type { WaitingRange } from '../../src/forwarder/progress/oldest-waiting.ts';
import { Progress } from '../../src/forwarder/progress/progress.ts';
import { ManualClock } from '../support/manual-clock.ts';

const SECOND = 1000;
const batchBytes = 200;

const range = (fromOffset: number, endOffset: number, topic = 'readings'): WaitingRange => ({
  topic,
  partition: 0,
  fromOffset,
  endOffset,
});

/** Everything was stamped when the clock began. */
const stamped = { oldestMs: 1_700_000_000_000, newestMs: 1_700_000_000_000 };

/** Of one partition, in one batch. */
const flushOf = (fromOffset: number, nextOffset: number): Flush => ({
  ranges: [{ topic: 'readings', partition: 0, fromOffset, nextOffset, lives: [], times: stamped }],
  batches: [
    {
      topic: 'gw1.readings',
      partition: 0,
      batch: { bytes: new Uint8Array(batchBytes), recordCount: nextOffset - fromOffset },
      source: null,
    },
  ],
  recordCount: nextOffset - fromOffset,
  backlog: false,
});

const inPhase = (phase: Phase, rest: Partial<MirrorState> = {}): MirrorState => ({
  ...initialState(0, 'resume'),
  phase,
  ...rest,
});

const noLink: Failure = { kind: 'unreachable', cause: 'refused', message: 'no link' };
const failed = (failure: Failure): MirrorEvent => ({
  type: 'failed',
  failure,
  elapsedMs: 0,
  atMs: 0,
  jitter: 0,
});
const woke: MirrorEvent = { type: 'woke' };

/** The mirror takes a step. */
function step(
  progress: Progress,
  event: MirrorEvent,
  before: MirrorState,
  after: MirrorState,
  waiting: readonly WaitingRange[] = [],
) {
  progress.stepped(event, before, after, waiting);
}

/** It is read, sent, and acknowledged; `left` waits. */
function commit(
  progress: Progress,
  flush: Flush,
  left: readonly WaitingRange[],
  failure: Failure | null = null,
) {
  progress.read(flush);
  arrive(progress, left, failure);
}

/** What was read is acknowledged. */
function arrive(progress: Progress, left: readonly WaitingRange[], failure: Failure | null = null) {
  const committing = inPhase('committing', { failure });
  progress.stepped({ type: 'committed', elapsedMs: 0 }, committing, inPhase('reading'), left);
}

function accounts(lingerMs = 0) {
  const clock = new ManualClock();
  const counted = new Map<string, number>();
  const transactionSeconds: number[] = [];
  const lines: string[] = [];
  const say = (_fields: object, message: string): void => void lines.push(message);
  const link = { bytes: 0 };
  const progress = new Progress({
    clock,
    logger: { ...silentLogger, info: say, warn: say, error: say },
    metrics: {
      ...noMetrics,
      add: (name: MetricName, by: number, labels: MetricLabels = {}) => {
        const key = [name.replace('headwater_forwarder_', ''), ...Object.values(labels)].join(' ');
        counted.set(key, (counted.get(key) ?? 0) + by);
      },
      observe: (_name: MetricName, seconds: number) => void transactionSeconds.push(seconds),
    },
    lingerMs,
    storedBytes: ({ fromOffset, endOffset }) => (endOffset - fromOffset) * 100,
    linkBytes: () => link.bytes,
  });
  return { clock, counted, transactionSeconds, lines, link, progress };
}

/** In each second so many records arrive, and so many are acknowledged; returns what waits at the end. */
function run(
  { clock, progress }: Pick<ReturnType<typeof accounts>, 'clock' | 'progress'>,
  from: WaitingRange,
  seconds: number,
  each: { readonly arrive: number; readonly leave: number },
): WaitingRange {
  let now = from;
  for (let second = 0; second < seconds; second += 1) {
    clock.pass(SECOND);
    now = { ...now, endOffset: now.endOffset + each.arrive };
    progress.waits([now]);
    if (each.leave === 0) continue;
    const flush = flushOf(now.fromOffset, now.fromOffset + each.leave);
    now = { ...now, fromOffset: now.fromOffset + each.leave };
    commit(progress, flush, [now]);
  }
  return now;
}

describe('the status', () => {
  test('tells what waits in records, bytes and seconds, in each topic and in all', () => {
    const { clock, progress } = accounts();
    progress.waits([range(0, 0), range(0, 0, 'alarms'), range(0, 0, 'gaps')]);
    progress.waits([range(0, 4), range(0, 0, 'alarms'), range(0, 0, 'gaps')]);
    clock.pass(50 * SECOND);
    const waiting = [range(0, 4), range(0, 2, 'alarms'), range(0, 0, 'gaps')];
    progress.waits(waiting);
    clock.pass(10 * SECOND);
    expect(progress.status(inPhase('opening'), waiting)).toMatchObject({
      lagRecords: 6,
      lagBytes: 600,
      lagSeconds: 60,
      topics: [
        { topic: 'readings', lagRecords: 4, lagBytes: 400, lagSeconds: 60 },
        { topic: 'alarms', lagRecords: 2, lagBytes: 200, lagSeconds: 10 },
        { topic: 'gaps', lagRecords: 0, lagBytes: 0, lagSeconds: 0 },
      ],
    });
  });

  test('without records tells of nothing, and of no topic that is not there', () => {
    const { progress } = accounts();
    progress.waits([]);
    expect(progress.status(inPhase('waiting'), [])).toMatchObject({
      state: 'idle',
      lagRecords: 0,
      lagBytes: 0,
      lagSeconds: 0,
      topics: [],
      drain: { state: 'no-backlog' },
      lastAcknowledgedMs: null,
      secondsSinceAcknowledged: null,
      isStale: false,
      retries: [],
    });
  });

  test('tells how fast the backlog drains and when it is gone', () => {
    const all = accounts();
    all.progress.waits([range(0, 0)]);
    const waiting = run(all, range(0, 0), 400, { arrive: 10, leave: 0 });
    const left = run(all, waiting, 100, { arrive: 20, leave: 30 });
    const { drain, goodput } = all.progress.status(inPhase('sending'), [left]);
    // In the last five minutes 100 seconds of 30 records each left.
    expect(goodput.recordsPerSecond).toBeCloseTo(10, 0);
    expect(goodput.bytesPerSecond).toBeCloseTo((goodput.recordsPerSecond * batchBytes) / 30, 5);
    expect(goodput.arrivingRecordsPerSecond).toBeCloseTo(13, 0);
    expect(drain).toEqual({ state: 'never', secondsLeft: null });
    const later = run(all, left, 20, { arrive: 0, leave: 80 });
    const draining = all.progress.status(inPhase('sending'), [later]);
    expect(draining.drain.state).toBe('draining');
    expect(draining.drain.secondsLeft).toBeCloseTo(draining.lagRecords / (goodputOf(draining) as number), 5);
  });

  test('counts what was acknowledged after an outage from where that began, so the time left is right at once', () => {
    const all = accounts();
    const { clock, progress } = all;
    progress.waits([range(0, 0)]);
    step(progress, failed(noLink), inPhase('opening'), inPhase('backing-off', { failure: noLink }));
    const waiting = run(all, range(0, 0), 7200, { arrive: 1, leave: 0 });
    progress.read(flushOf(0, 100));
    clock.pass(2 * SECOND);
    arrive(progress, [{ ...waiting, fromOffset: 100 }], noLink);
    const { goodput, drain } = progress.status(inPhase('reading'), [{ ...waiting, fromOffset: 100 }]);
    expect(goodput).toMatchObject({ windowSeconds: 2, recordsPerSecond: 50 });
    expect(drain.secondsLeft).toBeGreaterThan(7100 / 50);
    expect(drain.secondsLeft).toBeLessThan(7100 / 48);
  });

  test('tells no time left while it fails, nor from an acknowledgement that is stale', () => {
    const all = accounts();
    const { clock, progress } = all;
    progress.waits([range(0, 5000)]);
    const left = run(all, range(0, 5000), 30, { arrive: 0, leave: 10 });
    const tell = (state = inPhase('sending')) => progress.status(state, [left]);
    expect(tell()).toMatchObject({ drain: { state: 'draining' }, isStale: false });
    expect(tell(inPhase('opening', { failure: noLink })).drain).toEqual({
      state: 'unknown',
      secondsLeft: null,
    });
    clock.pass(limits.acknowledgementStaleMs);
    expect(tell()).toMatchObject({ drain: { state: 'draining' }, isStale: false });
    clock.pass(SECOND);
    expect(tell()).toMatchObject({ drain: { state: 'unknown' }, isStale: true });
  });

  test('calls what the flush in hand may take no backlog', () => {
    const all = accounts();
    all.progress.waits([range(0, 0)]);
    const steady = run(all, range(0, 0), 100, { arrive: 10, leave: 10 });
    const some = { ...steady, endOffset: steady.endOffset + 3 };
    all.progress.waits([some]);
    expect(all.progress.status(inPhase('sending'), [some]).drain.state).toBe('no-backlog');
    all.clock.pass(limits.backlogAgeMsMin + 1);
    expect(all.progress.status(inPhase('sending'), [some]).drain.state).not.toBe('no-backlog');
  });

  test('nor what still waits for others', () => {
    const { clock, progress } = accounts(30 * SECOND);
    const some = range(0, 3);
    progress.waits([range(0, 0)]);
    progress.waits([some]);
    clock.pass(30 * SECOND + limits.backlogAgeMsMin);
    expect(progress.status(inPhase('lingering'), [some]).drain.state).toBe('no-backlog');
    clock.pass(SECOND);
    expect(progress.status(inPhase('lingering'), [some]).drain.state).toBe('unknown');
  });

  test('tells how long ago something was acknowledged, whatever becomes of the wall clock', () => {
    const { clock, progress } = accounts();
    progress.waits([range(0, 3)]);
    commit(progress, flushOf(0, 3), [range(3, 3)]);
    const acknowledgedMs = clock.wallMs();
    clock.pass(10 * SECOND);
    clock.setWallBy(-86_400 * SECOND);
    expect(progress.status(inPhase('waiting'), [range(3, 3)])).toMatchObject({
      lastAcknowledgedMs: acknowledgedMs,
      secondsSinceAcknowledged: 10,
      isStale: false,
    });
  });

  test('is not stale just because nothing was to be sent for long', () => {
    const { clock, progress } = accounts();
    progress.waits([range(0, 0)]);
    clock.pass(10 * limits.acknowledgementStaleMs);
    progress.waits([range(0, 1)]);
    expect(progress.status(inPhase('lingering'), [range(0, 1)]).isStale).toBe(false);
  });

  test('counts records and bytes that were acknowledged, each once, and all that went over the link', () => {
    const { clock, counted, link, progress } = accounts();
    progress.waits([range(0, 5)]);
    // Sent twice: the first attempt failed.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      progress.read(flushOf(0, 5));
      link.bytes += 300;
    }
    step(progress, failed(noLink), inPhase('sending'), inPhase('backing-off', { failure: noLink }));
    clock.pass(SECOND);
    arrive(progress, [range(5, 5)]);
    // A socket that is gone counts a little less.
    link.bytes -= 20;
    const expected = { recordsAcknowledged: 5, bytesAcknowledged: batchBytes, linkBytesWritten: 600 };
    expect(progress.status(inPhase('waiting'), [range(5, 5)])).toMatchObject({
      ...expected,
      lastDay: { bytesAcknowledged: batchBytes, linkBytesWritten: 600 },
    });
    expect(Object.fromEntries(counted)).toMatchObject({
      records_total: 5,
      bytes_total: batchBytes,
      link_bytes_written_total: 600,
      'transactions_total committed': 1,
    });
  });

  test('measures each transaction from reading to acknowledgement, and none that was not acknowledged', () => {
    const { clock, transactionSeconds, progress } = accounts();
    progress.waits([range(0, 5)]);
    progress.read(flushOf(0, 5));
    clock.pass(2 * SECOND);
    step(progress, failed(noLink), inPhase('sending'), inPhase('backing-off', { failure: noLink }));
    expect(transactionSeconds).toEqual([]);
    progress.read(flushOf(0, 5));
    clock.pass(3 * SECOND);
    arrive(progress, [range(5, 5)]);
    expect(transactionSeconds).toEqual([3]);
  });

  test('counts what was dropped unsent neither as acknowledged nor as waiting', () => {
    const { progress } = accounts();
    progress.waits([range(0, 9)]);
    progress.waits([range(6, 9)]);
    expect(progress.status(inPhase('opening'), [range(6, 9)])).toMatchObject({
      lagRecords: 3,
      lagBytes: 300,
      recordsAcknowledged: 0,
    });
  });

  test('counts as arriving what comes in this run, of topics that stay or go', () => {
    const { clock, progress } = accounts();
    progress.waits([range(0, 1000)]);
    clock.pass(10 * SECOND);
    progress.waits([range(0, 1050), range(0, 70, 'alarms')]);
    progress.waits([range(0, 0, 'alarms')]);
    expect(progress.status(inPhase('opening'), []).goodput.arrivingRecordsPerSecond).toBe(5);
  });

  test('counts retries by cause, the most frequent first', () => {
    const { counted, progress } = accounts();
    const busy: Failure = { kind: 'busy', cause: 'CONCURRENT_TRANSACTIONS', message: 'busy' };
    const open = inPhase('opening');
    for (const failure of [noLink, busy, busy, { kind: 'refused' as const, message: 'no' }])
      step(progress, failed(failure), open, open);
    // That a stop cuts a call is no failure.
    step(progress, failed(noLink), { ...open, stopping: true }, inPhase('stopped'));
    expect(progress.status(open, []).retries).toEqual([
      { kind: 'busy', cause: 'CONCURRENT_TRANSACTIONS', count: 2 },
      { kind: 'unreachable', cause: 'refused', count: 1 },
      { kind: 'refused', cause: '', count: 1 },
    ]);
    expect(counted.get('retries_total busy CONCURRENT_TRANSACTIONS')).toBe(2);
  });

  test('counts a transaction that failed by what is known of it', () => {
    const { counted, progress } = accounts();
    for (const phase of ['opening', 'sending', 'aborting', 'committing'] as const)
      step(progress, failed(noLink), inPhase(phase), inPhase('backing-off', { failure: noLink }));
    expect(counted.get('transactions_total aborted')).toBe(2);
    expect(counted.get('transactions_total unknown')).toBe(1);
  });
});

const goodputOf = ({ goodput }: ReturnType<Progress['status']>): number =>
  goodput.recordsPerSecond - goodput.arrivingRecordsPerSecond;

describe('the service log', () => {
  test('has an error once, its end once with what had waited, and the status keeps the last one', () => {
    const { clock, lines, progress } = accounts();
    progress.waits([range(0, 7)]);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const broken = inPhase('backing-off', { failure: { ...noLink } });
      step(progress, failed(noLink), inPhase('opening'), broken);
      clock.pass(60 * SECOND);
      step(progress, woke, broken, { ...broken, phase: 'opening' });
    }
    commit(progress, flushOf(0, 4), [range(4, 7)], noLink);
    expect(lines).toEqual(['no link', 'the cluster acknowledges again after 5 min; 7 records waited']);
    expect(progress.status(inPhase('reading'), [range(4, 7)]).lastError).toEqual({
      message: 'no link',
      atMs: clock.wallMs() - 60 * SECOND,
    });
  });

  test('has that the cluster answers again, if nothing waited for it', () => {
    const { lines, progress } = accounts();
    progress.waits([range(0, 0)]);
    step(progress, failed(noLink), inPhase('opening'), inPhase('backing-off', { failure: noLink }));
    step(
      progress,
      { type: 'read', ranges: [], backlog: false },
      inPhase('reading', { failure: noLink }),
      inPhase('waiting'),
    );
    expect(lines).toEqual(['no link', 'the cluster answers again after 0 s; no record waited for it']);
  });

  test('has a warning when it is new', () => {
    const { lines, progress } = accounts();
    const warned = inPhase('reading', { warning: 'twice' });
    step(progress, woke, inPhase('resuming'), warned);
    step(progress, woke, warned, { ...warned, phase: 'waiting' });
    expect(lines).toEqual(['twice']);
  });
});

describe('a transaction', () => {
  const position = (nextOffset: number, partition = 0) => ({
    topic: 'readings',
    partition,
    nextOffset,
    lives: [],
  });
  const sent = {
    positions: [position(3), position(8, 1)],
    flush: [position(7), position(9, 1)],
  };

  /** It was sent, failed in this phase, and then the next session says where everything is. */
  function resumed(
    failedIn: Phase,
    positions: MirrorState['positions'],
    flush: MirrorState['flush'] = sent.flush,
  ) {
    const all = accounts();
    const { progress } = all;
    progress.waits([range(3, 9)]);
    progress.read(flushOf(3, 7));
    const backingOff = inPhase('backing-off', { ...sent, flush, failure: noLink });
    step(progress, failed(noLink), inPhase(failedIn, { ...sent, flush }), backingOff, [range(3, 9)]);
    const event: MirrorEvent = {
      type: 'checkpoints',
      clusterId: 'c',
      partitions: [],
      others: [],
      ledger: [],
    };
    const left = [range(7, 9)];
    step(progress, event, { ...backingOff, phase: 'resuming' }, inPhase('reading', { positions }), left);
    return { ...all, status: progress.status(inPhase('reading', { failure: noLink }), left) };
  }

  test('whose answer was lost counts once the cluster says that it has arrived, but in no rate', () => {
    const { counted, status, progress } = resumed('committing', [position(7), position(9, 1)]);
    expect(status).toMatchObject({ recordsAcknowledged: 4, secondsSinceAcknowledged: 0 });
    expect(status.goodput.recordsPerSecond).toBe(0);
    expect(counted.get('records_total')).toBe(4);
    expect(counted.get('transactions_total committed')).toBe(0);
    commit(progress, flushOf(7, 9), [range(9, 9)]);
    expect(progress.status(inPhase('waiting'), []).recordsAcknowledged).toBe(6);
  });

  test.each<[string, MirrorState['positions'], MirrorState['flush']]>([
    ['nothing has arrived', [position(3), position(8, 1)], sent.flush],
    ['a part of it is not there', [position(7), position(8, 1)], sent.flush],
    ['a partition is not there', [position(9, 1)], sent.flush],
    ['it moved nothing', [position(7), position(9, 1)], [position(8, 1)]],
  ])('whose answer was lost does not count if %s', (_, positions, flush) => {
    expect(resumed('committing', positions, flush).status.recordsAcknowledged).toBe(0);
  });

  test.each<Phase>(['remembering', 'sending', 'aborting'])(
    'that failed when %s has not arrived, although what it carried is set aside and passed',
    (phase) => {
      const { status } = resumed(phase, [position(7), position(9, 1)]);
      expect(status).toMatchObject({ recordsAcknowledged: 0, lastAcknowledgedMs: null });
    },
  );
});
