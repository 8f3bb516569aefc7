import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../test/kafka/cluster.ts';
import { statusOf } from '../test/kafka/oracles.ts';
import { until } from '../test/kafka/until.ts';
import { type RunningGateway, startGateway } from '../test/support/gateway-process.ts';
import { startProxy, type TcpProxy } from '../test/support/tcp-proxy.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { makeBacklog, READING_BYTES, SEALED_FILE_BYTES } from './backlog.ts';
import { median, type Result, rounded } from './result.ts';

/** 1 Mbit/s for both directions together. */
const LINK_BYTES_PER_SECOND = 125_000;
const ONE_WAY_MS = 150;
/** As routers have it: one queue for all, of many seconds, so that an alarm waits behind whatever was sent before it. */
const LINK_BUFFER_BYTES = 4 * 1024 * 1024;
/** Bulk has been at work for so long before it is looked at alone, and then before the first alarm. */
const WARM_UP_MS = 30_000;
const ALONE_MS = 30_000;
/** Between two alarms: they meet bulk at any point of its transactions. */
const PAUSE_MS_MAX = 5_000;
const WAIT_MS_MAX = 120_000;
const GOAL_SECONDS = 3;
const KCAT = ['-C', '-o', 'beginning', '-u', '-q', '-f', '%s\n'];
const KCAT_SETTINGS = ['isolation.level=read_committed', 'fetch.wait.max.ms=20'];

/**
 * How long an alarm takes from its local acknowledgement to a read_committed consumer in the centre, while a sealed backlog of
 * so many GB of payload drains over a slow, long link to one real broker. One alarm after the other.
 */
export async function alarmBenchmark(options: {
  readonly storedGb: number;
  readonly alarms: number;
}): Promise<Result> {
  await using folder = await temporaryFolder();
  const dataDir = `${folder.path}/data`;
  const readings = Math.ceil((options.storedGb * 1e9) / READING_BYTES);
  console.log(`making a backlog of ${readings} readings of ${READING_BYTES} bytes, ${options.storedGb} GB`);
  const sealedShare = await makeBacklog(dataDir, readings, SEALED_FILE_BYTES);
  console.log(`${rounded(100 * sealedShare)} % of them are sealed`);
  const link: TcpProxy[] = [];
  const cluster = await startCluster({
    brokers: 1,
    link: async (target) => {
      const proxy = await startProxy({ target, bufferedBytesMax: LINK_BUFFER_BYTES, isOneQueue: true });
      proxy.delay(ONE_WAY_MS);
      proxy.throttle(LINK_BYTES_PER_SECOND);
      link.push(proxy);
      return proxy.address;
    },
  });
  try {
    await using gateway = await startGateway({
      dataDir,
      set: [
        `forwarder.brokers=[${link.map(({ address }) => address).join(',')}]`,
        'gateway.name=gw1',
        'data.budget=64GiB',
        'topics.alarms.lane=alarm',
      ],
    });
    return await measure(gateway, cluster.bootstrap.join(','), link, options.alarms);
  } finally {
    for (const proxy of link) proxy.close();
    await cluster.close();
  }
}

async function measure(
  gateway: RunningGateway,
  bootstrap: string,
  link: readonly TcpProxy[],
  alarms: number,
): Promise<Result> {
  await until('both lanes have a session', WAIT_MS_MAX, async () => {
    const { forwarder } = await statusOf(gateway);
    const isIdle = forwarder?.lanes.some(({ lane, state }) => lane === 'alarm' && state === 'idle') === true;
    return (isIdle && forwarder.recordsAcknowledged > 0) || undefined;
  });
  await using centre = consumer(bootstrap, 'gw1.alarms');
  await sleep(WARM_UP_MS);
  const alone = await meter(gateway, link);
  await sleep(ALONE_MS);
  const withoutAlarms = await alone();
  const meanwhile = await meter(gateway, link);
  const seconds: number[] = [];
  for (let number = 1; number <= alarms; number += 1) {
    await sleep(Math.random() * PAUSE_MS_MAX);
    const value = `alarm ${number}`;
    const seen = centre.seen(value);
    const answer = await gateway.api('/api/records', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ topic: 'alarms', records: [{ value }] }),
    });
    if (!answer.ok) throw new Error(`the alarm was not taken: ${await answer.text()}`);
    const acknowledgedMs = performance.now();
    seconds.push(((await seen) - acknowledgedMs) / 1000);
    console.log(`${number}/${alarms} ${rounded(seconds.at(-1) ?? Number.NaN)} s`);
  }
  return resultOf(seconds, withoutAlarms, await meanwhile());
}

interface Drained {
  readonly recordsWaiting: number;
  readonly recordsPerSecond: number;
  readonly linkPercent: number;
}

/** How the backlog drains from now on until it is asked. */
async function meter(gateway: RunningGateway, link: readonly TcpProxy[]): Promise<() => Promise<Drained>> {
  const before = { ...(await progress(gateway, link)), ms: performance.now() };
  return async () => {
    const after = await progress(gateway, link);
    const seconds = (performance.now() - before.ms) / 1000;
    const linkBytesPerSecond = (after.linkBytes - before.linkBytes) / seconds;
    return {
      recordsWaiting: after.recordsWaiting,
      recordsPerSecond: Math.round((after.records - before.records) / seconds),
      linkPercent: Math.round((100 * linkBytesPerSecond) / LINK_BYTES_PER_SECOND),
    };
  };
}

async function progress(gateway: RunningGateway, link: readonly TcpProxy[]) {
  const { forwarder } = await statusOf(gateway);
  const { recordsAcknowledged: records = 0, lagRecords: recordsWaiting = 0 } = forwarder ?? {};
  const linkBytes = link.reduce((sum, { bytes }) => sum + bytes.toTarget + bytes.toClient, 0);
  return { records, recordsWaiting, linkBytes };
}

/** kcat on the far side of the link: sees what is committed, as it comes. */
function consumer(bootstrap: string, topic: string) {
  const settings = KCAT_SETTINGS.flatMap((setting) => ['-X', setting]);
  const child = spawn('kcat', [...KCAT, '-b', bootstrap, '-t', topic, ...settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const waiting = new Map<string, (ms: number) => void>();
  createInterface(child.stdout).on('line', (line) => waiting.get(line)?.(performance.now()));
  return {
    /** When a record with this value was seen, which is to come. */
    seen: (value: string): Promise<number> => {
      const { promise, resolve } = Promise.withResolvers<number>();
      waiting.set(value, resolve);
      const tooLate = sleep(WAIT_MS_MAX, undefined, { ref: false }).then(() => {
        throw new Error(`${value} was not seen within ${WAIT_MS_MAX / 1000} s`);
      });
      return Promise.race([promise, tooLate]);
    },
    [Symbol.asyncDispose]: (): Promise<void> => {
      child.kill();
      return Promise.resolve();
    },
  };
}

function resultOf(seconds: readonly number[], alone: Drained, meanwhile: Drained): Result {
  const slowest = Math.max(...seconds);
  const broken: string[] = [];
  if (meanwhile.recordsWaiting === 0) broken.push('the backlog was gone before the last alarm');
  if (slowest > GOAL_SECONDS) broken.push(`an alarm took ${rounded(slowest)} s`);
  for (const promise of broken) console.error(`BROKEN: ${promise}`);
  return {
    summary:
      `goal ${GOAL_SECONDS} s, got at most ${rounded(slowest)} s, median ${rounded(median(seconds))} s: ` +
      `${seconds.length} alarms over 1 Mbit/s and 300 ms, while ${meanwhile.recordsPerSecond} readings/s of the backlog left ` +
      `(link ${meanwhile.linkPercent} % full; without alarms ${alone.recordsPerSecond}, ${alone.linkPercent} %), and ` +
      `${meanwhile.recordsWaiting} waited at the end`,
    broken,
    figures: {
      'slowest alarm, seconds': rounded(slowest),
      'median alarm, seconds': rounded(median(seconds)),
      alarms: seconds.length,
      'readings waiting at the end': meanwhile.recordsWaiting,
      'readings of the backlog per second meanwhile': meanwhile.recordsPerSecond,
      'link use meanwhile, percent': meanwhile.linkPercent,
      'readings of the backlog per second without alarms': alone.recordsPerSecond,
      'link use without alarms, percent': alone.linkPercent,
    },
  };
}
