import { describe, expect, test } from 'vitest';
import type { LogRecord } from '../../src/core/record.ts';
import type { Forwarder } from '../../src/forwarder/forwarder.ts';
import { partitionForKey } from '../../src/log/commits/partitioner.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { type Call, type Dislike, type Fault, SimCluster } from '../support/sim-target.ts';
import { simulatedForwarder } from '../support/simulated-forwarder.ts';
import { seededRandom, until, VirtualClock } from '../support/virtual-time.ts';

const centralPartitions = 5;
const localPartitions = 3;

const record = (key: string | null, value: string): LogRecord => ({
  key: key === null ? null : Buffer.from(key),
  value: Buffer.from(value),
  timestampMs: 1_700_000_000_000,
  headers: [],
});

/** The `count`-th records of eight devices and of nobody, `device number`, each in the partition of its key. */
function appendRound(log: LogWithLives, number: number): void {
  for (let device = 0; device < 8; device += 1) {
    const key = `device-${device}`;
    const partition = partitionForKey(Buffer.from(key), localPartitions);
    log.append('readings', partition, [record(key, `${key} ${number}`)]);
  }
  for (let partition = 0; partition < localPartitions; partition += 1)
    log.append('readings', partition, [record(null, `nobody-${partition} ${number}`)]);
}

/** What is wrong with the central partitions, if these rounds and nothing else should be there. */
function judge(cluster: SimCluster, rounds: number, isMissing: (value: string) => boolean = () => false) {
  const wrong: string[] = [];
  for (let partition = 0; partition < centralPartitions; partition += 1) {
    for (const value of cluster.values('gw1.readings', partition)) {
      const key = value.split(' ')[0] ?? '';
      const expected = key.startsWith('nobody')
        ? Number(key.split('-')[1]) % centralPartitions
        : partitionForKey(Buffer.from(key), centralPartitions);
      if (partition !== expected) wrong.push(`${value} is in partition ${partition}, not ${expected}`);
    }
  }
  const all = Array.from({ length: centralPartitions }, (_, partition) =>
    cluster.values('gw1.readings', partition),
  ).flat();
  const sources = [
    ...Array.from({ length: 8 }, (_, device) => `device-${device}`),
    ...Array.from({ length: localPartitions }, (_, partition) => `nobody-${partition}`),
  ];
  for (const source of sources) {
    const expected = Array.from({ length: rounds }, (_, number) => `${source} ${number}`);
    const arrived = all.filter((value) => value.startsWith(`${source} `));
    if (arrived.join() !== expected.filter((value) => !isMissing(value)).join())
      wrong.push(`of ${source} there is: ${arrived.join()}`);
  }
  return wrong;
}

const drained = (forwarder: Forwarder): Promise<void> =>
  until('everything is acknowledged', () => {
    const { lagRecords, state } = forwarder.status();
    return lagRecords === 0 && state === 'idle';
  });

function world() {
  const log = new LogWithLives();
  const cluster = new SimCluster();
  log.createTopic('readings', localPartitions);
  log.setTopic('readings', { centralPartitions });
  const start = (faultOf?: (call: Call) => Fault | null) => {
    const made = simulatedForwarder({ log, clock: new VirtualClock() }, cluster, faultOf);
    made.forwarder.start();
    return made;
  };
  return { log, cluster, start };
}

describe('a topic that is sent by key', () => {
  test('arrives in the partitions of its keys, from segments and from the journal, over a restart', async () => {
    const { log, cluster, start } = world();
    let rounds = 0;
    for (; rounds < 30; rounds += 1) appendRound(log, rounds);
    for (let partition = 0; partition < localPartitions; partition += 1) log.seal('readings', partition);
    for (; rounds < 40; rounds += 1) appendRound(log, rounds);
    const first = start().forwarder;
    await drained(first);
    await first.stop();
    expect(cluster.partitionCount('gw1.readings')).toBe(centralPartitions);
    log.startLife();
    for (; rounds < 50; rounds += 1) appendRound(log, rounds);
    const second = start().forwarder;
    await drained(second);
    appendRound(log, rounds);
    rounds += 1;
    await drained(second);
    await second.stop();
    expect(judge(cluster, rounds)).toEqual([]);
  });

  test.each(Array.from({ length: 12 }, (_, index) => index + 1))(
    'arrives once and in order of each key through crashes and faults of the link, seed %i',
    async (seed) => {
      const { log, cluster, start } = world();
      const random = seededRandom(seed);
      const faults: readonly Fault[] = ['unreachable', 'answer-lost', 'late', 'part-refused', 'busy'];
      const faultOf = (): Fault | null =>
        random.next() < 0.15 ? (faults[Math.floor(random.next() * faults.length)] ?? null) : null;
      let rounds = 0;
      for (let life = 0; life < 6; life += 1) {
        const { target, forwarder } = start(faultOf);
        for (let some = 0; some < 4; some += 1, rounds += 1) {
          appendRound(log, rounds);
          if (random.next() < 0.3) log.seal('readings', Math.floor(random.next() * localPartitions));
          const before = target.calls.length;
          const calls = Math.floor(random.next() * 12);
          await until(
            'it got on',
            () => target.calls.length >= before + calls || forwarder.status().lagRecords === 0,
          );
        }
        // The process is dead: what it still does has no effect.
        target.isCutOff = true;
        void forwarder.stop();
        for (const late of cluster.late.splice(0)) late();
        log.startLife();
      }
      const { forwarder } = start();
      await drained(forwarder);
      await forwarder.stop();
      expect(judge(cluster, rounds)).toEqual([]);
    },
  );

  test.each<Dislike>([
    { verdict: 'bad', isNamed: true },
    { verdict: 'bad', isNamed: false },
    { verdict: 'too-large', isNamed: false },
    { verdict: 'doubtful', isNamed: false },
  ])('loses exactly the records that the cluster refuses, under their own offsets: %o', async (dislike) => {
    const { log, cluster, start } = world();
    const isBad = (value: string): boolean => /^(device-[15]|nobody-2) (7|8|21)$/.test(value);
    cluster.dislikeOf = (topic, value) => (topic === 'gw1.readings' && isBad(value) ? dislike : null);
    const offsets: string[] = [];
    for (let round = 0; round < 30; round += 1) appendRound(log, round);
    for (let partition = 0; partition < localPartitions; partition += 1) {
      const stored = await log.read('readings', partition, 0, Number.MAX_SAFE_INTEGER);
      const { decodeBatch } = await import('../../src/log/encoding/batch.ts');
      for (const { offset, value } of stored.flatMap(({ bytes }) => decodeBatch(bytes)))
        if (isBad(String(value))) offsets.push(`${partition}@${offset}`);
      log.seal('readings', partition);
    }
    const { forwarder } = start();
    await drained(forwarder);
    await forwarder.stop();
    expect(judge(cluster, 30, isBad)).toEqual([]);
    const told = cluster.values('gw1.gaps', 0).flatMap((row) => {
      const { partition, firstOffset, lastOffset } = JSON.parse(row) as Record<string, number>;
      const count = (lastOffset ?? 0) - (firstOffset ?? 0) + 1;
      return Array.from({ length: count }, (_, index) => `${partition}@${(firstOffset ?? 0) + index}`);
    });
    expect(told.toSorted()).toEqual(offsets.toSorted());
    expect(offsets).toHaveLength(9);
  });

  test('goes on under another number of partitions as soon as it is set, each record once', async () => {
    const { log, cluster, start } = world();
    for (let round = 0; round < 5; round += 1) appendRound(log, round);
    const { forwarder } = start();
    await drained(forwarder);
    const before = Array.from(
      { length: 9 },
      (_, partition) => cluster.values('gw1.readings', partition).length,
    );
    log.setTopic('readings', { centralPartitions: 9 });
    for (let round = 5; round < 10; round += 1) appendRound(log, round);
    await drained(forwarder);
    log.setTopic('readings', {});
    for (let round = 10; round < 15; round += 1) appendRound(log, round);
    await drained(forwarder);
    await forwarder.stop();
    const values = Array.from({ length: 9 }, (_, partition) => cluster.values('gw1.readings', partition));
    expect(new Set(values.flat()).size).toBe(15 * 11);
    expect(values.flat()).toHaveLength(15 * 11);
    for (const [partition, those] of values.entries())
      for (const value of those.slice(before[partition])) {
        const [key = '', number] = value.split(' ');
        const isNobody = key.startsWith('nobody');
        const by = (partitions: number): number =>
          isNobody ? Number(key.split('-')[1]) : partitionForKey(Buffer.from(key), partitions);
        expect([value, partition]).toEqual([value, by(Number(number) < 10 ? 9 : localPartitions)]);
      }
  });
});
