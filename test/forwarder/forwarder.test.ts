import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { OperatingError } from '../../src/core/errors.ts';
import { type MetricLabels, type MetricName, noMetrics } from '../../src/core/metrics.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import type { Forwarder, ForwarderOptions } from '../../src/forwarder/forwarder.ts';
import type { OnCheckpointLost } from '../../src/forwarder/mirror/resume.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { type Call, type Fault, SimCluster, SimTarget } from '../support/sim-target.ts';
import { simulatedForwarder } from '../support/simulated-forwarder.ts';
import { seededRandom, until, VirtualClock } from '../support/virtual-time.ts';

const record = (value: string): LogRecord => ({
  key: Buffer.from('k'),
  value: Buffer.from(value),
  timestampMs: 1_700_000_000_000,
  headers: [],
});

interface World {
  readonly log: LogWithLives;
  readonly cluster: SimCluster;
  readonly clock: VirtualClock;
}

const world = (): World => ({
  log: new LogWithLives(),
  cluster: new SimCluster(),
  clock: new VirtualClock(),
});

function start(
  { log, cluster, clock }: World,
  options: Partial<ForwarderOptions> & { readonly faultOf?: (call: Call) => Fault | null } = {},
): { readonly forwarder: Forwarder; readonly target: SimTarget } {
  const { faultOf, ...rest } = options;
  const started = simulatedForwarder({ log, clock, ...rest }, cluster, faultOf);
  started.forwarder.start();
  return started;
}

/** These faults for these calls, in order; afterwards none. */
const faults = (...planned: readonly [Call, Fault][]): ((call: Call) => Fault | null) => {
  const left = [...planned];
  return (call) => (left[0]?.[0] === call ? (left.shift()?.[1] ?? null) : null);
};

const drained = (forwarder: Forwarder): Promise<void> =>
  until('everything is acknowledged', () => {
    const { lagRecords, state } = forwarder.status();
    return lagRecords === 0 && state === 'idle';
  });

describe('a forwarder', () => {
  test('carries every topic to the topic with the gateway before its name, with as many partitions', async () => {
    const w = world();
    w.log.createTopic('readings', 3);
    w.log.createTopic('alarms', 1);
    w.log.append('readings', 2, [record('a'), record('b')]);
    const { forwarder } = start(w);
    await drained(forwarder);
    w.log.append('readings', 0, [record('c')]);
    w.log.append('alarms', 0, [record('d')]);
    await drained(forwarder);
    await forwarder.stop();
    expect(w.cluster.partitionCount('gw1.readings')).toBe(3);
    expect(w.cluster.values('gw1.readings', 2)).toEqual(['a', 'b']);
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['c']);
    expect(w.cluster.values('gw1.alarms', 0)).toEqual(['d']);
    expect(forwarder.status()).toMatchObject({ state: 'stopped', recordsAcknowledged: 4, lagRecords: 0 });
  });

  test('carries only the topics it is told to, and never one that is called like the checkpoints', async () => {
    const w = world();
    for (const topic of ['readings', 'private', 'headwater-checkpoint']) {
      w.log.createTopic(topic, 1);
      w.log.append(topic, 0, [record(topic)]);
    }
    const { forwarder } = start(w, {
      mapping: new TopicMapping({ gateway: 'gw1', topics: ['readings', 'headwater-checkpoint'] }),
    });
    await drained(forwarder);
    await forwarder.stop();
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['readings']);
    expect(w.cluster.partitionCount('gw1.private')).toBe(0);
    expect(w.cluster.committed('gw1.headwater-checkpoint', 0)).toHaveLength(1);
  });

  test('opens topics that appear while it runs', async () => {
    const w = world();
    const { forwarder } = start(w);
    await drained(forwarder);
    w.log.createTopic('late', 2);
    w.log.append('late', 1, [record('x')]);
    await drained(forwarder);
    await forwarder.stop();
    expect(w.cluster.values('gw1.late', 1)).toEqual(['x']);
  });

  test('passes what was dropped from the log only once the cluster has the record that says so', async () => {
    const w = world();
    w.log.createTopic('gaps', 1);
    w.log.createTopic('readings', 2);
    w.log.append('readings', 0, ['a', 'b', 'c'].map(record));
    const checkpoints: string[] = [];
    const { forwarder } = start(w, {
      mapping: new TopicMapping({ gateway: 'gw1', topics: ['readings'] }),
      // Nothing but one batch fits into a transaction.
      transactionBytesMax: 1,
      faultOf: (call) => {
        if (call === 'send') {
          const told = w.cluster.values('gw1.gaps', 0).length;
          const arrived = w.cluster.values('gw1.readings', 0);
          checkpoints.push(`${told} told, ${arrived.join('')} arrived`);
        }
        return null;
      },
    });
    await drained(forwarder);
    // As the log does it: both in one commit.
    w.log.append('readings', 0, ['d', 'e', 'f'].map(record));
    w.log.append('gaps', 0, [record('readings-0 3..4')]);
    w.log.moveLogStart('readings', 0, 5);
    await drained(forwarder);
    await forwarder.stop();
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['a', 'b', 'c', 'f']);
    expect(w.cluster.values('gw1.gaps', 0)).toEqual(['readings-0 3..4']);
    expect(checkpoints.slice(-2)).toEqual(['0 told, abc arrived', '1 told, abc arrived']);
    const own = w.cluster
      .committed('gw1.headwater-checkpoint', 0)
      .filter(({ key }) => key.endsWith('readings/0'))
      .map(({ value }) => JSON.parse(Buffer.from(value).toString()).nextOffset);
    expect(own).toEqual([1, 2, 3, 6]);
  });

  test('is not stopped by a topic that is deleted, and goes on with its offsets when it is created again', async () => {
    const w = world();
    for (const topic of ['deleted', 'readings']) {
      w.log.createTopic(topic, 1);
      w.log.append(topic, 0, [record('a')]);
    }
    let isThere = true;
    const { forwarder } = start(w, { faultOf: () => (isThere ? null : 'unreachable') });
    await drained(forwarder);
    isThere = false;
    w.log.append('deleted', 0, [record('never sent')]);
    w.log.append('readings', 0, [record('b')]);
    await until('it has tried', () => forwarder.status().lastError !== null);
    w.log.deleteTopic('deleted');
    isThere = true;
    await drained(forwarder);
    w.log.createTopic('deleted', 1);
    w.log.append('deleted', 0, [record('again')]);
    await drained(forwarder);
    await forwarder.stop();
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['a', 'b']);
    expect(w.cluster.values('gw1.deleted', 0)).toEqual(['a', 'again']);
    const { value } = w.cluster.committed('gw1.headwater-checkpoint', 0).at(-1) ?? {};
    expect(JSON.parse(Buffer.from(value ?? []).toString())).toMatchObject({ nextOffset: 3 });
  });

  test('sends less in one transaction after the link broke, and more again while it holds', async () => {
    const w = world();
    w.log.createTopic('readings', 1);
    for (let i = 0; i < 40; i += 1) w.log.append('readings', 0, [record('x'.repeat(50_000))]);
    let broken = 5;
    const sizes: number[] = [];
    const { forwarder } = start(w, {
      faultOf: (call) => {
        if (call === 'send' && broken > 0) {
          broken -= 1;
          return 'unreachable';
        }
        if (call === 'commit') sizes.push(forwarder.status().recordsAcknowledged);
        return null;
      },
    });
    await drained(forwarder);
    await forwarder.stop();
    // 256 KiB are halved down to 16 KiB, double up to 64 KiB, and grow by as much with each commit.
    expect(sizes).toEqual([0, 1, 2, 3, 5, 8, 13, 19, 26, 35]);
    expect(w.cluster.values('gw1.readings', 0)).toHaveLength(40);
  });

  test('lets new records wait for others, but not behind a backlog', async () => {
    const w = world();
    w.log.createTopic('readings', 1);
    const { forwarder, target } = start(w, { lingerMs: 250 });
    await drained(forwarder);
    w.log.append('readings', 0, [record('a')]);
    await drained(forwarder);
    expect(w.clock.sleeps).toEqual([250]);
    const before = target.calls.filter((call) => call === 'commit').length;
    for (let i = 0; i < 50; i += 1) w.log.append('readings', 0, [record('x'.repeat(500_000))]);
    await drained(forwarder);
    await forwarder.stop();
    expect(target.calls.filter((call) => call === 'commit').length).toBeGreaterThan(before + 2);
    expect(w.clock.sleeps.filter((ms) => ms === 250)).toHaveLength(2);
  });

  test('goes on after a gap in the log', async () => {
    const w = world();
    w.log.createTopic('readings', 1);
    for (const value of ['a', 'b', 'c']) w.log.append('readings', 0, [record(value)]);
    w.log.loseBatch('readings', 0, 1);
    const { forwarder } = start(w);
    await drained(forwarder);
    await forwarder.stop();
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['a', 'c']);
  });

  test('goes on after a gap at the end of the log', async () => {
    const w = world();
    w.log.createTopic('readings', 1);
    for (const value of ['a', 'b']) w.log.append('readings', 0, [record(value)]);
    w.log.loseBatch('readings', 0, 1);
    const { forwarder } = start(w);
    await drained(forwarder);
    w.log.append('readings', 0, [record('c')]);
    await drained(forwarder);
    await forwarder.stop();
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['a', 'c']);
  });

  test.each<[string, Call, Fault, readonly Call[]]>([
    ['the answer to the commit is lost after it took effect', 'commit', 'answer-lost', []],
    ['the commit never arrives', 'commit', 'unreachable', []],
    ['the commit arrives late, into the next session', 'commit', 'late', []],
    ['the commit is refused', 'commit', 'refused', []],
    ['the records arrive but the answer is lost', 'send', 'answer-lost', []],
    ['the records arrive late, into the next session', 'send', 'late', []],
    ['only some of the records are taken', 'send', 'part-refused', ['abort']],
    ['sending is forbidden', 'send', 'forbidden', ['abort']],
    ['the session is fenced when it sends', 'send', 'fenced', []],
    ['the session is fenced when it commits', 'commit', 'fenced', []],
    ['the cluster is not there when it opens', 'open', 'unreachable', []],
    ['the checkpoints cannot be read', 'read-checkpoints', 'refused', []],
  ])('delivers once and in order when %s', async (_, call, fault, extra) => {
    const w = world();
    w.log.createTopic('readings', 2);
    w.log.append('readings', 0, [record('a'), record('b')]);
    w.log.append('readings', 1, [record('c')]);
    const { forwarder, target } = start(w, { faultOf: faults([call, fault]) });
    await until('a failure', () => forwarder.status().lastError !== null);
    for (const late of w.cluster.late.splice(0)) late();
    await drained(forwarder);
    w.log.append('readings', 0, [record('d')]);
    await drained(forwarder);
    await forwarder.stop();
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['a', 'b', 'd']);
    expect(w.cluster.values('gw1.readings', 1)).toEqual(['c']);
    expect(target.calls.filter((one) => one === 'abort')).toEqual(extra);
    expect(forwarder.status().lastError?.message).toContain(fault === 'part-refused' ? 'refused' : call);
  });

  test('says that another gateway has its identity, and waits long before it takes it back', async () => {
    const w = world();
    w.log.createTopic('readings', 1);
    w.log.append('readings', 0, [record('a')]);
    const { forwarder } = start(w);
    await drained(forwarder);
    const { forwarder: twin } = start(w);
    await drained(twin);
    w.log.append('readings', 0, [record('b')]);
    await until(
      'one is fenced',
      () => forwarder.status().lastError !== null || twin.status().lastError !== null,
    );
    await Promise.all([forwarder.stop(), twin.stop()]);
    expect(w.clock.sleeps.some((ms) => ms >= 30_000)).toBe(true);
    const { forwarder: last } = start(w);
    await drained(last);
    await last.stop();
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['a', 'b']);
  });

  test('takes a new identity when the folder does not know the life that the cluster has records of', async () => {
    const w = world();
    w.log.createTopic('readings', 1);
    w.log.append('readings', 0, [record('a'), record('b')]);
    const { forwarder } = start(w);
    await drained(forwarder);
    await forwarder.stop();
    w.log.loseTail('readings', 0, 0);
    w.log.startLife();
    w.log.append('readings', 0, [record('other'), record('other'), record('other')]);
    const { forwarder: next } = start(w);
    await drained(next);
    expect(next.status().warnings).toEqual([
      expect.stringMatching(
        /life 0+1\).*under the identity [0-9a-f]{32};.*may arrive twice \(the topic gaps says which\), none is skipped/,
      ),
    ]);
    const doubt = { topic: 'readings', partition: 0, reason: 'possible-duplicate', cause: 'new-identity' };
    expect(w.cluster.values('gw1.gaps', 0).map((row) => JSON.parse(row))).toEqual([
      expect.objectContaining({ ...doubt, firstOffset: 0, lastOffset: 2 }),
    ]);
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['a', 'b', 'other', 'other', 'other']);
    await next.stop();
  });

  test('keeps its new identity, and where its past had come, over restarts', async () => {
    const w = world();
    w.log.createTopic('readings', 2);
    w.log.append('readings', 0, [record('a')]);
    w.log.append('readings', 1, [record('b')]);
    const first = start(w, { board: 'one' });
    await drained(first.forwarder);
    await first.forwarder.stop();
    const second = start(w, { board: 'two' });
    await drained(second.forwarder);
    expect(second.forwarder.status().warnings[0]).toMatch(/another board.*may arrive twice/);
    w.log.append('readings', 0, [record('c')]);
    await drained(second.forwarder);
    await second.forwarder.stop();
    const third = start(w, { board: 'two' });
    w.log.append('readings', 1, [record('d')]);
    await drained(third.forwarder);
    await third.forwarder.stop();
    expect(third.forwarder.status().warnings).toEqual([]);
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['a', 'c']);
    expect(w.cluster.values('gw1.readings', 1)).toEqual(['b', 'd']);
    expect(w.cluster.transactionalIds()).toHaveLength(4);
  });

  test.each<[OnCheckpointLost, string[]]>([
    ['resume', ['c']],
    ['resend', ['a', 'b', 'c']],
    ['stop', []],
  ])(
    'after a change of the cluster does what onCheckpointLost says: %s',
    async (onCheckpointLost, expected) => {
      const w = world();
      w.log.createTopic('readings', 1);
      w.log.append('readings', 0, [record('a')]);
      const { forwarder } = start(w);
      await drained(forwarder);
      await forwarder.stop();
      // A session start remembers what it read, and the transaction that comes next.
      w.log.append('readings', 0, [record('b')]);
      const { forwarder: again } = start(w);
      await drained(again);
      await again.stop();
      const moved = { ...w, cluster: new SimCluster('cluster-2') };
      const { forwarder: next } = start(moved, { onCheckpointLost });
      await until(
        'it has decided',
        () => next.status().warnings.length > 0 || next.status().state === 'stopped',
      );
      expect(`${next.status().message} ${next.status().warnings.join()}`).toMatch(
        /the cluster is another one \(cluster-2\).*readings-0.*In doubt .* readings-0 1\.\.1 may have arrived/,
      );
      w.log.append('readings', 0, [record('c')]);
      if (onCheckpointLost === 'stop') expect(next.status().state).toBe('stopped');
      else await drained(next);
      await next.stop();
      // The last transaction is in doubt, so it may come again.
      const arrived = moved.cluster.values('gw1.readings', 0);
      expect(onCheckpointLost === 'resume' ? arrived.filter((value) => value !== 'b') : arrived).toEqual(
        expected,
      );
    },
  );

  test('goes on exactly where it was when its checkpoints were deleted and it remembers them', async () => {
    const w = world();
    w.log.createTopic('readings', 1);
    for (const value of ['a', 'b']) {
      w.log.append('readings', 0, [record(value)]);
      const { forwarder } = start(w);
      await drained(forwarder);
      await forwarder.stop();
    }
    w.cluster.deleteTopic('gw1.headwater-checkpoint');
    const { forwarder } = start(w);
    w.log.append('readings', 0, [record('c')]);
    await drained(forwarder);
    await forwarder.stop();
    expect(forwarder.status().warnings[0]).toMatch(/no longer says.*readings-0/);
    // The transaction in doubt may come twice, nothing before it.
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['a', 'b', 'b', 'c']);
  });

  test('sends nothing while it cannot note where it stands, and says so', async () => {
    const w = world();
    w.log.createTopic('readings', 1);
    w.log.append('readings', 0, [record('a')]);
    const { forwarder: first } = start(w);
    await drained(first);
    w.log.saveError = new OperatingError('log-unavailable', 'the disk says no');
    w.log.append('readings', 0, [record('b')]);
    await until('it says so', () => first.status().lastError !== null);
    expect(first.status().lastError?.message).toMatch(/cannot note where it stands: the disk says no/);
    await drained(first);
    await first.stop();
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['a', 'b']);
  });

  test('sends again what a lying disk lost and new records replaced, so that none is skipped', async () => {
    const w = world();
    w.log.createTopic('readings', 1);
    for (const value of ['a', 'b', 'c']) w.log.append('readings', 0, [record(value)]);
    const { forwarder } = start(w);
    await drained(forwarder);
    await forwarder.stop();
    w.log.loseTail('readings', 0, 1);
    w.log.startLife();
    w.log.append('readings', 0, [record('B')]);
    const { forwarder: next } = start(w);
    await drained(next);
    await next.stop();
    expect(w.cluster.values('gw1.readings', 0)).toEqual(['a', 'b', 'c', 'B']);
  });

  test('refuses to guess when a checkpoint cannot be read', async () => {
    const w = world();
    w.log.createTopic('readings', 1);
    w.log.append('readings', 0, [record('a')]);
    w.cluster.ensureTopic('gw1.headwater-checkpoint', 1);
    const vandal = new SimTarget({ cluster: w.cluster });
    const topic = 'gw1.headwater-checkpoint';
    await vandal.open({
      transactionalId: 'v',
      othersToEnd: [],
      topics: [],
      creation: { allowed: true },
      checkpointTopic: topic,
      checkpointKeyPrefixes: [''],
    });
    const { buildBatch } = await import('../../src/forwarder/cluster/outgoing-batch.ts');
    const batch = await buildBatch([
      { ...record('{"version":2}'), key: Buffer.from(`${w.log.logId}/readings/0`) },
    ]);
    await vandal.send([{ topic, partition: 0, batch, source: null }]);
    await vandal.commit();
    const { forwarder } = start(w);
    await until('it says so', () => forwarder.status().lastError !== null);
    expect(forwarder.status().lastError?.message).toMatch(/readings\/0 .* version is 2/);
    expect(w.cluster.values('gw1.readings', 0)).toEqual([]);
    await forwarder.stop();
  });

  test('tells how old the oldest record is that has not arrived, also before it ever reached the cluster', async () => {
    const w = world();
    w.log.createTopic('readings', 1);
    w.log.append('readings', 0, [record('a')]);
    let isThere = false;
    const { forwarder } = start(w, { faultOf: () => (isThere ? null : 'unreachable') });
    await until('an hour has gone by', () => forwarder.status().lagSeconds > 3600);
    expect(forwarder.status()).toMatchObject({ lagRecords: 1, recordsAcknowledged: 0 });
    isThere = true;
    await drained(forwarder);
    expect(forwarder.status()).toMatchObject({ lagRecords: 0, lagSeconds: 0 });
    await forwarder.stop();
    // What was acknowledged in an earlier run does not count, although the cluster is not asked yet.
    w.log.append('readings', 0, [record('b')]);
    const again = start(w);
    await drained(again.forwarder);
    await again.forwarder.stop();
    w.log.append('readings', 0, [record('c'), record('d')]);
    const { forwarder: offline } = start(w, { faultOf: () => 'unreachable' });
    // The last transaction is not remembered before the next one.
    expect(offline.status().lagRecords).toBe(3);
    await offline.stop();
  });

  test('counts transactions by what became of them', async () => {
    const w = world();
    w.log.createTopic('readings', 1);
    w.log.append('readings', 0, [record('a')]);
    const counted: [MetricName, number, MetricLabels | undefined][] = [];
    const told: readonly MetricName[] = [
      'headwater_forwarder_transactions_total',
      'headwater_forwarder_records_total',
    ];
    const { forwarder } = start(w, {
      faultOf: faults(['send', 'refused'], ['commit', 'answer-lost']),
      metrics: {
        ...noMetrics,
        add: (name, by, labels) => void (told.includes(name) && by > 0 && counted.push([name, by, labels])),
      },
    });
    await drained(forwarder);
    w.log.append('readings', 0, [record('b')]);
    await drained(forwarder);
    await forwarder.stop();
    expect(counted).toEqual([
      ['headwater_forwarder_transactions_total', 1, { outcome: 'aborted' }],
      ['headwater_forwarder_transactions_total', 1, { outcome: 'unknown' }],
      // The next session tells that it has arrived.
      ['headwater_forwarder_records_total', 1, undefined],
      ['headwater_forwarder_records_total', 1, undefined],
      ['headwater_forwarder_transactions_total', 1, { outcome: 'committed' }],
    ]);
  });

  test('stops in the middle of anything, and finishes the transaction in hand if it can', async () => {
    for (let steps = 0; steps < 40; steps += 1) {
      const w = world();
      w.log.createTopic('readings', 1);
      w.log.append('readings', 0, [record('a')]);
      const { forwarder, target } = start(w);
      for (let i = 0; i < steps; i += 1) await setImmediate();
      await forwarder.stop();
      const calls = [...target.calls];
      await setImmediate();
      expect(target.calls).toEqual(calls);
      expect(forwarder.status().state).toBe('stopped');
      if (calls.includes('send')) expect(w.cluster.values('gw1.readings', 0)).toEqual(['a']);
    }
  });
});

describe('a forwarder that crashes at any point, before a cluster and a link that fail', () => {
  const likely: readonly Fault[] = [
    'unreachable',
    'answer-lost',
    'late',
    'busy',
    'refused',
    'part-refused',
    'hidden',
  ];

  test.each(Array.from({ length: 40 }, (_, index) => index + 1))(
    'delivers every record once and in order (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const below = (count: number): number => Math.floor(random.next() * count);
      const w = world();
      w.log.createTopic('readings', 2);
      w.log.createTopic('alarms', 1);
      const expected = new Map<string, string[]>();
      let faultRate = 0.25;
      const faultOf = (): Fault | null =>
        random.next() < faultRate ? (likely[below(likely.length)] ?? null) : null;
      let running = start(w, { faultOf, random: seededRandom(seed) });
      for (let action = 0; action < 60; action += 1) {
        if (random.next() < 0.7) {
          const [topic, partition] = [
            ['readings', 0],
            ['readings', 1],
            ['alarms', 0],
          ][below(3)] as [string, number];
          const values = Array.from({ length: 1 + below(5) }, (_, index) => `${action}.${index}`);
          w.log.append(topic, partition, values.map(record));
          const key = `gw1.${topic}/${partition}`;
          expected.set(key, [...(expected.get(key) ?? []), ...values]);
        }
        for (let i = below(12); i > 0; i -= 1) await setImmediate();
        if (random.next() < 0.3) w.cluster.late.shift()?.();
        if (random.next() < 0.2) {
          running.target.isCutOff = true;
          await running.forwarder.stop();
          w.log.startLife();
          running = start(w, { faultOf, random: seededRandom(seed + action) });
        }
      }
      faultRate = 0;
      for (const late of w.cluster.late.splice(0)) late();
      await drained(running.forwarder);
      await running.forwarder.stop();
      for (const [key, values] of expected) {
        const [topic = '', partition] = key.split('/');
        expect(w.cluster.values(topic, Number(partition))).toEqual(values);
      }
    },
  );
});
