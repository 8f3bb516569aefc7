import { afterEach, expect, test } from 'vitest';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { isExactDevice, Qos2Fleet } from '../support/qos2-fleet.ts';
import { judgeReadings } from '../support/reading-oracle.ts';
import { SensorFleet } from '../support/sensor-fleet.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const DEVICES_PER_QOS = 10;
const READINGS_PER_DEVICE = 1_050;
const TOTAL = 2 * DEVICES_PER_QOS * READINGS_PER_DEVICE;
const KILLS = 10;
const POLL_MS = 5;
/** A kill strikes so long after a random acknowledgement, at most: anywhere in a commit, or in between. */
const LATER_MS_MAX = 40;

let gateway: RunningGateway | undefined;
let stopFleets = (): void => {};

afterEach(async () => {
  stopFleets();
  await gateway?.kill('SIGKILL');
});

async function storedValues(of: RunningGateway, partition: number): Promise<string[]> {
  const answer = await of.api(`/api/records?topic=readings&partition=${partition}&offset=0`);
  const lines = (await answer.text()).trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { value: string }).value);
}

test('nothing acknowledged is lost over ten SIGKILLs, and nothing sent with QoS 2 is there twice', async () => {
  await using folder = await temporaryFolder();
  const dataDir = `${folder.path}/data`;
  const set = ['topics.readings.partitions=2'];
  gateway = await startGateway({ dataDir, set });
  const { mqtt } = gateway;
  const fleet = { devices: DEVICES_PER_QOS, readingsPerDevice: READINGS_PER_DEVICE, mqtt };
  const sensors = new SensorFleet({ ...fleet, window: 10 });
  const exact = new Qos2Fleet({ ...fleet, window: 10 });
  stopFleets = () => {
    sensors.stop();
    exact.stop();
  };
  const acknowledged = (): number => sensors.acknowledged.length + exact.acknowledged.length;
  const sending = Promise.all([sensors.run(), exact.run()]);

  for (let kill = 1; kill <= KILLS; kill += 1) {
    const share = TOTAL / (KILLS + 1);
    const strike = (kill - 1) * share + Math.random() * share;
    while (acknowledged() < strike) await nodeClock.sleep(POLL_MS);
    await nodeClock.sleep(Math.random() * LATER_MS_MAX);
    expect(acknowledged()).toBeLessThan(TOTAL);
    await gateway.kill('SIGKILL');
    gateway = await startGateway({ dataDir, set: [...set, `mqtt.listen=${mqtt}`] });
  }
  await sending;
  expect(acknowledged()).toBe(TOTAL);

  const running = gateway;
  const values = (await Promise.all([0, 1].map((partition) => storedValues(running, partition)))).flat();
  const all = [...sensors.acknowledged, ...exact.acknowledged];
  expect(judgeReadings(all, values, { isExact: isExactDevice })).toEqual([]);
  // Otherwise no kill came between a PUBLISH and the end of its handshake, and this test has proved little.
  expect(exact.resent.publishes).toBeGreaterThan(0);
  expect(exact.resent.releases).toBeGreaterThan(0);
});
