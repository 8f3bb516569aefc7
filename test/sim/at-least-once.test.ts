import { describe, expect, test } from 'vitest';
import type { LogRecord } from '../../src/core/record.ts';
import type { Forwarder } from '../../src/forwarder/forwarder.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { type Call, type Fault, SimCluster } from '../support/sim-target.ts';
import { simulatedForwarder } from '../support/simulated-forwarder.ts';
import { seededRandom, until, VirtualClock } from '../support/virtual-time.ts';
import { withoutDoubles } from '../support/without-doubles.ts';

const partitions = 2;
const central = 3;

const record = (value: string): LogRecord => ({
  key: Buffer.from(`key-${Number(value.split(' ')[1]) % 4}`),
  value: Buffer.from(value),
  timestampMs: 1_700_000_000_000,
  headers: [{ name: 'mqtt.topic', value: Buffer.from('a/b') }],
});

const drained = (forwarder: Forwarder): Promise<void> =>
  until('everything is acknowledged', () => {
    const { lagRecords, state } = forwarder.status();
    return lagRecords === 0 && state === 'idle';
  });

function world(centralPartitions?: number) {
  const log = new LogWithLives();
  const cluster = new SimCluster();
  log.createTopic('readings', partitions);
  if (centralPartitions !== undefined) log.setTopic('readings', { centralPartitions });
  /** What was acknowledged to the senders, by partition. */
  const sent = Array.from({ length: partitions }, (): string[] => []);
  let count = 0;
  const append = (partition: number, records: number): void => {
    const values = Array.from({ length: records }, () => `${partition} ${count++}`);
    sent[partition]?.push(...values);
    log.append('readings', partition, values.map(record));
  };
  const start = (faultOf?: (call: Call) => Fault | null) => {
    const options = { log, clock: new VirtualClock(), delivery: 'at-least-once' } as const;
    const made = simulatedForwarder({ ...options, transactionBytesMax: 4000 }, cluster, faultOf);
    made.forwarder.start();
    return made;
  };
  /** What a consumer keeps that drops what it has seen, by the partition here. */
  const kept = (): string[][] => {
    const arrived = Array.from({ length: centralPartitions ?? partitions }, (_, partition) =>
      withoutDoubles(cluster.committed('gw1.readings', partition)).map(({ value }) =>
        Buffer.from(value).toString(),
      ),
    );
    return sent.map((_, partition) => arrived.flat().filter((value) => value.startsWith(`${partition} `)));
  };
  const arrivals = (): number =>
    Array.from({ length: centralPartitions ?? partitions }, (_, partition) =>
      cluster.values('gw1.readings', partition),
    ).flat().length;
  return { log, cluster, sent, append, start, kept, arrivals };
}

describe('at least once', () => {
  test.each([undefined, central])(
    'everything arrives, and without doubles it is in order, whenever the gateway crashes (central partitions: %s)',
    async (centralPartitions) => {
      let doubled = 0;
      for (let seed = 1; seed <= 40; seed += 1) {
        const { log, cluster, sent, append, start, kept, arrivals } = world(centralPartitions);
        const random = seededRandom(seed);
        const faults: readonly Fault[] = ['unreachable', 'answer-lost', 'late', 'refused', 'part-refused'];
        const faultOf = (): Fault | null =>
          random.next() < 0.1 ? (faults[Math.floor(random.next() * faults.length)] ?? null) : null;
        for (let life = 0; life < 5; life += 1) {
          const { target, forwarder } = start(faultOf);
          for (let some = 0; some < 5; some += 1) {
            append(Math.floor(random.next() * partitions), 1 + Math.floor(random.next() * 30));
            if (random.next() < 0.3) log.seal('readings', Math.floor(random.next() * partitions));
            const calls = target.calls.length + Math.floor(random.next() * 8);
            await until(
              'it got on',
              () => target.calls.length >= calls || forwarder.status().lagRecords === 0,
            );
            if (random.next() < 0.3) cluster.late.shift()?.();
          }
          // The process is dead: what it still does has no effect.
          target.isCutOff = true;
          void forwarder.stop();
          log.startLife();
        }
        const { forwarder } = start();
        await drained(forwarder);
        for (const late of cluster.late.splice(0)) late();
        await forwarder.stop();
        if (centralPartitions === undefined) expect(kept()).toEqual(sent);
        else expect(byKey(kept())).toEqual(byKey(sent));
        doubled += arrivals() - sent.flat().length;
      }
      // Otherwise nothing was tried.
      expect(doubled).toBeGreaterThan(100);
    },
  );

  test('no transaction is begun, and nothing arrives twice while nothing fails', async () => {
    const { cluster, sent, append, start, arrivals } = world();
    append(0, 100);
    append(1, 5);
    const { forwarder } = start();
    await drained(forwarder);
    append(1, 5);
    await drained(forwarder);
    await forwarder.stop();
    expect(cluster.transactionalIds()).toEqual([]);
    expect(arrivals()).toBe(sent.flat().length);
    expect(forwarder.status().delivery).toBe('at-least-once');
    const [first] = cluster.committed('gw1.readings', 1);
    expect(first?.headers.map(({ name }) => name)).toEqual([
      'mqtt.topic',
      'headwater.source',
      'headwater.life',
      'headwater.offset',
    ]);
  });

  test('records that take the offsets of others, which a lying disk lost, are no doubles', async () => {
    const { log, sent, append, start, kept } = world();
    append(0, 20);
    const first = start().forwarder;
    await drained(first);
    await first.stop();
    log.loseTail('readings', 0, 0);
    log.startLife();
    append(0, 25);
    const second = start().forwarder;
    await drained(second);
    await second.stop();
    expect(kept()).toEqual(sent);
  });

  test.each([
    { verdict: 'bad', isNamed: true },
    { verdict: 'bad', isNamed: false },
    { verdict: 'too-large', isNamed: false },
  ] as const)('a refused record is set aside alone: %o', async (dislike) => {
    const { cluster, sent, append, start, kept } = world();
    const isBad = (value: string): boolean => value === '0 37' || value === '1 81';
    cluster.dislikeOf = (topic, value) => (topic === 'gw1.readings' && isBad(value) ? dislike : null);
    append(0, 60);
    append(1, 60);
    const { forwarder } = start();
    await drained(forwarder);
    await forwarder.stop();
    expect(kept()).toEqual(sent.map((values) => values.filter((value) => !isBad(value))));
    const rows = cluster.values('gw1.gaps', 0).map((row) => JSON.parse(row));
    expect(
      [...new Set(rows.map(({ partition, firstOffset }) => `${partition}@${firstOffset}`))].toSorted(),
    ).toEqual(['0@37', '1@21']);
  });

  test('goes on where exactly once has stopped, and the other way round', async () => {
    const { log, cluster, sent, append, start, arrivals } = world();
    append(0, 10);
    const first = start().forwarder;
    await drained(first);
    await first.stop();
    append(0, 10);
    const { forwarder: second } = simulatedForwarder({ log, clock: new VirtualClock() }, cluster);
    second.start();
    await drained(second);
    await second.stop();
    append(0, 10);
    const third = start().forwarder;
    await drained(third);
    await third.stop();
    expect(cluster.values('gw1.readings', 0)).toEqual(sent[0]);
    expect(arrivals()).toBe(30);
  });
});

/** Where records go by key, only those of one key have an order. */
const byKey = (partitionValues: readonly (readonly string[])[]) =>
  partitionValues.map((values) => Object.groupBy(values, (value) => `${Number(value.split(' ')[1]) % 4}`));
