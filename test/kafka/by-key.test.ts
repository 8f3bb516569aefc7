import { afterEach, describe, expect, test } from 'vitest';
import type { NewRecord } from '../../src/core/record.ts';
import type { Forwarder } from '../../src/forwarder/forwarder.ts';
import type { Log } from '../../src/log/log.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { drained, openLog, startMirror } from './log-to-kafka.ts';
import { kafkaTools } from './tools.ts';
import { until } from './until.ts';

const WAIT_MS_MAX = 120_000;
const LOCAL_PARTITIONS = 3;
const CENTRAL_PARTITIONS = 7;
/** Somebody has given the topic more than the gateway is told to use. */
const GROWN_PARTITIONS = 9;
const KEYS = Array.from({ length: 60 }, (_, index) => `${'sensor/'.repeat(index % 4)}${index * 7919}-ü`);
const JOURNAL_FILE_BYTES = 128 * 1024;

let cluster: Cluster | undefined;
let log: Log | undefined;
let forwarder: Forwarder | undefined;

afterEach(async () => {
  await forwarder?.stop();
  await log?.close();
  await cluster?.close();
});

let sent = 0;

/** One record of each key and one of nobody; the values of a key rise. */
async function send(to: Log, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const records = [...KEYS, null].map((key): NewRecord => {
      const noise = Buffer.from(nodeRandom.bytes(60)).toString('base64');
      const value = Buffer.from(`${sent++} ${noise}`);
      const own = key === null ? { partition: sent % LOCAL_PARTITIONS, key } : { key: Buffer.from(key) };
      return { topic: 'readings', value, timestampMs: Date.now(), headers: [], ...own };
    });
    await to.append(records);
  }
}

async function isSealed(of: Log): Promise<boolean> {
  const [first] = await of.read('readings', 0, 0, 1);
  return first?.sealed === true;
}

describe('a topic that is sent by key, to a real Kafka', () => {
  test('puts each record where Kafka’s own producer would, once and in order, over restarts', async () => {
    await using folder = await temporaryFolder();
    cluster = await startCluster({ brokers: 1 });
    const tools = kafkaTools(cluster.bootstrap);
    await tools.createTopic('witness', { partitions: CENTRAL_PARTITIONS });
    await tools.produceKeys('witness', KEYS);
    const witness = await tools.consume('witness', { readCommitted: true });
    const partitionOf = new Map(witness.map(({ key, partition }) => [String(key), partition]));
    expect(partitionOf.size).toBe(KEYS.length);
    await tools.createTopic('gw1.readings', { partitions: GROWN_PARTITIONS });

    log = await openLog(folder.path, JOURNAL_FILE_BYTES);
    await log.createTopic('readings', LOCAL_PARTITIONS, { centralPartitions: CENTRAL_PARTITIONS });
    await send(log, 100);
    const sealing = log;
    await until('it is sealed', WAIT_MS_MAX, () =>
      Promise.resolve(sealing.stats().journalFiles <= 3 || undefined),
    );
    // Opened again, so that nothing comes from memory.
    await log.close();
    log = await openLog(folder.path, JOURNAL_FILE_BYTES);
    expect(await isSealed(log)).toBe(true);
    // Stopped in the middle of its backlog: the next one goes on within sealed batches.
    forwarder = startMirror(log, cluster.bootstrap, 256 * 1024);
    const first = forwarder;
    await until('some has arrived', WAIT_MS_MAX, () =>
      Promise.resolve(first.status().recordsAcknowledged > 500 || undefined),
    );
    await first.stop();
    await log.close();
    log = await openLog(folder.path, JOURNAL_FILE_BYTES);
    await send(log, 20);
    forwarder = startMirror(log, cluster.bootstrap, 256 * 1024);
    await drained(forwarder);
    for (let flush = 0; flush < 5; flush += 1) {
      await send(log, 2);
      await drained(forwarder);
    }

    const central = await tools.consume('gw1.readings', { readCommitted: true });
    const wrong = central.filter(
      ({ key, partition }) => key !== null && partition !== partitionOf.get(String(key)),
    );
    expect(wrong.length).toBe(0);
    const numbers = central.map(({ value }) => Number.parseInt(String(value), 10));
    expect(numbers.toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: sent }, (_, index) => index),
    );
    for (const [key, own] of Map.groupBy(central, (record) => String(record.key))) {
      const inOrder = own.map(({ value }) => Number.parseInt(String(value), 10));
      // Records of nobody are in three partitions, each in its order.
      if (key !== 'null') expect(inOrder).toEqual(inOrder.toSorted((one, other) => one - other));
    }
    const ofNobody = Map.groupBy(
      central.filter(({ key }) => key === null),
      ({ partition }) => partition,
    );
    expect([...ofNobody.keys()].toSorted()).toEqual([0, 1, 2]);
    for (const own of ofNobody.values()) {
      const inOrder = own.map(({ value }) => Number.parseInt(String(value), 10));
      expect(inOrder).toEqual(inOrder.toSorted((one, other) => one - other));
    }
  });
});
