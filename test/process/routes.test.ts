import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { headwaterProcess } from '../support/command-process.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/* Routes of the real daemon, as a real client sees them. */

const clients: MqttClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.end(true);
});

async function connect(gateway: RunningGateway): Promise<MqttClient> {
  const client = await mqtt.connectAsync(`mqtt://${gateway.mqtt}`, { reconnectPeriod: 0 });
  clients.push(client);
  return client;
}

const routes = `mqtt.routes=${JSON.stringify([
  {
    match: 'sensors/{device}/temperature',
    topic: 'temperature',
    key: '{device}',
    time: { path: 'ts', unit: 's' },
  },
  { match: 'sensors/{device}/{kind}', topic: '{kind}', key: '{device}' },
  { match: 'slots/{n}', topic: 'slots', partition: '{n}' },
])}`;

interface Row {
  readonly partition: number;
  readonly key: string;
  readonly value: string;
  readonly timestampMs: number;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

async function consumed(dataDir: string, topic: string): Promise<readonly Row[]> {
  const { code, output } = await headwaterProcess(dataDir, ['consume', topic, '--from-beginning', '--json']);
  expect(code).toBe(0);
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

test('messages go where their routes say, in topics that are made for them', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  await using gateway = await startGateway({ dataDir, set: [routes, 'forwarder.waitForClock=0s'] });
  const client = await connect(gateway);
  const sent = [
    client.publishAsync('sensors/k/temperature', '{"t":21,"ts":1700000000}', { qos: 1 }),
    client.publishAsync('sensors/k/humidity', '40', { qos: 1 }),
    client.publishAsync('sensors/k/humidity', '41', { qos: 2 }),
    client.publishAsync('slots/3', 'x', { qos: 1 }),
    client.publishAsync('other/topic', 'y', { qos: 1 }),
    client.publishAsync('slots/none', 'z', { qos: 1 }),
  ];
  await Promise.all(sent);
  const { mqtt: status } = (await (await gateway.api('/api/status')).json()) as {
    mqtt: { unrouted: readonly unknown[] };
  };
  expect(status.unrouted).toEqual([
    { mqttTopic: 'other/topic', problem: 'no-route', messages: 1 },
    { mqttTopic: 'slots/none', problem: 'illegal-partition', messages: 1 },
  ]);
  await gateway.kill('SIGKILL');
  const temperature = await consumed(dataDir, 'temperature');
  expect(temperature).toMatchObject([{ key: 'k', value: '{"t":21,"ts":1700000000}' }]);
  expect(temperature[0]?.headers).toEqual([{ name: 'mqtt.topic', value: 'sensors/k/temperature' }]);
  expect((await consumed(dataDir, 'humidity')).map(({ value }) => value)).toEqual(['40', '41']);
  expect(await consumed(dataDir, 'slots')).toMatchObject([{ partition: 3, key: 'slots/3' }]);
  expect((await consumed(dataDir, 'readings')).map(({ key }) => key)).toEqual(['other/topic', 'slots/none']);
});

test('what was retained by a route is there after a SIGKILL, under its MQTT topic', async () => {
  await using folder = await temporaryFolder();
  const options = { dataDir: join(folder.path, 'data'), set: [routes] };
  const before = await startGateway(options);
  await (await connect(before)).publishAsync('sensors/k/humidity', 'kept', { qos: 1, retain: true });
  await before.kill('SIGKILL');
  await using gateway = await startGateway(options);
  const client = await connect(gateway);
  const received: string[] = [];
  client.on('message', (topic, payload) => received.push(`${topic} ${payload}`));
  await client.subscribeAsync('#', { qos: 1 });
  await expect.poll(() => received, { timeout: 20_000 }).toEqual(['sensors/k/humidity kept']);
});
