import type { IClientOptions } from 'mqtt';
import { expect, test } from 'vitest';
import { openLog, readTexts } from '../../support/log-on-disk.ts';
import { SimDisk } from '../../support/sim-disk.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { Harness, type RawClient, until } from './harness.ts';
import {
  CONNACK_ACCEPTED,
  connect,
  disconnect,
  pubackIds,
  publish,
  pubrecIds,
  subscribe,
} from './packets.ts';

const asPump: IClientOptions = { username: 'pump', password: 'secret' };

/** Lets in the user pump with these lists, and nobody without a user. */
async function withPump(lists: { publish?: string[]; subscribe?: string[] } = {}): Promise<Harness> {
  const harness = await Harness.start();
  harness.access.set('');
  harness.access.set('pump', { password: 'secret', ...lists });
  return harness;
}

const connected = { user: 'pump', password: 'secret' };

async function answered(client: RawClient): Promise<number[]> {
  await until(() => client.received.length >= 4, 'the CONNACK');
  return [...client.received.subarray(0, 4)];
}

test('a right password is let in; CONNACK 4 is for a wrong one, 5 for none at all', async () => {
  await using harness = await withPump();
  const right = harness.raw();
  right.send(connect('a', connected));
  expect(await answered(right)).toEqual(CONNACK_ACCEPTED);
  for (const [options, code] of [
    [{ user: 'pump', password: 'wrong' }, 4],
    [{ user: 'pump' }, 4],
    [{ user: 'nobody', password: 'secret' }, 4],
    [{}, 5],
  ] as const) {
    const refused = harness.raw();
    refused.send(connect('b', options), publish('t', 'x'));
    expect(await answered(refused)).toEqual([0x20, 2, 0, code]);
    await until(() => refused.isClosed, 'the end');
  }
  expect(harness.refusedConnections('bad-login')).toBe(3);
  expect(harness.refusedConnections('anonymous')).toBe(1);
  expect(harness.log.offers).toEqual([]);
  expect(harness.logger.lines.join()).not.toContain('secret');
});

test('an access list is asked with the address, and with the id that a client without one is given', async () => {
  await using harness = await Harness.start();
  await harness.client({ clientId: '' });
  expect(harness.access.attempts).toMatchObject([
    { peer: { host: '127.0.0.1' }, user: null, password: null },
  ]);
  expect(harness.access.attempts[0]?.clientId).toMatch(/./);
});

test.each([1, 2] as const)(
  'a message of QoS %i to where the client may not publish is never acknowledged: the connection ends',
  async (qos) => {
    const log = await openLog(new SimDisk(new SimRandom(1)).session());
    await log.createTopic('readings', 1);
    await using harness = await Harness.start(log);
    harness.access.set('', { publish: ['mine/%c'] });
    const subscriber = await harness.client({ clientId: 'subscriber' });
    const seen: string[] = [];
    subscriber.on('message', (topic) => seen.push(topic));
    await subscriber.subscribeAsync('#');
    const device = harness.raw();
    device.send(
      connect('device'),
      publish('mine/device', 'good', { qos, id: 1 }),
      publish('mine/other', 'bad', { qos, id: 2, retain: true }),
      publish('mine/device', 'after', { qos, id: 3 }),
    );
    await until(() => device.isClosed, 'the cut');
    expect((qos === 1 ? pubackIds : pubrecIds)(device.received)).toEqual([1]);
    expect(harness.refusedRecords('not-allowed')).toBe(1);
    expect(harness.refusedConnections('not-allowed')).toBe(1);
    expect(harness.logger.lines.join()).toMatch(
      /a client without a user may not publish to mine\/other; if it/,
    );
    const stored = qos === 1 ? harness.log.values() : await readTexts(log, 'readings', 0);
    expect(stored).not.toContain('bad');
    await until(() => seen.length > 0, 'what is allowed');
    expect(seen).not.toContain('mine/other');
    expect(log.openQos2Ids('device').has(2)).toBe(false);
    const late = await harness.client({ clientId: 'late' });
    const retained: string[] = [];
    late.on('message', (topic) => retained.push(topic));
    await late.subscribeAsync('#');
    await late.publishAsync('mine/late', 'x', { qos: 1 });
    await until(() => retained.length > 0, 'a message');
    expect(retained).toEqual(['mine/late']);
  },
);

test('of QoS 0 it is dropped, and the connection stays: closing would only bring the device back at once', async () => {
  await using harness = await withPump({ publish: ['good'] });
  const subscriber = await harness.client(asPump);
  const seen: string[] = [];
  subscriber.on('message', (topic) => seen.push(topic));
  await subscriber.subscribeAsync('#');
  const device = await harness.client(asPump);
  await device.publishAsync('bad', 'x', { qos: 0, retain: true });
  await device.publishAsync('good', 'x', { qos: 1 });
  await until(() => seen.length === 1, 'what is allowed');
  expect(seen).toEqual(['good']);
  expect(device.connected).toBe(true);
  expect(harness.log.offers.length).toBe(1);
  expect(harness.refusedRecords('not-allowed')).toBe(1);
});

test('topics in messages of the service log are of a bounded length', async () => {
  await using harness = await withPump({ publish: [] });
  const device = await harness.client(asPump);
  await device.publishAsync('x'.repeat(1_000), 'x', { qos: 0 });
  await until(() => harness.refusedRecords('not-allowed') === 1, 'the refusal');
  expect(Math.max(...harness.logger.lines.map(({ length }) => length))).toBeLessThan(600);
});

test('a subscription that is not allowed is answered by 0x80, and gives neither new nor retained messages', async () => {
  await using harness = await withPump({ subscribe: ['good/#'] });
  const device = await harness.client(asPump);
  await device.publishAsync('bad', 'retained', { qos: 1, retain: true });
  const subscriber = harness.raw();
  subscriber.send(connect('s', connected), subscribe('#'), subscribe('good/+', 1));
  await until(() => subscriber.received.length >= 14, 'both SUBACKs');
  expect([...subscriber.received.subarray(4)]).toEqual([0x90, 3, 0, 1, 0x80, 0x90, 3, 0, 1, 1]);
  await device.publishAsync('bad', 'new', { qos: 0 });
  await device.publishAsync('good/x', 'new', { qos: 0 });
  await until(() => subscriber.received.length > 14, 'a message');
  expect(subscriber.received.subarray(14).toString()).toContain('good/x');
  expect(subscriber.received.toString()).not.toContain('bad');
  expect(harness.metrics.value('headwater_mqtt_subscriptions_refused_total')).toBe(1);
});

test('a will to where the client may not publish is refused with the connection', async () => {
  await using harness = await withPump({ publish: ['good/#'] });
  const refused = harness.raw();
  refused.send(connect('a', { ...connected, will: { topic: 'bad', payload: 'gone' } }));
  expect(await answered(refused)).toEqual([0x20, 2, 0, 5]);
  await until(() => refused.isClosed, 'the end');
  expect(harness.refusedConnections('not-allowed')).toBe(1);
  const allowed = harness.raw();
  allowed.send(connect('b', { ...connected, will: { topic: 'good/b', payload: 'gone' } }));
  expect(await answered(allowed)).toEqual(CONNACK_ACCEPTED);
  allowed.socket.destroy();
  await until(() => harness.log.offers.length === 1, 'the will');
  expect(harness.log.values()).toEqual(['gone']);
});

test('whose user is changed or removed is cut off, with nothing more taken of it, its will included', async () => {
  await using harness = await withPump();
  harness.access.set('other', { password: 'x' });
  const other = await harness.client({ username: 'other', password: 'x' });
  for (const lists of [{ password: 'new' }, undefined]) {
    harness.access.set('pump', { password: 'secret' });
    const device = harness.raw();
    device.send(
      connect('a', { ...connected, will: { topic: 't', payload: 'gone' } }),
      publish('t', 'x', { id: 7 }),
    );
    await until(() => pubackIds(device.received).includes(7), 'the PUBACK');
    harness.access.set('pump', lists);
    await until(() => device.isClosed, 'the cut');
    await until(() => harness.refusedRecords('not-allowed') > 0, 'the will');
  }
  expect(harness.log.values()).toEqual(['x', 'x']);
  expect(other.connected).toBe(true);
});

test.each([{ password: 'wrong' }, { user: 'nobody' }])(
  'a stranger with the client id of a device does not end its session: QoS 2 stays exact (%j)',
  async (login) => {
    const log = await openLog(new SimDisk(new SimRandom(1)).session());
    await log.createTopic('readings', 1);
    await using harness = await Harness.start(log);
    harness.access.set('pump', { password: 'secret' });
    const device = harness.raw();
    device.send(connect('device', { ...connected, clean: false }), publish('t', 'once', { qos: 2, id: 5 }));
    await until(() => pubrecIds(device.received).includes(5), 'the PUBREC');
    device.send(disconnect);
    await until(() => device.isClosed, 'the end');
    const stranger = harness.raw();
    stranger.send(connect('device', { ...connected, ...login }));
    expect(await answered(stranger)).toEqual([0x20, 2, 0, 4]);
    await until(() => stranger.isClosed, 'the end of the stranger');
    const again = harness.raw();
    again.send(
      connect('device', { ...connected, clean: false }),
      publish('t', 'once', { qos: 2, id: 5, dup: true }),
    );
    await until(() => pubrecIds(again.received).includes(5), 'the PUBREC');
    expect(await readTexts(log, 'readings', 0)).toEqual(['once']);
  },
);

test('a client id with a zero character is refused: no device can be taken for a broker that is subscribed to', async () => {
  await using harness = await Harness.start();
  const client = harness.raw();
  client.send(connect('\0source/plant/0123456789abcdef', { clean: false }));
  expect(await answered(client)).toEqual([0x20, 2, 0, 2]);
  expect(harness.refusedConnections('client-id')).toBe(1);
});
