import type { MqttClient } from 'mqtt';
import { expect, test } from 'vitest';
import { OperatingError } from '../../../../src/core/errors.ts';
import { limits } from '../../../../src/core/limits.ts';
import type { Qos2Log } from '../../../../src/core/qos2.ts';
import { MemorySessionStore } from '../../../support/memory-session-store.ts';
import { Harness, noQos2Log, until } from '../harness.ts';
import { connect, packet, publish, subscribe } from '../packets.ts';

/* What the broker does for lasting sessions, with a store that can be held up. */

function messagesOf(client: MqttClient): string[] {
  const seen: string[] = [];
  client.on('message', (topic, payload) => seen.push(`${topic} ${payload}`));
  return seen;
}

const lasting = { clientId: 'subscriber', clean: false };

async function absentSubscriber(harness: Harness, filter = '#', qos: 1 | 2 = 1): Promise<void> {
  const subscriber = await harness.client(lasting);
  await subscriber.subscribeAsync(filter, { qos });
  await subscriber.endAsync();
}

/** The subscriber again, with a handler from its first moment on. */
function returned(harness: Harness): string[] {
  return messagesOf(harness.unconnectedClient(lasting));
}

const givenUp = (harness: Harness, what: string): number =>
  harness.metrics.value('headwater_mqtt_given_up_total', { what });

test('a retained message takes effect only once it is durable, and not at all if it does not become so', async () => {
  await using harness = await Harness.start();
  const device = await harness.client();
  await device.publishAsync('state', 'old', { qos: 1, retain: true });
  harness.log.isHolding = true;
  const held = device.publishAsync('state', 'new', { qos: 1, retain: true });
  await until(() => harness.log.offers.length === 2, 'the offer');
  const early = await harness.client();
  const seenEarly = messagesOf(early);
  await early.subscribeAsync('state', { qos: 1 });
  await until(() => seenEarly.length === 1, 'what is retained');
  expect(seenEarly).toEqual(['state old']);
  harness.log.letGo();
  await held;
  harness.log.failWith = new OperatingError('log-unavailable', 'the disk does not answer');
  await device.publishAsync('state', 'lost', { qos: 0, retain: true });
  await until(() => harness.refusedRecords('log-unavailable') === 1, 'the refusal');
  const late = await harness.client();
  const seenLate = messagesOf(late);
  await late.subscribeAsync('state', { qos: 1 });
  await until(() => seenLate.length === 1, 'what is retained');
  expect(seenLate).toEqual(['state new']);
});

test('a PUBACK and a delivery at QoS 1 wait for no store, also where somebody away has subscribed', async () => {
  const store = new MemorySessionStore();
  await using harness = await Harness.start(noQos2Log, { store });
  await absentSubscriber(harness);
  const { promise, resolve } = Promise.withResolvers<void>();
  store.held = promise;
  const device = await harness.client();
  for (let index = 0; index < 20; index += 1) await device.publishAsync('t', `${index}`, { qos: 1 });
  expect(harness.log.offers).toHaveLength(20);
  const seen = returned(harness);
  await until(() => seen.length === 20, 'what waited');
  resolve();
});

test('a record has headers only where it is retained, or waits for a session', async () => {
  await using harness = await Harness.start();
  await absentSubscriber(harness, 'awaited/#');
  const device = await harness.client();
  await device.publishAsync('t', 'x', { qos: 1 });
  await device.publishAsync('awaited/0', 'x', { qos: 0 });
  await device.publishAsync('awaited/1', 'x', { qos: 1 });
  await device.publishAsync('t', 'x', { qos: 0, retain: true });
  const headers = harness.log.offers.map(({ record }) =>
    record.headers.map(({ name, value }) => `${name}=${Buffer.from(value)}`),
  );
  await until(() => harness.log.offers.length === 4, 'the offers');
  expect(headers.slice(0, 3)).toEqual([[], [], ['mqtt.qos=1']]);
  const last = harness.log.offers[3]?.record.headers.map(
    ({ name, value }) => `${name}=${Buffer.from(value)}`,
  );
  expect(last).toEqual(['mqtt.retain=0']);
});

test('what waits is at the lower QoS of message and subscription, and waits once where filters overlap', async () => {
  await using harness = await Harness.start();
  const subscriber = await harness.client(lasting);
  await subscriber.subscribeAsync({ 'a/#': { qos: 1 }, 'a/b': { qos: 1 }, '+/b': { qos: 1 } });
  await subscriber.endAsync();
  const device = await harness.client();
  await device.publishAsync('a/b', 'x', { qos: 1 });
  await device.publishAsync('a/c', 'last', { qos: 1 });
  const seen = returned(harness);
  await until(() => seen.includes('a/c last'), 'what waited');
  expect(seen).toEqual(['a/b x', 'a/c last']);
});

test('beyond its limit what comes for a subscriber is not queued: the first messages stay, and it is told once', async () => {
  await using harness = await Harness.start();
  await absentSubscriber(harness);
  const device = await harness.client();
  const count = limits.mqttSessionQueuedMax + 20;
  await Promise.all(
    Array.from({ length: count }, (_, index) => device.publishAsync('t', `${index}`, { qos: 1 })),
  );
  expect(harness.log.offers).toHaveLength(count);
  expect(givenUp(harness, 'queue-full')).toBe(20);
  expect(harness.logger.lines.filter((line) => /too much waits for this client/.test(line))).toHaveLength(1);
  const seen = returned(harness);
  await until(() => seen.length === limits.mqttSessionQueuedMax, 'what waited');
  expect(seen.at(-1)).toBe(`t ${limits.mqttSessionQueuedMax - 1}`);
  await until(() => harness.metrics.value('headwater_mqtt_queued') === 0, 'the acknowledgements');
  await device.publishAsync('t', 'later', { qos: 1 });
  await until(() => seen.at(-1) === 't later', 'a delivery');
});

test('a full queue costs the store nothing any more', async () => {
  const store = new MemorySessionStore();
  await using harness = await Harness.start(noQos2Log, { store });
  await absentSubscriber(harness);
  const device = await harness.client();
  const flood = (count: number): Promise<unknown> =>
    Promise.all(Array.from({ length: count }, () => device.publishAsync('t', 'x', { qos: 1 })));
  await flood(limits.mqttSessionQueuedMax);
  const other = await harness.client({ clientId: 'other', clean: false });
  await other.subscribeAsync('elsewhere', { qos: 1 });
  const { rows } = store;
  await flood(500);
  await other.subscribeAsync('elsewhere/too', { qos: 1 });
  expect(store.rows - rows).toBe(1);
});

test('all subscribers together are bounded as well', async () => {
  await using harness = await Harness.start();
  const payload = Buffer.alloc(Math.floor(limits.mqttSessionQueuedBytesMax / 4));
  const sessions = Math.ceil(limits.mqttQueuedBytesMax / limits.mqttSessionQueuedBytesMax) + 2;
  for (let index = 0; index < sessions; index += 1) {
    const subscriber = await harness.client({ clientId: `subscriber-${index}`, clean: false });
    await subscriber.subscribeAsync('#', { qos: 1 });
    await subscriber.endAsync();
  }
  const device = await harness.client();
  for (let index = 0; index < 4; index += 1) await device.publishAsync('t', payload, { qos: 1 });
  const most = Math.floor(limits.mqttQueuedBytesMax / payload.length);
  expect(givenUp(harness, 'queue-full')).toBeGreaterThanOrEqual(4 * sessions - most);
});

test('a client has so many filters at most; SUBACK refuses more, and a filter given back makes room', async () => {
  await using harness = await Harness.start();
  const subscriber = await harness.client(lasting);
  const granted = (filter: string) =>
    subscriber.subscribeAsync(filter, { qos: 1 }).then(
      (grants) => grants[0]?.qos,
      () => 128,
    );
  for (let index = 0; index < limits.mqttSubscriptionsMax; index += 1)
    expect(await granted(`f/${index}`)).toBe(1);
  expect(await granted('one/too/many')).toBe(128);
  expect(harness.metrics.value('headwater_mqtt_subscriptions_refused_total')).toBe(1);
  await subscriber.unsubscribeAsync('f/0');
  expect(await granted('room')).toBe(1);
  expect(await granted('x'.repeat(limits.mqttSubscriptionBytesMax))).toBe(128);
});

test('a filter that is refused beside one that is granted is not kept for the next connection', async () => {
  const store = new MemorySessionStore();
  await using harness = await Harness.start(noQos2Log, { store });
  harness.access.set('', { subscribe: ['mine/#'] });
  const subscriber = harness.raw();
  subscriber.send(connect('subscriber', { clean: false }));
  await until(() => subscriber.received.length === 4, 'the CONNACK');
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);
  const both = [Buffer.from([0, 1]), text('mine/a'), Buffer.from([1]), text('theirs'), Buffer.from([1])];
  subscriber.send(packet(0x82, Buffer.concat(both)));
  await until(() => subscriber.received.length >= 10, 'the SUBACK');
  expect([...subscriber.received.subarray(4)]).toEqual([0x90, 4, 0, 1, 1, 0x80]);
  const { sessions } = await store.load();
  expect(sessions.map(({ subscriptions }) => subscriptions)).toEqual([[{ topic: 'mine/a', qos: 1 }]]);
  subscriber.socket.destroy();
  await until(() => subscriber.isClosed, 'the end');
  const device = await harness.client();
  await device.publishAsync('theirs', 'secret', { qos: 1 });
  await device.publishAsync('mine/a', 'x', { qos: 1 });
  const seen = returned(harness);
  await until(() => seen.length === 1, 'what waited');
  expect(seen).toEqual(['mine/a x']);
});

test('what waited is not given to a client that may no longer subscribe to it', async () => {
  await using harness = await Harness.start();
  await absentSubscriber(harness);
  const device = await harness.client();
  await device.publishAsync('secret', 'x', { qos: 1 });
  await device.publishAsync('public', 'y', { qos: 1 });
  harness.access.set('', { subscribe: ['public'] });
  const seen = returned(harness);
  await until(() => seen.length === 1, 'what waited');
  expect(seen).toEqual(['public y']);
  await until(() => harness.metrics.value('headwater_mqtt_queued') === 0, 'the acknowledgement');
});

test('a clean session ends the lasting one of the same client, with all that waits in it', async () => {
  const store = new MemorySessionStore();
  await using harness = await Harness.start(noQos2Log, { store });
  await absentSubscriber(harness);
  const device = await harness.client();
  await device.publishAsync('t', 'x', { qos: 1 });
  await (await harness.client({ clientId: 'subscriber', clean: true })).endAsync();
  const { sessions, queued } = await store.load();
  expect({ sessions, queued }).toEqual({ sessions: [], queued: [] });
  const again = harness.raw();
  again.send(connect('subscriber', { clean: false }));
  await until(() => again.received.length === 4, 'the CONNACK');
  expect([...again.received]).toEqual([0x20, 2, 0, 0]);
});

test('messages that come while a client connects are sent to it once, after what waited, and in order', async () => {
  await using harness = await Harness.start();
  await absentSubscriber(harness);
  const device = await harness.client();
  const total = 600;
  const seen: string[] = [];
  for (let index = 0; index < total; index += 1) {
    const published = device.publishAsync('t', `${index}`, { qos: 1 });
    if (index === 200) {
      const client = harness.unconnectedClient(lasting);
      client.on('message', (_topic, payload) => seen.push(`${payload}`));
    }
    if (index % 5 === 0) await published;
  }
  await until(() => seen.length >= total, 'all messages');
  expect(seen).toEqual(Array.from({ length: total }, (_, index) => `${index}`));
});

/** QoS 2 in memory: every message is new. */
const takesAll: Qos2Log = {
  ...noQos2Log,
  appendOnce: () => Promise.resolve(true),
  release: () => Promise.resolve(),
};

test('messages of QoS 2 come once each and in order over many broken connections of their subscriber', async () => {
  await using harness = await Harness.start(takesAll);
  const subscriber = await harness.client({ ...lasting, reconnectPeriod: 1 });
  const seen = messagesOf(subscriber);
  await subscriber.subscribeAsync('#', { qos: 2 });
  const device = await harness.client();
  const total = 600;
  const all = Array.from({ length: total }, (_, index) => `t ${index}`);
  let breaks = 0;
  subscriber.on('message', () => {
    if (seen.length % 37 !== 0) return;
    breaks += 1;
    subscriber.stream.destroy();
  });
  for (let index = 0; index < total; index += 1) {
    const published = device.publishAsync('t', `${index}`, { qos: 2 });
    if (index % 7 === 0) await published;
  }
  await until(() => seen.length >= total, 'all messages');
  await device.publishAsync('t', 'last', { qos: 2 });
  await until(() => seen.includes('t last'), 'the last message');
  expect(breaks).toBeGreaterThan(5);
  expect(seen).toEqual([...all, 't last']);
});

test('while the store cannot be written everything goes on, is told once, and is written as a whole later', async () => {
  const store = new MemorySessionStore();
  await using harness = await Harness.start(noQos2Log, { store });
  store.failWith = new Error('no space left');
  await absentSubscriber(harness);
  const device = await harness.client();
  await device.publishAsync('t', 'x', { qos: 1 });
  const seen = returned(harness);
  await until(() => seen.length === 1, 'what waited');
  expect(harness.logger.lines.filter((line) => /cannot be written.*no space left/.test(line))).toHaveLength(
    1,
  );
  store.failWith = null;
  await harness.ingest.stop();
  expect((await store.load()).sessions).toMatchObject([{ client: 'subscriber' }]);
});

test('raw bytes: a retained message of QoS 2 for a new subscription of a lasting session is handed over whole', async () => {
  await using harness = await Harness.start();
  const device = harness.raw();
  device.send(connect('device'), publish('state', 'on', { id: 1, retain: true }));
  await until(() => harness.log.offers.length === 1, 'the record');
  const subscriber = await harness.client(lasting);
  const seen = messagesOf(subscriber);
  await subscriber.subscribeAsync('state', { qos: 2 });
  await until(() => seen.length === 1, 'the retained message');
  const raw = harness.raw();
  raw.send(connect('plain'), subscribe('state', 0));
  await until(() => raw.received.includes('state'), 'the retained message');
  expect(harness.metrics.value('headwater_mqtt_queued')).toBe(0);
});
