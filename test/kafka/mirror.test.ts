import { afterEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { Forwarder } from '../../src/forwarder/forwarder.ts';
import { KafkaConnection } from '../../src/forwarder/kafka-connection.ts';
import { KafkaTarget } from '../../src/forwarder/kafka-target.ts';
import { buildBatch } from '../../src/forwarder/outgoing-batch.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { type Cluster, startCluster } from './cluster.ts';
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

async function started(brokers: 1 | 3): Promise<Cluster> {
  const cluster = await startCluster({ brokers });
  clusters.push(cluster);
  return cluster;
}

function mirror(log: LogWithLives, cluster: Cluster): Forwarder {
  const forwarder = new Forwarder({
    log,
    brokers: cluster.bootstrap,
    gateway: 'gw1',
    lingerMs: 5,
    topics: ['*'],
    clock: nodeClock,
    random: nodeRandom,
    logger: silentLogger,
    metrics: noMetrics,
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
  const consumed = await kafkaTools(cluster.bootstrap).consume(topic, { readCommitted: true });
  const values = new Map<number, number[]>();
  for (const { partition, value } of consumed)
    values.set(partition, [...(values.get(partition) ?? []), Number(value)]);
  return values;
}

describe('the mirror to a real Kafka', () => {
  test('delivers once and in order through new forwarders, a broken link and a SIGKILL of the broker', async () => {
    const cluster = await started(1);
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
    await cluster.kill(1);
    log.append('readings', 0, records(1001, 99));
    await until('it notices', DRAIN_MS_MAX, async () =>
      Promise.resolve(second.status().lastError ?? undefined),
    );
    expect(second.status().message).toMatch(/connection refused|lost|closed/i);
    await cluster.restart(1);
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
    const connection = new KafkaConnection({ host, port: Number(port) });
    await connection.connect();
    const policy = await connection.topicSetting('gw1.headwater-checkpoint', 'cleanup.policy');
    connection.close();
    expect(policy).toEqual({ code: 0, value: 'compact' });

    const topic = 'gw1.headwater-checkpoint';
    const other = new KafkaTarget(cluster.bootstrap);
    expect(
      await other.open({
        transactionalId: 'other',
        topics: [],
        checkpointTopic: topic,
        checkpointKeyPrefix: 'other/',
      }),
    ).toBeNull();
    const foreign = await buildBatch([
      { key: Buffer.from(`${log.logId}/readings/0`), value: null, timestampMs: Date.now(), headers: [] },
    ]);
    expect(await other.send([{ topic, partition: 0, batch: foreign }])).toBeNull();

    log.append('readings', 0, records(3, 3));
    const second = mirror(log, cluster);
    const error = await until('it says so', DRAIN_MS_MAX, async () =>
      Promise.resolve(second.status().lastError ?? undefined),
    );
    expect(error.message).toMatch(/another producer's open transaction hides topic gw1.headwater-checkpoint/);
    expect(second.status().recordsAcknowledged).toBe(0);
    expect(await other.abort()).toBeNull();
    await other.close();
    await drained(second);
    expect((await delivered(cluster, 'gw1.readings')).get(0)).toEqual(numbers(0, 6));
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
});
