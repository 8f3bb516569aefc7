import { setTimeout as sleep } from 'node:timers/promises';
import type { ForwarderStatus } from '../src/forwarder/progress/status.ts';
import { type Cluster, startCluster } from '../test/kafka/cluster.ts';
import { statusOf } from '../test/kafka/oracles.ts';
import { until } from '../test/kafka/until.ts';
import { type RunningGateway, startGateway } from '../test/support/gateway-process.ts';
import { startProxy, type TcpProxy } from '../test/support/tcp-proxy.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { makeBacklog, PARTITIONS, READING_BYTES, SEALED_FILE_BYTES } from './backlog.ts';
import { publishing } from './publishing.ts';
import { median, type Result, rounded } from './result.ts';

/** Of each partition. */
const READINGS_PER_SECOND = 100;
const LINGER_MS = 1000;
const WARM_UP_MS = 10_000;
const LIVE_MS = 60_000;
/** 8 Mbit/s for both directions together, and the round trip of a good mobile link. */
const SLOW_LINK_BYTES_PER_SECOND = 1_000_000;
const ONE_WAY_MS = 20;
const DRAIN_PAYLOAD_BYTES = 200e6;
const WAIT_MS_MAX = 300_000;
const GOALS = { eight: 28, one: 34, backlog: 28, drain: 1.1 };

/** What went over the link, for one reading. */
interface LinkBytes {
  /** To the cluster. */
  readonly up: number;
  /** From it. */
  readonly down: number;
}

/**
 * What a reading costs on the link, measured at a proxy before a real broker, so with all that the protocol adds: live into eight
 * partitions and into one, and from a sealed backlog; and how long 200 MB of payload take over 8 Mbit/s, against what their
 * compressed batches alone would take.
 */
export async function linkBenchmark({ repeat }: { readonly repeat: number }): Promise<Result> {
  const eight = await liveBytes(8);
  console.log(`live, 8 partitions: ${described(eight)}`);
  const one = await liveBytes(1);
  console.log(`live, 1 partition: ${described(one)}`);
  await using folder = await temporaryFolder();
  const records = Math.ceil(DRAIN_PAYLOAD_BYTES / READING_BYTES);
  const ratios: number[] = [];
  const costs: LinkBytes[] = [];
  for (let run = 1; run <= repeat; run += 1) {
    const dataDir = `${folder.path}/backlog-${run}`;
    await makeBacklog(dataDir, records, SEALED_FILE_BYTES);
    const { bytes, ratio } = await drain(dataDir, records);
    costs.push(bytes);
    ratios.push(ratio);
    console.log(`${run}/${repeat} backlog: ${described(bytes)}, ${rounded(ratio)} times the ideal time`);
  }
  const backlog = { up: median(costs.map(({ up }) => up)), down: median(costs.map(({ down }) => down)) };
  return resultOf({ eight, one, backlog, ratio: median(ratios) });
}

function resultOf(measured: {
  readonly eight: LinkBytes;
  readonly one: LinkBytes;
  readonly backlog: LinkBytes;
  readonly ratio: number;
}): Result {
  const { eight, one, backlog, ratio } = measured;
  const figures = (name: string, { up, down }: LinkBytes): readonly (readonly [string, number])[] => [
    [`${name}, link bytes per reading to the cluster`, rounded(up)],
    [`${name}, link bytes per reading from the cluster`, rounded(down)],
  ];
  return {
    summary:
      `goal ${GOALS.eight}, ${GOALS.one} and ${GOALS.backlog} link bytes per reading of ${READING_BYTES} and ${GOALS.drain} times the ` +
      `time, got ${described(eight)} live with 8 partitions, ${described(one)} with one, ${described(backlog)} from a backlog, ` +
      `and ${rounded(ratio)} times over 8 Mbit/s`,
    broken: [],
    figures: {
      ...Object.fromEntries([
        ...figures('live, 8 partitions', eight),
        ...figures('live, 1 partition', one),
        ...figures('backlog', backlog),
      ]),
      '200 MB over 8 Mbit/s, times the ideal': rounded(ratio),
    },
  };
}

const described = ({ up, down }: LinkBytes): string => `${rounded(up + down)} (${rounded(up)} up)`;

/** A broker, and a link to it that counts. */
async function startLink(): Promise<{
  readonly cluster: Cluster;
  readonly link: TcpProxy;
  readonly close: () => Promise<void>;
}> {
  const links: TcpProxy[] = [];
  const cluster = await startCluster({
    brokers: 1,
    link: async (target) => {
      const proxy = await startProxy({ target });
      links.push(proxy);
      return proxy.address;
    },
  });
  const [link] = links;
  if (link === undefined) throw new Error('the cluster asked for no link');
  const close = async (): Promise<void> => {
    link.close();
    await cluster.close();
  };
  return { cluster, link, close };
}

async function liveBytes(partitions: number): Promise<LinkBytes> {
  await using folder = await temporaryFolder();
  const { link, close } = await startLink();
  try {
    await using gateway = await startGateway({
      dataDir: `${folder.path}/data`,
      set: [
        `forwarder.brokers=[${link.address}]`,
        `forwarder.lingerMs=${LINGER_MS}`,
        'gateway.name=gw1',
        `topics.readings.partitions=${partitions}`,
      ],
    });
    const sensors = await publishing(gateway.mqtt, partitions * READINGS_PER_SECOND);
    try {
      await sleep(WARM_UP_MS);
      const before = await counted(gateway, link);
      await sleep(LIVE_MS);
      const after = await counted(gateway, link);
      const records = after.records - before.records;
      return { up: (after.up - before.up) / records, down: (after.down - before.down) / records };
    } finally {
      await sensors.stop();
    }
  } finally {
    await close();
  }
}

/** Counted just after a transaction, so that no part of one is in it. */
async function counted(gateway: RunningGateway, { bytes }: TcpProxy) {
  const acknowledged = async (): Promise<number> => (await forwarderOf(gateway)).recordsAcknowledged;
  const last = await acknowledged();
  return await until('a transaction is over', WAIT_MS_MAX, async () => {
    const records = await acknowledged();
    return records > last ? { records, up: bytes.toTarget, down: bytes.toClient } : undefined;
  });
}

/** After an outage the cluster has its topics, and has ended transactions before. */
async function makeTopics(dataDir: string, set: readonly string[]): Promise<void> {
  await using gateway = await startGateway({
    dataDir,
    set: [...set, `topics.readings.partitions=${PARTITIONS}`],
  });
  const sensors = await publishing(gateway.mqtt, READINGS_PER_SECOND);
  const isAcknowledged = async (): Promise<true | undefined> =>
    (await forwarderOf(gateway)).recordsAcknowledged > 0 || undefined;
  await until('the topics are made', WAIT_MS_MAX, isAcknowledged).finally(() => sensors.stop());
  // Killed, it could leave a transaction open that hides the checkpoints from the next one.
  await gateway.kill('SIGTERM');
}

async function drain(
  dataDir: string,
  records: number,
): Promise<{ readonly bytes: LinkBytes; readonly ratio: number }> {
  const { link, close } = await startLink();
  try {
    const set = [`forwarder.brokers=[${link.address}]`, 'gateway.name=gw1'];
    await makeTopics(`${dataDir}-before`, set);
    link.delay(ONE_WAY_MS);
    link.throttle(SLOW_LINK_BYTES_PER_SECOND);
    const before = { ...link.bytes };
    await using gateway = await startGateway({ dataDir, set });
    await until('the mirror dials', WAIT_MS_MAX, () =>
      Promise.resolve(link.bytes.toTarget > before.toTarget || undefined),
    );
    const startedMs = performance.now();
    const { bytesAcknowledged } = await until('all has arrived', WAIT_MS_MAX, async () => {
      const forwarder = await forwarderOf(gateway);
      return forwarder.recordsAcknowledged >= records ? forwarder : undefined;
    });
    const idealMs = (1000 * bytesAcknowledged) / SLOW_LINK_BYTES_PER_SECOND;
    return {
      bytes: {
        up: (link.bytes.toTarget - before.toTarget) / records,
        down: (link.bytes.toClient - before.toClient) / records,
      },
      ratio: (performance.now() - startedMs) / idealMs,
    };
  } finally {
    await close();
  }
}

async function forwarderOf(gateway: RunningGateway): Promise<ForwarderStatus> {
  const { forwarder } = await statusOf(gateway);
  if (forwarder === null) throw new Error('the gateway has no forwarder');
  return forwarder;
}
