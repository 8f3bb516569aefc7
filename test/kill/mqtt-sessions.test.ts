import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { headwaterProcess } from '../support/command-process.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { isExactDevice, Qos2Fleet } from '../support/qos2-fleet.ts';
import { judgeReadings } from '../support/reading-oracle.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/* What the broker keeps, over stops and SIGKILLs of the real daemon, as real clients see it. */

const clients: MqttClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.end(true);
});

/** A connected client, with all that it was sent from its first moment on, as `topic payload`. */
async function connect(gateway: { readonly mqtt: string }, options: IClientOptions = {}) {
  const client = mqtt.connect(`mqtt://${gateway.mqtt}`, { reconnectPeriod: 0, ...options });
  clients.push(client);
  const received: string[] = [];
  let isPresent = false;
  client.on('error', () => {});
  client.on('message', (topic, payload) => received.push(`${topic} ${payload}`));
  client.on('connect', ({ sessionPresent }) => {
    isPresent = sessionPresent;
  });
  await expect.poll(() => client.connected, { timeout: 20_000 }).toBe(true);
  return { client, received, isPresent: () => isPresent };
}

const lasting = (clientId: string): IClientOptions => ({ clientId, clean: false });

async function soon<Value>(value: () => Value, wanted: Value): Promise<void> {
  await expect.poll(value, { timeout: 20_000, interval: 5 }).toEqual(wanted);
}

/** Sends a message of QoS 2 that the client has subscribed to, and waits for it: what was on its way has arrived, too. */
async function last(
  gateway: RunningGateway,
  { received }: { readonly received: readonly string[] },
  topic: string,
) {
  const { client } = await connect(gateway);
  await client.publishAsync(topic, 'last', { qos: 2 });
  await soon(() => received.includes(`${topic} last`), true);
  await client.endAsync();
}

const numbered = (topic: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${topic} ${index}`);

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'what waits for an absent subscriber is there after a %s right after its last acknowledgement, each once, in order',
  async (signal) => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    const count = 100;
    {
      await using gateway = await startGateway({ dataDir });
      const subscriber = await connect(gateway, lasting('subscriber'));
      await subscriber.client.subscribeAsync('sensors/#', { qos: 2 });
      await subscriber.client.endAsync();
      const { client } = await connect(gateway);
      const sent = [1, 2].flatMap((qos) =>
        Array.from({ length: count }, (_, index) =>
          client.publishAsync(`sensors/${qos}`, `${index}`, { qos: qos === 1 ? 1 : 2 }),
        ),
      );
      await Promise.all(sent);
      await gateway.kill(signal);
    }
    await using gateway = await startGateway({ dataDir });
    const subscriber = await connect(gateway, lasting('subscriber'));
    expect(subscriber.isPresent()).toBe(true);
    await last(gateway, subscriber, 'sensors/3');
    for (const qos of [1, 2]) {
      const ofQos = subscriber.received.filter((message) => message.startsWith(`sensors/${qos}`));
      expect(ofQos).toEqual(numbered(`sensors/${qos}`, count));
    }
  },
);

test('a subscription whose SUBACK came is there after a SIGKILL, and one that was given back is not', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  {
    await using gateway = await startGateway({ dataDir });
    const { client } = await connect(gateway, lasting('subscriber'));
    await client.subscribeAsync({ kept: { qos: 1 }, 'given/back': { qos: 1 }, plain: { qos: 0 } });
    await client.unsubscribeAsync('given/back');
    await gateway.kill('SIGKILL');
  }
  await using gateway = await startGateway({ dataDir });
  const subscriber = await connect(gateway, lasting('subscriber'));
  expect(subscriber.isPresent()).toBe(true);
  const { client } = await connect(gateway);
  for (const topic of ['given/back', 'plain', 'kept']) await client.publishAsync(topic, 'x', { qos: 1 });
  await last(gateway, subscriber, 'kept');
  expect(subscriber.received.toSorted()).toEqual(['kept last', 'kept x', 'plain x']);
});

test('messages of QoS 2 come to a subscriber once each and in order, through SIGKILLs in the midst of their handshakes', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  let gateway = await startGateway({ dataDir });
  const { mqtt: address } = gateway;
  const kills = 6;
  const readingsPerDevice = 300;
  const fleet = new Qos2Fleet({ devices: 2, readingsPerDevice, window: 10, mqtt: address });
  try {
    const subscriber = await connect(gateway, { ...lasting('subscriber'), reconnectPeriod: 20 });
    await subscriber.client.subscribeAsync('sensors/#', { qos: 2 });
    const sending = fleet.run();
    for (let kill = 1; kill <= kills; kill += 1) {
      const strike = (kill * 2 * readingsPerDevice) / (kills + 1);
      while (subscriber.received.length < strike) await nodeClock.sleep(1);
      await gateway.kill('SIGKILL');
      gateway = await startGateway({ dataDir, set: [`mqtt.listen=${address}`] });
    }
    await sending;
    await expect
      .poll(() => subscriber.received.length, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(2 * readingsPerDevice);
    await last(gateway, subscriber, 'sensors/last');
    const readings = subscriber.received.flatMap((message) => message.match(/\{.*/)?.[0] ?? []);
    expect(judgeReadings(fleet.acknowledged, readings, { isExact: isExactDevice })).toEqual([]);
    expect(readings).toHaveLength(2 * readingsPerDevice);
  } finally {
    fleet.stop();
    await gateway.kill('SIGKILL');
  }
});

test('retained messages are there after a SIGKILL right after their acknowledgement, the newest of each topic', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  {
    await using gateway = await startGateway({ dataDir });
    const { client } = await connect(gateway);
    for (const state of ['old', 'new']) await client.publishAsync('state', state, { qos: 1, retain: true });
    await client.publishAsync('cleared', 'x', { qos: 1, retain: true });
    await client.publishAsync('cleared', '', { qos: 1, retain: true });
    await client.publishAsync('exact', 'y', { qos: 2, retain: true });
    await gateway.kill('SIGKILL');
  }
  for (let start = 0; start < 2; start += 1) {
    await using gateway = await startGateway({ dataDir });
    const subscriber = await connect(gateway);
    await subscriber.client.subscribeAsync('#', { qos: 2 });
    await last(gateway, subscriber, 'other');
    expect(subscriber.received.slice(0, -1).toSorted()).toEqual(['exact y', 'state new']);
    await gateway.kill('SIGKILL');
  }
});

test('after a SIGKILL the will of a client that does not come back is published, and not that of one that does', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const will = (clientId: string): IClientOptions => ({
    clientId,
    keepalive: 1,
    will: { topic: `wills/${clientId}`, payload: Buffer.from('gone'), qos: 1, retain: true },
  });
  {
    await using gateway = await startGateway({ dataDir });
    const left = await connect(gateway, will('left'));
    await left.client.endAsync();
    await connect(gateway, will('lost'));
    await connect(gateway, will('returned'));
    await gateway.kill('SIGKILL');
  }
  await using gateway = await startGateway({ dataDir });
  const subscriber = await connect(gateway);
  await subscriber.client.subscribeAsync('wills/#', { qos: 1 });
  await connect(gateway, { clientId: 'returned' });
  await soon(() => subscriber.received, ['wills/lost gone']);
  const late = await connect(gateway);
  await late.client.subscribeAsync('wills/#', { qos: 1 });
  await soon(() => late.received, ['wills/lost gone']);
  const { output } = await headwaterProcess(dataDir, ['consume', 'readings', '--from-beginning']);
  expect(output).toBe('gone\n');
});

test('a damaged store is kept aside and begun anew: the gateway starts, and finds retained messages in the log', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const path = join(dataDir, 'mqtt.sqlite');
  {
    await using gateway = await startGateway({ dataDir });
    const { client } = await connect(gateway, lasting('subscriber'));
    await client.subscribeAsync('#', { qos: 1 });
    await client.publishAsync('state', 'on', { qos: 1, retain: true });
    await gateway.kill('SIGTERM');
  }
  await writeFile(path, 'this is no database, but it is long enough to look like the beginning of one');
  await using gateway = await startGateway({ dataDir });
  expect(gateway.stderr() + gateway.stdout()).toMatch(
    /mqtt\.sqlite cannot be read.*kept as mqtt\.sqlite\.damaged/,
  );
  expect(await readFile(`${path}.damaged`, 'utf8')).toMatch(/^this is no database/);
  const subscriber = await connect(gateway, lasting('subscriber'));
  expect(subscriber.isPresent()).toBe(false);
  await expect
    .poll(async () => (await (await gateway.api('/metrics')).text()).includes('headwater_mqtt_retained 1'), {
      timeout: 20_000,
    })
    .toBe(true);
  await subscriber.client.subscribeAsync('#', { qos: 1 });
  await soon(() => subscriber.received, ['state on']);
});
