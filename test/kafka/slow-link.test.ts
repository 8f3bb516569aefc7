import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { buildBatch } from '../../src/forwarder/cluster/outgoing-batch.ts';
import type { PartitionBatch, SessionRequest } from '../../src/forwarder/cluster/target.ts';
import { openAccess } from '../../src/forwarder/kafka/cluster-access.ts';
import { KafkaTarget } from '../../src/forwarder/kafka/kafka-target.ts';
import { SharedLink } from '../../src/forwarder/kafka/link-share.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { until } from './until.ts';

const TOPIC = 'gw1.headwater-checkpoint';
const LINK_BYTES_PER_SECOND = 10_000;
/** More than the link carries in the time that one answer may take. */
const CHECKPOINT_BYTES = 400_000;
const VALUE_BYTES = 1_000;
const KEYS = 50;
const WAIT_MS_MAX = 60_000;

let cluster: Cluster | undefined;
let link: TcpProxy | undefined;
const targets: KafkaTarget[] = [];

afterEach(async () => {
  await Promise.all(targets.splice(0).map((target) => target.close()));
  link?.close();
  await cluster?.close();
});

function targetAt(broker: string): KafkaTarget {
  const share = new SharedLink(nodeClock, null).shareOf('bulk');
  const target = new KafkaTarget({ brokers: [broker], readAccess: openAccess, clock: nodeClock, share });
  targets.push(target);
  return target;
}

const session = (transactionalId: string): SessionRequest => ({
  transactionalId,
  othersToEnd: [],
  topics: [],
  creation: { allowed: true },
  checkpointTopic: TOPIC,
  checkpointKeyPrefixes: ['1/'],
});

async function opened(target: KafkaTarget, request: SessionRequest): Promise<void> {
  for (;;) {
    const failure = await target.open(request);
    if (failure === null) return;
    expect(failure.kind).toBe('busy');
    await nodeClock.sleep(20);
  }
}

/** One record in each, which no compression makes smaller. */
function checkpoints(count: number): Promise<PartitionBatch[]> {
  const batches = Array.from({ length: count }, async (_, index) => {
    const record = {
      key: Buffer.from(`1/${index % KEYS}`),
      value: randomBytes(VALUE_BYTES),
      timestampMs: nodeClock.wallMs(),
      headers: [],
    };
    return { topic: TOPIC, partition: 0, batch: await buildBatch([record]), source: null };
  });
  return Promise.all(batches);
}

test('a session starts, though its checkpoints take longer than an answer may and the link breaks meanwhile', async () => {
  const proxies: TcpProxy[] = [];
  cluster = await startCluster({
    brokers: 1,
    link: async (target) => {
      const proxy = await startProxy({ target });
      proxies.push(proxy);
      return proxy.address;
    },
  });
  const [[near = ''], [proxy]] = [cluster.bootstrap, proxies];
  if (proxy === undefined) throw new Error('there is a link to each broker');
  link = proxy;
  const writer = targetAt(near);
  await opened(writer, session('headwater-1-alarm'));
  expect(await writer.send(await checkpoints(CHECKPOINT_BYTES / VALUE_BYTES))).toBeNull();
  expect(await writer.commit()).toBeNull();

  const far = targetAt(proxy.address);
  proxy.throttle(LINK_BYTES_PER_SECOND);
  const beganMs = nodeClock.monotonicMs();
  await opened(far, session('headwater-1-bulk'));
  const broken = far.readCheckpoints();
  await until('half of them are here', WAIT_MS_MAX, () =>
    Promise.resolve(proxy.bytes.toClient > CHECKPOINT_BYTES / 2 || undefined),
  );
  proxy.cut();
  expect(await broken).toMatchObject({ ok: false, failure: { kind: 'unreachable' } });
  await far.close();
  await opened(far, session('headwater-1-bulk'));
  const read = await far.readCheckpoints();
  if (!read.ok) throw new Error(read.failure.message);
  expect(read.values.size).toBe(KEYS);
  expect(nodeClock.monotonicMs() - beganMs).toBeGreaterThan(limits.kafkaRequestTimeoutMs);
  // What was there before the break is not fetched again, but for the answer that it cut.
  expect(proxy.bytes.toClient).toBeLessThan(CHECKPOINT_BYTES * 1.4);
});
