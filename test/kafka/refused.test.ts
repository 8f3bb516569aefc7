import { afterEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import { Forwarder } from '../../src/forwarder/forwarder.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { kafkaTools } from './tools.ts';
import { until } from './until.ts';

const ARRIVE_MS_MAX = 120_000;
const dayMs = 24 * 3600 * 1000;

let cluster: Cluster | undefined;
let forwarder: Forwarder | undefined;

afterEach(async () => {
  await forwarder?.stop();
  await cluster?.close();
});

const record = (value: string | Buffer, change: Partial<LogRecord> = {}): LogRecord => ({
  key: Buffer.from('k'),
  value: Buffer.from(value),
  timestampMs: Date.now(),
  headers: [],
  ...change,
});

/** Numbered readings, of which some are what `special` makes of them. */
const readings = (count: number, special: ReadonlyMap<number, LogRecord>): LogRecord[] =>
  Array.from({ length: count }, (_, index) => special.get(index) ?? record(`${index}`));

/** Cannot be compressed. */
const noise = (bytes: number): Buffer => Buffer.from(nodeRandom.bytes(bytes));

function mirror(log: LogWithLives, { bootstrap }: Cluster): Forwarder {
  const started = new Forwarder({
    log,
    brokers: bootstrap,
    mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }),
    lingerMs: 5,
    onCheckpointLost: 'resume',
    board: null,
    clock: nodeClock,
    random: nodeRandom,
    logger: silentLogger,
    metrics: noMetrics,
  });
  started.start();
  return started;
}

/** One record of each of these waits, and the mirror says that it cannot send them now. */
const allArrivedBut = (running: Forwarder, waiting: readonly string[]): Promise<true> =>
  until('the others have arrived', ARRIVE_MS_MAX, async () => {
    const { lagRecords, message } = running.status();
    const isTold = waiting.every((name) => message.includes(`${name} is not sent`));
    return await Promise.resolve((lagRecords === waiting.length && isTold) || undefined);
  }).catch((cause: unknown) => {
    throw new Error(JSON.stringify(running.status()), { cause });
  });

async function arrived({ bootstrap }: Cluster, topic: string): Promise<string[]> {
  const records = await kafkaTools(bootstrap).consume(topic, { readCommitted: true, timeoutMs: 15_000 });
  return records.map(({ value }) => String(value));
}

const without = (count: number, refused: readonly number[]): string[] =>
  Array.from({ length: count }, (_, index) => index)
    .filter((index) => !refused.includes(index))
    .map(String);

describe.each([0, 2] as const)('what a real Kafka refuses (transaction.version=%s)', (transactionVersion) => {
  test('is set aside with its row in gaps, and everything else arrives once and in order', async () => {
    cluster = await startCluster({ brokers: 1, transactionVersion });
    const { createTopic } = kafkaTools(cluster.bootstrap);
    await createTopic('gw1.narrow', { settings: { 'max.message.bytes': 20_000 } });
    await createTopic('gw1.compacted', { settings: { 'cleanup.policy': 'compact' } });
    const tooLong = 'x'.repeat(249);
    const log = new LogWithLives();
    for (const topic of ['narrow', 'compacted', 'ahead', tooLong]) log.createTopic(topic, 1);
    log.append('narrow', 0, readings(300, new Map([[150, record(noise(30_000))]])));
    log.append(
      'narrow',
      0,
      readings(20, new Map()).map(() => record(noise(5_000))),
    );
    log.seal('narrow', 0);
    log.append('compacted', 0, readings(100, new Map([[40, record('keyless', { key: null })]])));
    const future = { timestampMs: Date.now() + 2 * dayMs };
    log.append('ahead', 0, readings(100, new Map([7, 8, 50].map((at) => [at, record('future', future)]))));
    log.append(tooLong, 0, [record('t')]);

    const running = mirror(log, cluster);
    forwarder = running;
    await allArrivedBut(running, [tooLong]);

    const narrow = await arrived(cluster, 'gw1.narrow');
    expect(narrow.slice(0, 299)).toEqual(without(300, [150]));
    expect(narrow).toHaveLength(299 + 20);
    expect(await arrived(cluster, 'gw1.compacted')).toEqual(without(100, [40]));
    expect(await arrived(cluster, 'gw1.ahead')).toEqual(without(100, [7, 8, 50]));
    const rows = (await arrived(cluster, 'gw1.gaps')).map((row) => JSON.parse(row));
    const row = (topic: string, cause: string, firstOffset: number, lastOffset = firstOffset) =>
      expect.objectContaining({ topic, partition: 0, firstOffset, lastOffset, reason: 'refused', cause });
    expect(rows).toHaveLength(4);
    expect(rows).toEqual(
      expect.arrayContaining([
        row('narrow', 'MESSAGE_TOO_LARGE', 150),
        row('compacted', 'INVALID_RECORD', 40),
        row('ahead', 'INVALID_TIMESTAMP', 7, 8),
        row('ahead', 'INVALID_TIMESTAMP', 50),
      ]),
    );
    const { message, warnings } = running.status();
    expect(message).toMatch(/x is not sent, INVALID_TOPIC_EXCEPTION .*choose a shorter gateway name/);
    expect(warnings.join()).toContain('refused 5 records');
  });
});

test('a partition that no broker leads keeps nothing else from arriving', async () => {
  const three = await startCluster({ brokers: 3 });
  cluster = three;
  const { createTopic, describeTopic } = kafkaTools(three.bootstrap);
  await createTopic('gw1.lonely', { partitions: 3, replicas: 1 });
  const log = new LogWithLives();
  log.createTopic('lonely', 3);
  log.createTopic('readings', 1);
  const running = mirror(log, three);
  forwarder = running;
  for (let partition = 0; partition < 3; partition += 1) log.append('lonely', partition, [record('before')]);
  await until('all have arrived', ARRIVE_MS_MAX, async () =>
    Promise.resolve(running.status().recordsAcknowledged === 3 || undefined),
  );
  const orphan = (await describeTopic('gw1.lonely')).find(({ leader }) => leader === 3);
  await three.kill(3);
  for (let partition = 0; partition < 3; partition += 1) log.append('lonely', partition, [record('after')]);
  log.append('readings', 0, [record('after')]);
  await allArrivedBut(running, [`lonely-${orphan?.partition}`]);
  const { message } = running.status();
  expect(message).toMatch(new RegExp(`lonely-${orphan?.partition} is not sent, .*has no leader at present`));
  expect(await arrived(three, 'gw1.readings')).toEqual(['after']);
  await three.restart(3);
  // Who starts anew does not wait for the end of the pause.
  await running.stop();
  const next = mirror(log, three);
  forwarder = next;
  await until('the last one has arrived', ARRIVE_MS_MAX, async () =>
    Promise.resolve((next.status().lagRecords === 0 && next.status().state === 'idle') || undefined),
  );
  expect((await arrived(three, 'gw1.lonely')).sort()).toEqual([
    ...Array(3).fill('after'),
    ...Array(3).fill('before'),
  ]);
});

test('too few replicas hold up the mirror, since Kafka cannot end the transaction, and it says so', async () => {
  const three = await startCluster({ brokers: 3 });
  cluster = three;
  await kafkaTools(three.bootstrap).createTopic('gw1.strict', { settings: { 'min.insync.replicas': 3 } });
  const log = new LogWithLives();
  for (const topic of ['readings', 'strict']) log.createTopic(topic, 1);
  const running = mirror(log, three);
  forwarder = running;
  await three.kill(3);
  for (const topic of ['readings', 'strict']) log.append(topic, 0, [record('after')]);
  await until('it says so', ARRIVE_MS_MAX, async () =>
    Promise.resolve(running.status().message.includes('too few replicas in sync') || undefined),
  );
  await three.restart(3);
  await until('all have arrived', ARRIVE_MS_MAX, async () =>
    Promise.resolve((running.status().lagRecords === 0 && running.status().state === 'idle') || undefined),
  );
  for (const topic of ['readings', 'strict']) expect(await arrived(three, `gw1.${topic}`)).toEqual(['after']);
});
