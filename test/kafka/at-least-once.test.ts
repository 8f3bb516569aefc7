import { afterEach, describe, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { SensorFleet } from '../support/sensor-fleet.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { withoutDoubles } from '../support/without-doubles.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { drained, judgeCentral, statusOf } from './oracles.ts';
import { kafkaTools } from './tools.ts';
import { until } from './until.ts';

const DEVICES = 10;
const READINGS_PER_DEVICE = 1_000;
const TOTAL = DEVICES * READINGS_PER_DEVICE;
const PARTITIONS = 3;
/** Kills of the gateway and cuts of its link, in turn. */
const FAULTS = 8;
/** So slow that a flush is on its way for a while, and a fault meets it there. */
const LINK_BYTES_PER_SECOND = 20_000;
/** More than a session's start costs. */
const PART_OF_FLUSH_BYTES = 6_000;
const WAIT_MS_MAX = 60_000;

let cluster: Cluster | undefined;
let gateway: RunningGateway | undefined;
const link: TcpProxy[] = [];

afterEach(async () => {
  await gateway?.kill('SIGKILL');
  for (const proxy of link.splice(0)) proxy.close();
  await cluster?.close();
});

const carried = (): number => link.reduce((sum, { bytes }) => sum + bytes.toTarget, 0);

describe('at least once, to a real Kafka', () => {
  test('nothing acknowledged is lost, and doubles are known by their headers, over kills and a broken link', async () => {
    await using folder = await temporaryFolder();
    const kafka = await startCluster({
      brokers: 1,
      link: async (target) => {
        const proxy = await startProxy({ target });
        link.push(proxy);
        return proxy.address;
      },
    });
    cluster = kafka;
    const set = [
      `forwarder.brokers=[${link.map(({ address }) => address).join(',')}]`,
      'forwarder.delivery=at-least-once',
      'forwarder.lingerMs=5',
      'gateway.name=gw1',
      `topics.readings.partitions=${PARTITIONS}`,
    ];
    const dataDir = `${folder.path}/data`;
    gateway = await startGateway({ dataDir, set });
    await expect.poll(gateway.stdout).toContain('; at-least-once: records may arrive twice after a failure');
    const { mqtt } = gateway;
    const devices = { devices: DEVICES, readingsPerDevice: READINGS_PER_DEVICE, window: 10, mqtt };
    const fleet = new SensorFleet(devices);
    const sending = fleet.run();
    for (const proxy of link) proxy.throttle(LINK_BYTES_PER_SECOND);
    for (let fault = 0; fault < FAULTS; fault += 1) {
      await fleet.reached(Math.floor((TOTAL * (fault + Math.random())) / (FAULTS + 1)));
      const before = carried();
      await until('a part of a flush is on its way', WAIT_MS_MAX, () =>
        Promise.resolve(carried() > before + PART_OF_FLUSH_BYTES || undefined),
      );
      if (fault % 2 === 0) {
        await gateway.kill('SIGKILL');
        gateway = await startGateway({ dataDir, set: [...set, `mqtt.listen=${mqtt}`] });
      } else for (const proxy of link) proxy.cut();
    }
    await sending;
    for (const proxy of link) proxy.throttle(null);
    await drained(gateway);
    expect((await statusOf(gateway)).forwarder?.delivery).toBe('at-least-once');

    const { bootstrap } = kafka;
    const evidence = { gateway, bootstrap, partitions: PARTITIONS, acknowledged: fleet.acknowledged };
    expect(await judgeCentral({ ...evidence, mayDouble: true })).toEqual([]);

    const tools = kafkaTools(bootstrap);
    const ends = await tools.endOffsets('gw1.readings');
    const records = await tools.consume('gw1.readings', { readCommitted: true });
    // Transactions would have left their markers.
    expect(ends.reduce((sum, end) => sum + end, 0)).toBe(records.length);
    // A record that comes again is the same one.
    const identities = Map.groupBy(records, ({ headers }) =>
      headers.map(({ name, value }) => (name.startsWith('headwater.') ? String(value) : '')).join('/'),
    );
    for (const same of identities.values())
      expect(new Set(same.map(({ key, value }) => `${key} ${value}`)).size).toBe(1);
    const kept = [...Map.groupBy(records, ({ partition }) => partition).values()].flatMap(withoutDoubles);
    expect(identities.size).toBe(kept.length);

    // A new session, with nothing in doubt, sends nothing again.
    const post = async (path: string, body: object): Promise<void> => {
      const headers = { 'content-type': 'application/json' };
      expect((await gateway?.api(path, { method: 'POST', headers, body: JSON.stringify(body) }))?.ok).toBe(
        true,
      );
    };
    await post('/api/topics', { name: 'new', partitions: 1 });
    await post('/api/records', { topic: 'new', records: [{ value: 'x' }] });
    await drained(gateway);
    await post('/api/records', { topic: 'readings', records: [{ value: 'x' }] });
    await drained(gateway);
    const after = await tools.endOffsets('gw1.readings');
    expect(after.reduce((sum, end) => sum + end, 0)).toBe(records.length + 1);
  });
});
