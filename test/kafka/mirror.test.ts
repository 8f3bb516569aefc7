import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { buildBatch } from '../../src/forwarder/cluster/outgoing-batch.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import { Forwarder, type ForwarderOptions } from '../../src/forwarder/forwarder.ts';
import { checkpointTopicSettings } from '../../src/forwarder/kafka/checkpoint-topic.ts';
import { openAccess } from '../../src/forwarder/kafka/cluster-access.ts';
import { KafkaConnection } from '../../src/forwarder/kafka/kafka-connection.ts';
import { KafkaTarget } from '../../src/forwarder/kafka/kafka-target.ts';
import { SharedLink } from '../../src/forwarder/kafka/link-share.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';
import { hiddenEndPlant } from '../sim/mirror-plants.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { restartAll, stopAll } from './outage.ts';
import { kafkaTools } from './tools.ts';
import { until } from './until.ts';

// A back-off of 30 s and a request that times out after 30 s may follow each other on a busy machine.
const DRAIN_MS_MAX = 180_000;

const clusters: Cluster[] = [];
const forwarders: Forwarder[] = [];

afterEach(async () => {
  await Promise.all(forwarders.splice(0).map((forwarder) => forwarder.stop()));
  await Promise.all(clusters.splice(0).map((cluster) => cluster.close()));
});

async function started(brokers: 1 | 3, transactionVersion: 0 | 2 = 2): Promise<Cluster> {
  const cluster = await startCluster({ brokers, transactionVersion });
  clusters.push(cluster);
  return cluster;
}

function mirror(
  log: LogWithLives,
  cluster: Cluster,
  board: string | null = null,
  options: Partial<ForwarderOptions> = {},
): Forwarder {
  const forwarder = new Forwarder({
    log,
    brokers: cluster.bootstrap,
    mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }),
    lingerMs: 5,
    onCheckpointLost: 'resume',
    board,
    clock: nodeClock,
    random: nodeRandom,
    logger: silentLogger,
    metrics: noMetrics,
    ...options,
  });
  forwarder.start();
  forwarders.push(forwarder);
  return forwarder;
}

async function drained(forwarder: Forwarder): Promise<void> {
  const isDrained = async (): Promise<true | undefined> => {
    const { lagRecords, state, message } = forwarder.status();
    if (state === 'stopped') throw new Error(message);
    return await Promise.resolve((lagRecords === 0 && state === 'idle') || undefined);
  };
  await until('everything is acknowledged', DRAIN_MS_MAX, isDrained).catch((cause: unknown) => {
    throw new Error(`the mirror is stuck: ${JSON.stringify(forwarder.status())}`, { cause });
  });
}

const records = (from: number, count: number): LogRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    key: Buffer.from(`device-${(from + index) % 7}`),
    value: Buffer.from(`${from + index}`),
    timestampMs: Date.now(),
    headers: [{ name: 'mqtt.topic', value: Buffer.from('a/b') }],
  }));

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

/** Values of each partition in its order, as Kafka's own read_committed consumer sees them. */
async function delivered(cluster: Cluster, topic: string): Promise<Map<number, number[]>> {
  const consumed = await kafkaTools(cluster.bootstrap).consume(topic, {
    readCommitted: true,
    timeoutMs: 15_000,
  });
  const values = new Map<number, number[]>();
  for (const { partition, value } of consumed)
    values.set(partition, [...(values.get(partition) ?? []), Number(value)]);
  return values;
}

/** What the loss ledger in the cluster says may be there twice. */
async function possibleDuplicates({ bootstrap }: Cluster): Promise<readonly string[]> {
  const rows = await kafkaTools(bootstrap).consume('gw1.gaps', { readCommitted: true, timeoutMs: 15_000 });
  return rows.flatMap(({ value }) => {
    const { topic, partition, firstOffset, lastOffset, reason, cause } = JSON.parse(`${value}`);
    const told = `${topic}-${partition} ${firstOffset}..${lastOffset} ${cause}`;
    return reason === 'possible-duplicate' ? [told] : [];
  });
}

/** A mirror that depends on the cluster alone, in a process of its own, with a bug planted if one is named. */
async function forgetfulMirror(cluster: Cluster, plant?: string): Promise<string> {
  const hook = fileURLToPath(new URL('../support/plant-hook.ts', import.meta.url));
  const script = fileURLToPath(new URL('./forgetful-mirror.ts', import.meta.url));
  const parameters = [...(plant === undefined ? [] : ['--import', hook]), script, ...cluster.bootstrap];
  const env = { ...process.env, ...(plant === undefined ? {} : { HEADWATER_PLANT: plant }) };
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { env });
  return stdout.trim();
}

describe('the mirror to a real Kafka', () => {
  test('delivers once and in order through new forwarders, a broken link and a restart of all brokers', async () => {
    const cluster = await started(3);
    const log = new LogWithLives();
    log.createTopic('readings', 2);
    log.append('readings', 0, records(0, 500));
    log.append('readings', 1, records(0, 300));
    await drained(mirror(log, cluster));

    // Mid-way: another forwarder of the same log takes over; the first is fenced, as after a crash of its process.
    log.append('readings', 0, records(500, 500));
    log.startLife();
    const second = mirror(log, cluster);
    await forwarders.shift()?.stop();
    log.append('readings', 0, records(1000, 1));
    await drained(second);

    for (let round = 0; round < 20; round += 1) log.append('readings', 1, records(300 + round * 10, 10));
    await stopAll(cluster);
    log.append('readings', 0, records(1001, 99));
    await until('it says that nobody answers', DRAIN_MS_MAX, async () =>
      Promise.resolve(/connection refused|lost|closed/i.test(second.status().message) || undefined),
    );
    await restartAll(cluster);
    await drained(second);

    // A topic that appears while it runs, and one that grows.
    log.createTopic('alarms', 1);
    log.append('alarms', 0, records(0, 3));
    await drained(second);

    const readings = await delivered(cluster, 'gw1.readings');
    expect(readings.get(0)).toEqual(numbers(0, 1100));
    expect(readings.get(1)).toEqual(numbers(0, 500));
    expect((await delivered(cluster, 'gw1.alarms')).get(0)).toEqual([0, 1, 2]);
  });

  test.each([
    { transactionVersion: 0, brokers: 1 },
    { transactionVersion: 2, brokers: 1 },
    { transactionVersion: 2, brokers: 3 },
  ] as const)(
    'speaks the transaction protocol that $brokers broker(s) agreed on (transaction.version=$transactionVersion)',
    async (options) => {
      const cluster = await started(options.brokers, options.transactionVersion);
      const log = new LogWithLives();
      log.createTopic('readings', 3);
      const forwarder = mirror(log, cluster);
      await drained(forwarder);
      const flushes = 12;
      for (let flush = 0; flush < flushes; flush += 1) {
        for (const partition of [0, 1, 2]) log.append('readings', partition, records(flush * 5, 5));
        await drained(forwarder);
      }
      await forwarder.stop();
      const readings = await delivered(cluster, 'gw1.readings');
      for (const partition of [0, 1, 2]) expect(readings.get(partition)).toEqual(numbers(0, flushes * 5));
      // Only the second protocol gives each transaction an epoch of its own.
      const epoch = await kafkaTools(cluster.bootstrap).producerEpoch(`headwater-${log.logId}-bulk`);
      if (options.transactionVersion === 2) expect(epoch).toBeGreaterThanOrEqual(flushes);
      else expect(epoch).toBeLessThan(flushes);
    },
  );

  test('delivers once and in order while brokers of three are killed in turn under load', async () => {
    const cluster = await started(3);
    const log = new LogWithLives();
    log.createTopic('readings', 3);
    const forwarder = mirror(log, cluster);
    let appended = 0;
    const feed = async (until: Promise<unknown>): Promise<void> => {
      let isOver = false;
      void until.finally(() => {
        isOver = true;
      });
      while (!isOver) {
        for (const partition of [0, 1, 2]) log.append('readings', partition, records(appended, 10));
        appended += 10;
        await nodeClock.sleep(20);
      }
    };
    await drained(forwarder);
    for (const node of [1, 2, 3]) {
      await feed(nodeClock.sleep(300));
      await feed(cluster.kill(node).then(() => cluster.restart(node)));
    }
    await drained(forwarder);
    const readings = await delivered(cluster, 'gw1.readings');
    for (const partition of [0, 1, 2]) expect(readings.get(partition)).toEqual(numbers(0, appended));
  });

  test('goes on after its checkpoint topic was deleted, and on another board, with nothing lost', async () => {
    const cluster = await started(1);
    const tools = kafkaTools(cluster.bootstrap);
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    for (const from of [0, 5, 10]) {
      log.append('readings', 0, records(from, 5));
      const forwarder = mirror(log, cluster, from === 0 ? 'board-1' : 'board-2');
      await drained(forwarder);
      await forwarder.stop();
    }
    await tools.deleteTopic('gw1.headwater-checkpoint');
    log.append('readings', 0, records(15, 5));
    const last = mirror(log, cluster, 'board-2');
    await drained(last);
    expect(last.status().warnings).toEqual([
      expect.stringMatching(/no longer says.*In doubt is the last transaction: readings-0 10\.\.14/),
    ]);
    const arrived = (await delivered(cluster, 'gw1.readings')).get(0) ?? [];
    // The transaction in doubt comes again, and the ledger there says so; nothing else does.
    expect(arrived).toEqual([...numbers(0, 15), ...numbers(10, 20)]);
    expect(await possibleDuplicates(cluster)).toEqual([
      'readings-0 0..9 new-identity',
      'readings-0 10..14 checkpoint-lost',
    ]);
  });

  test('goes on in another cluster where it was, with the last transaction in doubt', async () => {
    const [before, after] = [await started(1), await started(1)];
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    for (const from of [0, 5]) {
      log.append('readings', 0, records(from, 5));
      const forwarder = mirror(log, before);
      await drained(forwarder);
      await forwarder.stop();
    }
    log.append('readings', 0, records(10, 5));
    const moved = mirror(log, after);
    await drained(moved);
    expect(moved.status().warnings).toEqual([
      expect.stringMatching(
        /the cluster is another one.*In doubt is the last transaction: readings-0 5\.\.9/,
      ),
    ]);
    expect((await delivered(before, 'gw1.readings')).get(0)).toEqual(numbers(0, 10));
    expect((await delivered(after, 'gw1.readings')).get(0)).toEqual(numbers(5, 15));
  });

  test('makes a topic again that was deleted in the cluster, and loses nothing of what comes after', async () => {
    const cluster = await started(1);
    const log = new LogWithLives();
    for (const name of ['readings', 'others']) {
      log.createTopic(name, 1);
      log.append(name, 0, records(0, 5));
    }
    const forwarder = mirror(log, cluster);
    await drained(forwarder);
    await kafkaTools(cluster.bootstrap).deleteTopic('gw1.readings');
    for (const name of ['readings', 'others']) log.append(name, 0, records(5, 5));
    await drained(forwarder);
    expect((await delivered(cluster, 'gw1.readings')).get(0)).toEqual(numbers(5, 10));
    expect((await delivered(cluster, 'gw1.others')).get(0)).toEqual(numbers(0, 10));
  });

  test('refuses a checkpoint topic that is not compacted, and says how to make it so', async () => {
    const cluster = await started(1);
    const tools = kafkaTools(cluster.bootstrap);
    await tools.createTopic('gw1.headwater-checkpoint', { settings: { 'cleanup.policy': 'delete' } });
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    log.append('readings', 0, records(0, 3));
    const forwarder = mirror(log, cluster);
    const error = await until('it says so', DRAIN_MS_MAX, async () =>
      Promise.resolve(forwarder.status().lastError ?? undefined),
    );
    expect(error.message).toMatch(/cleanup.policy=delete.*kafka-configs.sh --alter/);
  });

  test('waits behind a foreign open transaction that hides its checkpoints, and says so', async () => {
    const cluster = await started(1);
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    log.append('readings', 0, records(0, 3));
    const first = mirror(log, cluster);
    await drained(first);
    await first.stop();
    const [host = '', port] = (cluster.bootstrap[0] ?? '').split(':');
    const connection = new KafkaConnection(
      { host, port: Number(port) },
      { tls: null, login: null, nowMs: 0 },
    );
    await connection.connect();
    const names = Object.keys(checkpointTopicSettings);
    const { code, settings } = await connection.topicSettings('gw1.headwater-checkpoint', names);
    connection.close();
    expect(code).toBe(0);
    expect(Object.fromEntries(settings)).toEqual(checkpointTopicSettings);

    const topic = 'gw1.headwater-checkpoint';
    const other = new KafkaTarget({
      brokers: cluster.bootstrap,
      readAccess: openAccess,
      clock: nodeClock,
      share: new SharedLink(nodeClock, null).shareOf('bulk'),
    });
    expect(
      await other.open({
        transactionalId: 'other',
        othersToEnd: [],
        topics: [],
        creation: { allowed: true },
        checkpointTopic: topic,
        checkpointKeyPrefixes: ['other/'],
      }),
    ).toBeNull();
    const foreign = await buildBatch([
      { key: Buffer.from(`${log.logId}/readings/0`), value: null, timestampMs: Date.now(), headers: [] },
    ]);
    expect(await other.send([{ topic, partition: 0, batch: foreign, source: null }])).toBeNull();

    log.append('readings', 0, records(3, 3));
    const second = mirror(log, cluster);
    const error = await until('it says so', DRAIN_MS_MAX, async () =>
      Promise.resolve(second.status().lastError ?? undefined),
    );
    expect(error.message).toMatch(
      /an open transaction, of another producer .* hides topic gw1.headwater-checkpoint/,
    );
    expect(second.status().recordsAcknowledged).toBe(0);
    expect(await other.abort()).toBeNull();
    await other.close();
    await drained(second);
    expect((await delivered(cluster, 'gw1.readings')).get(0)).toEqual(numbers(0, 6));
  });

  test('sends nothing twice when an open transaction hides its checkpoint; one that does not wait does', async () => {
    const cluster = await started(1);
    const log = new LogWithLives();
    const topic = 'gw1.headwater-checkpoint';
    log.createTopic('readings', 1);
    const first = mirror(log, cluster);
    await drained(first);
    const other = new KafkaTarget({
      brokers: cluster.bootstrap,
      readAccess: openAccess,
      clock: nodeClock,
      share: new SharedLink(nodeClock, null).shareOf('bulk'),
    });
    const foreign = await buildBatch([
      { key: Buffer.from('other/x/0'), value: null, timestampMs: 1, headers: [] },
    ]);
    const session = {
      transactionalId: 'other',
      othersToEnd: [],
      topics: [],
      creation: { allowed: true },
      checkpointTopic: topic,
      checkpointKeyPrefixes: [],
    };
    expect(await other.open(session)).toBeNull();
    expect(await other.send([{ topic, partition: 0, batch: foreign, source: null }])).toBeNull();
    // Its session is open, so its checkpoint comes to lie behind the record that hides it.
    log.append('readings', 0, records(0, 3));
    await drained(first);
    await first.stop();
    expect(await forgetfulMirror(cluster)).toBe('sent 0');
    expect(await forgetfulMirror(cluster, hiddenEndPlant.name)).toBe('sent 3');
    await other.close();
  });

  test('grows a central topic that has too few partitions', async () => {
    const cluster = await started(1);
    const tools = kafkaTools(cluster.bootstrap);
    await tools.createTopic('gw1.readings', { partitions: 1 });
    const log = new LogWithLives();
    log.createTopic('readings', 3);
    log.append('readings', 2, records(0, 3));
    await drained(mirror(log, cluster));
    expect(await tools.describeTopic('gw1.readings')).toHaveLength(3);
    expect((await delivered(cluster, 'gw1.readings')).get(2)).toEqual([0, 1, 2]);
  });

  test('sends no faster than it was told', async () => {
    const cluster = await started(1);
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    const count = 20;
    const noise = (): LogRecord[] =>
      records(0, 1).map((one) => ({ ...one, value: nodeRandom.bytes(50_000) }));
    for (let index = 0; index < count; index += 1) log.append('readings', 0, noise());
    const startedMs = nodeClock.monotonicMs();
    await drained(mirror(log, cluster, null, { bytesPerSecond: 200_000 }));
    // A transaction takes five seconds at most, as one request: the last one need not wait for its own time.
    expect(nodeClock.monotonicMs() - startedMs).toBeGreaterThan(2_000);
    expect((await delivered(cluster, 'gw1.readings')).get(0)).toHaveLength(count);
  });

  test('calls, makes and chooses topics as it was told, and goes on under new names', async () => {
    const cluster = await started(3);
    const log = new LogWithLives();
    for (const topic of ['sensors.a', 'sensors.b', 'private']) {
      log.createTopic(topic, 2);
      log.append(topic, 1, records(0, 3));
    }
    const topics = ['*', '!private'];
    const named = (template: string) => new TopicMapping({ gateway: 'gw1', site: 'lab', template, topics });
    const creation = { allowed: true, replication: 2, retention: 3_600_000 };
    const mapping = named('{site}-{topic}');
    const first = mirror(log, cluster, null, { mapping, creation });
    await drained(first);
    await first.stop();
    expect((await delivered(cluster, 'lab-sensors.a')).get(1)).toEqual(numbers(0, 3));
    const [partition] = await kafkaTools(cluster.bootstrap).describeTopic('lab-sensors.b');
    expect(partition?.replicas).toHaveLength(2);

    log.append('sensors.a', 1, records(3, 2));
    const second = mirror(log, cluster, null, { mapping: named('{topic}'), creation });
    await drained(second);
    await second.stop();
    expect((await delivered(cluster, 'sensors.a')).get(1)).toEqual(numbers(3, 5));

    log.createTopic('sensors.c', 1);
    log.append('sensors.c', 0, records(0, 1));
    const third = mirror(log, cluster, null, { mapping: named('{topic}'), creation: { allowed: false } });
    await until('it says what is missing', DRAIN_MS_MAX, async () =>
      Promise.resolve(third.status().state === 'backing-off' || undefined),
    );
    expect(third.status().message).toMatch(
      /has no topic sensors\.c, .*kafka-topics\.sh --create --topic sensors\.c/,
    );
    await kafkaTools(cluster.bootstrap).createTopic('sensors.c');
    await third.stop();
    await drained(mirror(log, cluster, null, { mapping: named('{topic}'), creation: { allowed: false } }));
    expect((await delivered(cluster, 'sensors.c')).get(0)).toEqual(numbers(0, 1));
  });

  test('is slowed down by a quota of the cluster, and not stopped', async () => {
    const cluster = await started(1);
    await kafkaTools(cluster.bootstrap).limitProducers(100_000);
    const log = new LogWithLives();
    log.createTopic('readings', 1);
    const count = 40;
    const noise = (): LogRecord[] =>
      records(0, 1).map((one) => ({ ...one, value: nodeRandom.bytes(50_000) }));
    for (let index = 0; index < count; index += 1) log.append('readings', 0, noise());
    const forwarder = mirror(log, cluster);
    await drained(forwarder);
    expect(forwarder.status().lastError).toBeNull();
    expect((await delivered(cluster, 'gw1.readings')).get(0)).toHaveLength(count);
  });
});
