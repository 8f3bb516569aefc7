import { afterEach, describe, expect, test } from 'vitest';
import type { Forwarder } from '../../src/forwarder/forwarder.ts';
import type { LaneName } from '../../src/log/types.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { startMirror } from './log-to-kafka.ts';
import { kafkaTools } from './tools.ts';
import { until } from './until.ts';

const DRAIN_MS_MAX = 180_000;
const PARTITIONS = 3;
const RECORDS = 1_200;
const VALUE_BYTES = 500;
/** Several of them make the backlog, so that topics are moved between transactions of it. */
const TRANSACTION_BYTES = 64 * 1024;
/** Each of three brokers: the backlog takes some seconds. */
const LINK_BYTES_PER_SECOND = 40_000;
const ONE_WAY_MS = 20;

let cluster: Cluster | undefined;
let forwarder: Forwarder | undefined;
const link: TcpProxy[] = [];

afterEach(async () => {
  await forwarder?.stop();
  for (const proxy of link.splice(0)) proxy.close();
  await cluster?.close();
});

/** Values that hardly shrink, each once. */
function append(log: LogWithLives, topic: string, partition: number, from: number, count: number): string[] {
  const values = Array.from({ length: count }, (_, index) => {
    const noise = Buffer.from(nodeRandom.bytes(VALUE_BYTES)).toString('base64');
    return `${topic}/${partition}/${from + index} ${noise}`;
  });
  const timestampMs = Date.now();
  const records = values.map((value) => ({ key: null, value: Buffer.from(value), timestampMs, headers: [] }));
  for (let first = 0; first < count; first += 20)
    log.append(topic, partition, records.slice(first, first + 20));
  return values;
}

async function acknowledged(of: Forwarder, count: number): Promise<void> {
  await until(`${count} records are acknowledged`, DRAIN_MS_MAX, () =>
    Promise.resolve(of.status().recordsAcknowledged >= count || undefined),
  ).catch((cause: unknown) => {
    throw new Error(`the mirror is stuck: ${JSON.stringify(of.status())}`, { cause });
  });
}

describe('lanes to a real Kafka over a slow link', () => {
  test.each([0, 2] as const)(
    'deliver once and in order topics that are moved while both have a backlog (transaction.version=%i)',
    async (transactionVersion) => {
      cluster = await startCluster({
        brokers: 3,
        transactionVersion,
        link: async (target) => {
          const proxy = await startProxy({ target });
          link.push(proxy);
          return proxy.address;
        },
      });
      for (const proxy of link) {
        proxy.delay(ONE_WAY_MS);
        proxy.throttle(LINK_BYTES_PER_SECOND);
      }
      const log = new LogWithLives();
      log.createTopic('readings', PARTITIONS);
      log.createTopic('alarms', 1, { lane: 'alarm' });
      const places = [
        ...Array.from({ length: PARTITIONS }, (_, partition) => ['readings', partition] as const),
        ['alarms', 0] as const,
      ];
      const expected = places.map(([topic, partition]) => append(log, topic, partition, 0, RECORDS / 4));
      const brokers = link.map(({ address }) => address);
      const mirror = startMirror(log, brokers, TRANSACTION_BYTES);
      forwarder = mirror;
      const moves: readonly (readonly [string, LaneName])[] = [
        ['readings', 'alarm'],
        ['alarms', 'bulk'],
        ['readings', 'bulk'],
        ['alarms', 'alarm'],
      ];
      for (const [index, [topic, lane]] of moves.entries()) {
        await acknowledged(mirror, ((index + 1) * RECORDS) / 8);
        expect(mirror.status().lagRecords).toBeGreaterThan(0);
        log.setTopic(topic, { lane });
        // What was in hand is in doubt once.
        if (index === 1) for (const proxy of link) proxy.cut();
      }
      for (const [at, [topic, partition]] of places.entries())
        expected[at]?.push(...append(log, topic, partition, RECORDS / 4, 20));
      await acknowledged(mirror, RECORDS + 20 * places.length);
      expect(mirror.status().lanes.map(({ lane }) => lane)).toEqual(['alarm', 'bulk']);
      const tools = kafkaTools(cluster.bootstrap);
      const options = { readCommitted: true, timeoutMs: 10_000 };
      const central = new Map([
        ['readings', await tools.consume('gw1.readings', options)],
        ['alarms', await tools.consume('gw1.alarms', options)],
      ]);
      for (const [at, [topic, partition]] of places.entries()) {
        const arrived = central.get(topic)?.filter((one) => one.partition === partition) ?? [];
        expect(arrived.map(({ value }) => String(value))).toEqual(expected[at]);
      }
    },
  );
});
