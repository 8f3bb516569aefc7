import { afterEach, describe, expect, test } from 'vitest';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { PseudoTerminals } from '../support/pseudo-terminals.ts';
import { Qos2Fleet } from '../support/qos2-fleet.ts';
import { SensorFleet } from '../support/sensor-fleet.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { drained, judgeCentral, statusOf } from './oracles.ts';
import { until } from './until.ts';

const DEVICES_PER_QOS = 10;
const READINGS_PER_DEVICE = 1_050;
/** Of each QoS. */
const TOTAL = DEVICES_PER_QOS * READINGS_PER_DEVICE;
const WIRED_DEVICE = 'wired';
const WIRED_PAUSE_MS = 20;
const PARTITIONS = 3;
/** So slow that the backlog takes seconds; each reading of it costs a few bytes, for it leaves in large batches. */
const DRAIN_BYTES_PER_SECOND = 10_000;
/** More than a session's start costs and less than the backlog does. */
const PART_OF_BACKLOG_BYTES = 6_000;
const WAIT_MS_MAX = 120_000;

let cluster: Cluster | undefined;
let gateway: RunningGateway | undefined;
let stopDevices = (): void => {};
const link: TcpProxy[] = [];

afterEach(async () => {
  stopDevices();
  await gateway?.kill('SIGKILL');
  for (const proxy of link.splice(0)) proxy.close();
  await cluster?.close();
});

/** A random whole number of acknowledgements in the part [from, to) of all: where a fault strikes. */
const somewhere = (from: number, to: number): number =>
  Math.floor(TOTAL * (from + Math.random() * (to - from)));

const carried = (): number => link.reduce((sum, { bytes }) => sum + bytes.toTarget, 0);

/** The whole site: sensors, a gateway that reaches the cluster only over the link, and the faults. */
async function site(brokers: 1 | 3, folder: string, wire: PseudoTerminals) {
  cluster = await startCluster({
    brokers,
    link: async (target) => {
      const proxy = await startProxy({ target });
      link.push(proxy);
      return proxy.address;
    },
  });
  const set = [
    `forwarder.brokers=[${link.map(({ address }) => address).join(',')}]`,
    'forwarder.lingerMs=20',
    'gateway.name=gw1',
    `topics.readings.partitions=${PARTITIONS}`,
    `serial=[{name: ${WIRED_DEVICE}, path: ${wire.path}, baud: 9600, framing: line, decoder: json}]`,
  ];
  const dataDir = `${folder}/data`;
  let running = await startGateway({ dataDir, set });
  gateway = running;
  const { mqtt } = running;
  const devices = { devices: DEVICES_PER_QOS, readingsPerDevice: READINGS_PER_DEVICE, window: 10, mqtt };
  const fleet = new SensorFleet(devices);
  const exact = new Qos2Fleet(devices);
  let isOver = false;
  stopDevices = () => {
    isOver = true;
    fleet.stop();
    exact.stop();
  };
  return {
    cluster,
    fleet,
    acknowledged: () => [...fleet.acknowledged, ...exact.acknowledged],
    /** Resolves when all readings with an acknowledgement have theirs; the wired device talks until then. */
    send: async () => {
      const talking = talk(wire, () => isOver);
      await Promise.all([fleet.run(), exact.run()]);
      isOver = true;
      await talking;
    },
    current: () => running,
    killGateway: async () => {
      await running.kill('SIGKILL');
      running = await startGateway({ dataDir, set: [...set, `mqtt.listen=${mqtt}`] });
      gateway = running;
    },
  };
}

/** A device on a wire: nobody answers it, so it only counts. */
async function talk(wire: PseudoTerminals, isOver: () => boolean): Promise<void> {
  for (let sequence = 0; !isOver(); sequence += 1) {
    await wire.send(`${JSON.stringify({ device: WIRED_DEVICE, sequence })}\n`);
    await nodeClock.sleep(WIRED_PAUSE_MS);
  }
}

type Site = Awaited<ReturnType<typeof site>>;

/** Kills the gateway when some of the backlog is on its way, but not all: the link is frozen meanwhile. */
async function killWhileDraining({ current, killGateway }: Site): Promise<void> {
  const before = carried();
  await until('a part of the backlog is on its way', WAIT_MS_MAX, () =>
    Promise.resolve(carried() > before + PART_OF_BACKLOG_BYTES || undefined),
  );
  for (const proxy of link) proxy.blackHole();
  expect((await statusOf(current())).forwarder?.lagRecords).toBeGreaterThan(TOTAL / 10);
  await killGateway();
  for (const proxy of link) proxy.heal();
}

/**
 * The rest of every run: an outage until all readings are sent and `repair` is done, a drain with two kills, and the
 * oracles.
 */
async function drainAndJudge(here: Site, sending: Promise<void>, repair = async () => {}): Promise<void> {
  for (const proxy of link) proxy.refuse();
  for (const proxy of link) {
    proxy.cut();
    proxy.heal();
  }
  await Promise.all([sending, repair()]);
  expect(here.acknowledged()).toHaveLength(2 * TOTAL);
  for (const proxy of link) proxy.throttle(DRAIN_BYTES_PER_SECOND);
  await Promise.all(link.map((proxy) => proxy.accept()));
  await killWhileDraining(here);
  await killWhileDraining(here);
  for (const proxy of link) proxy.throttle(null);
  await drained(here.current());
  const { bootstrap } = here.cluster;
  const evidence = { gateway: here.current(), bootstrap, partitions: PARTITIONS };
  expect(
    await judgeCentral({ ...evidence, acknowledged: here.acknowledged(), unanswered: WIRED_DEVICE }),
  ).toEqual([]);
}

describe('over a bad link, five SIGKILLs of the gateway, nothing acknowledged is lost or doubled', () => {
  test('with one broker, the link cut and black-holed until the gateway gives up waiting', async () => {
    await using folder = await temporaryFolder();
    await using wire = await PseudoTerminals.start(folder.path);
    const here = await site(1, folder.path, wire);
    const { fleet, killGateway, current } = here;
    const sending = here.send();
    await fleet.reached(somewhere(0.02, 0.08));
    await killGateway();
    await fleet.reached(somewhere(0.08, 0.15));
    for (const proxy of link) proxy.cut();
    await fleet.reached(somewhere(0.15, 0.22));
    for (const proxy of link) proxy.delay(20);
    await killGateway();
    await fleet.reached(somewhere(0.22, 0.3));
    for (const proxy of link) proxy.blackHole();
    await until('the gateway says that no answer came', WAIT_MS_MAX, async () => {
      const { lastError } = (await statusOf(current())).forwarder ?? {};
      return lastError?.message.includes('timed out') || undefined;
    });
    await killGateway();
    await drainAndJudge(here, sending);
  });

  test('with three brokers, one of them killed, the link cut, and black-holed over a kill', async () => {
    await using folder = await temporaryFolder();
    await using wire = await PseudoTerminals.start(folder.path);
    const here = await site(3, folder.path, wire);
    const { fleet, killGateway } = here;
    const sending = here.send();
    await fleet.reached(somewhere(0.02, 0.08));
    await killGateway();
    await fleet.reached(somewhere(0.08, 0.15));
    const victim = 1 + Math.floor(Math.random() * 3);
    await here.cluster.kill(victim);
    await fleet.reached(somewhere(0.15, 0.22));
    await killGateway();
    await fleet.reached(somewhere(0.22, 0.3));
    for (const proxy of link) proxy.cut();
    for (const proxy of link) proxy.blackHole();
    await fleet.reached(somewhere(0.3, 0.4));
    await killGateway();
    await fleet.reached(somewhere(0.4, 0.45));
    for (const proxy of link) proxy.heal();
    await fleet.reached(somewhere(0.45, 0.5));
    await drainAndJudge(here, sending, () => here.cluster.restart(victim));
  });
});
