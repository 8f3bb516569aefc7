import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { headwaterProcess } from '../support/command-process.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { statusOf } from './oracles.ts';
import { kafkaTools } from './tools.ts';
import { until } from './until.ts';

const BYTES_PER_DAY = 1024 * 1024;
const READINGS = 4_000;
const VALUE_BYTES = 500;
/** So slow that a kill strikes while a transaction is under way. */
const LINK_BYTES_PER_SECOND = 200_000;
const KILLS = 3;
/** A session start of alarms, and an alarm. */
const ALARM_BYTES_MAX = 40_000;
const WAIT_MS_MAX = 60_000;

let cluster: Cluster | undefined;
let gateway: RunningGateway | undefined;
let link: TcpProxy | undefined;

afterEach(async () => {
  await gateway?.kill('SIGKILL');
  link?.close();
  await cluster?.close();
});

/** A time zone in which it is about noon, so many days from now. */
function timeZone(daysAhead: number): string {
  const hoursAhead = 12 - new Date(Date.now()).getUTCHours() + 24 * daysAhead;
  return `TEST${hoursAhead > 0 ? '-' : '+'}${Math.abs(hoursAhead)}`;
}

test('the bytes of a day are not exceeded, whatever is killed, and an alarm passes', async () => {
  await using folder = await temporaryFolder();
  cluster = await startCluster({
    brokers: 1,
    link: async (target) => {
      link = await startProxy({ target });
      return link.address;
    },
  });
  const proxy = link;
  if (proxy === undefined) throw new Error('there is a link to the broker');
  proxy.throttle(LINK_BYTES_PER_SECOND);
  const moved = (): number => proxy.bytes.toTarget + proxy.bytes.toClient;
  const dataDir = `${folder.path}/data`;
  const start = async (daysAhead: number): Promise<RunningGateway> => {
    const set = [
      `forwarder.brokers=[${proxy.address}]`,
      `forwarder.bytesPerDay=${BYTES_PER_DAY}`,
      'forwarder.waitForClock=0s',
      'forwarder.lingerMs=20',
      'gateway.name=gw1',
      'topics={alarms: {lane: alarm}}',
    ];
    gateway = await startGateway({ dataDir, set, runner: ['env', `TZ=${timeZone(daysAhead)}`] });
    return gateway;
  };
  const resting = async (running: RunningGateway): Promise<void> => {
    await until('bulk waits for the next day', WAIT_MS_MAX, async () => {
      const { forwarder } = await statusOf(running);
      return forwarder?.link?.rest?.reason === 'budget' || undefined;
    });
  };
  const tools = kafkaTools(cluster.bootstrap);
  const values = (topic: string): Promise<string[]> =>
    tools
      .consume(topic, { readCommitted: true, timeoutMs: 5_000 })
      .then((records) => records.map(({ value }) => String(value)));

  let running = await start(0);
  const readings = Array.from(
    { length: READINGS },
    (_, index) => `${index} ${randomBytes(VALUE_BYTES).toString('base64')}`,
  );
  const produced = await headwaterProcess(dataDir, ['produce', 'readings'], `${readings.join('\n')}\n`);
  expect(produced.code).toBe(0);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await until('something more is on its way', WAIT_MS_MAX, () =>
      Promise.resolve(moved() > kill * 120_000 || undefined),
    );
    await running.kill('SIGKILL');
    running = await start(0);
  }
  await resting(running);
  await until('the session is closed', WAIT_MS_MAX, () =>
    Promise.resolve(proxy.connections <= 2 || undefined),
  );
  expect(moved()).toBeLessThanOrEqual(BYTES_PER_DAY);
  expect(moved()).toBeGreaterThan(BYTES_PER_DAY / 2);
  const { forwarder } = await statusOf(running);
  expect(forwarder?.link?.spentBytes).toBeGreaterThanOrEqual(moved());

  const before = moved();
  expect((await headwaterProcess(dataDir, ['produce', 'alarms'], 'fire\n')).code).toBe(0);
  await until('the alarm is there', WAIT_MS_MAX, async () => {
    const { forwarder: now } = await statusOf(running);
    return now?.topics.find(({ topic }) => topic === 'alarms')?.lagRecords === 0 || undefined;
  });
  expect(await values('gw1.alarms')).toEqual(['fire']);
  await running.kill('SIGKILL');
  running = await start(0);
  await resting(running);
  expect(moved() - before).toBeLessThan(ALARM_BYTES_MAX);
  await running.kill('SIGKILL');

  // On the next day there is as much again, and all of it arrives once, in order.
  const yesterday = moved();
  running = await start(1);
  await resting(running);
  expect(moved() - yesterday).toBeLessThanOrEqual(BYTES_PER_DAY);
  expect(moved() - yesterday).toBeGreaterThan(BYTES_PER_DAY / 2);
  const arrived = await values('gw1.readings');
  expect(arrived).toEqual(readings.slice(0, arrived.length));
});
