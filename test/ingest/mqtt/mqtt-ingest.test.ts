import { once } from 'node:events';
import { createServer } from 'node:net';
import type { IConnackPacket, MqttClient } from 'mqtt';
import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { MqttIngest } from '../../../src/ingest/mqtt/mqtt-ingest.ts';
import { defaultMqttLimits } from '../../../src/ingest/mqtt/mqtt-limits.ts';
import { nodeClock } from '../../../src/platform/node-clock.ts';
import { memoryRouting } from '../../support/memory-routing.ts';
import { MemorySessionStore, noHistory } from '../../support/memory-session-store.ts';
import { Harness, noQos2Log, plainListener, until } from './harness.ts';
import { CONNACK_ACCEPTED, connect, disconnect, packet, pubackIds, publish, subscribe } from './packets.ts';

/** What the client is sent, as `topic payload retain`. */
function messagesOf(client: MqttClient): string[] {
  const seen: string[] = [];
  client.on('message', (topic, payload, { retain }) => seen.push(`${topic} ${payload} ${retain}`));
  return seen;
}

test('a subscriber sees a message only after it is durable', async () => {
  await using harness = await Harness.start();
  const subscriber = await harness.client();
  const seen = messagesOf(subscriber);
  await subscriber.subscribeAsync('sensors/+', { qos: 1 });
  harness.log.isHolding = true;
  const device = await harness.client();
  const published = [
    device.publishAsync('sensors/1', 'a', { qos: 1 }),
    device.publishAsync('sensors/2', 'b', { qos: 0 }),
  ];
  await until(() => harness.log.offers.length === 2, 'the offers');
  await subscriber.subscribeAsync('elsewhere');
  expect(seen).toEqual([]);
  harness.log.letGo();
  await Promise.all(published);
  await until(() => seen.length === 2, 'the deliveries');
  expect(seen.toSorted()).toEqual(['sensors/1 a false', 'sensors/2 b false']);
});

test('a retained message is given to later subscribers once it is durable, until an empty one takes it away', async () => {
  await using harness = await Harness.start();
  const device = await harness.client();
  await device.publishAsync('state', 'on', { qos: 1, retain: true });
  const second = await harness.client();
  const seen = messagesOf(second);
  await second.subscribeAsync('state');
  await until(() => seen.length === 1, 'the retained message');
  expect(seen).toEqual(['state on true']);
  await device.publishAsync('state', '', { qos: 1, retain: true });
  const third = await harness.client();
  const seenByThird = messagesOf(third);
  await third.subscribeAsync('#');
  await device.publishAsync('other', 'x', { qos: 1 });
  await until(() => seenByThird.length === 1, 'a delivery');
  expect(seenByThird).toEqual(['other x false']);
});

test('what is retained is bounded; messages beyond that are stored and delivered all the same', async () => {
  await using harness = await Harness.start();
  const device = await harness.client();
  const payload = Buffer.alloc(limits.recordBytesMax - 100);
  const count = Math.floor(limits.mqttRetainedBytesMax / payload.length) + 1;
  for (let index = 0; index < count; index++) {
    await device.publishAsync(`t/${index}`, payload, { qos: 1, retain: true });
  }
  expect(harness.log.offers.length).toBe(count);
  expect(harness.logger.lines.join()).toMatch(/too much is retained already/);
  const late = await harness.client();
  const topics: string[] = [];
  late.on('message', (topic) => topics.push(topic));
  await late.subscribeAsync('#');
  await device.publishAsync('last', 'x', { qos: 1 });
  await until(() => topics.length === count, 'the retained messages and the last');
  expect(topics).not.toContain(`t/${count - 1}`);
});

test('a client that publishes faster than the log takes is held back, and loses nothing', async () => {
  await using harness = await Harness.start();
  harness.log.isHolding = true;
  const device = harness.raw();
  const payload = Buffer.alloc(50_000);
  const most = Math.floor(
    limits.mqttClientPendingBytesMax / (payload.length + limits.mqttPublishOverheadBytes),
  );
  device.send(connect('device'));
  // One by one, because the broker itself takes no second chunk of bytes before the first is answered.
  for (let id = 1; id <= most; id++) {
    device.send(publish('t', payload, { id }));
    await until(() => harness.log.offers.length === id, `the offer of message ${id}`);
  }
  const count = 200;
  for (let id = most + 1; id <= count; id++) device.send(publish('t', payload, { id }));
  const other = await harness.client();
  await other.subscribeAsync('#');
  expect(harness.log.offers.length).toBe(most);
  expect(device.socket.writableLength).toBeGreaterThan(0);
  harness.log.letGo();
  await until(() => pubackIds(device.received).length === count, 'all PUBACKs');
  expect(harness.log.bytes()).toBe(count * payload.length);
});

test('many clients together are held back by the common limit, and lose nothing', async () => {
  await using harness = await Harness.start();
  harness.log.isHolding = true;
  const payload = Buffer.alloc(500_000);
  const devices = Array.from({ length: 20 }, () => harness.raw());
  for (const [index, device] of devices.entries()) {
    device.send(connect(`device-${index}`), ...[1, 2, 3, 4].map((id) => publish('t', payload, { id })));
  }
  const most = Math.floor(limits.mqttPendingBytesMax / payload.length);
  await until(() => harness.log.offers.length >= most - 1, 'as much as may be pending');
  await until(
    () => harness.metrics.value('headwater_mqtt_pending_bytes') > 0,
    'the gauge, which is set once a second',
  );
  expect(harness.log.offers.length).toBeLessThanOrEqual(most);
  expect(harness.metrics.value('headwater_mqtt_pending_bytes')).toBeLessThanOrEqual(
    limits.mqttPendingBytesMax,
  );
  harness.log.letGo();
  await until(() => devices.every(({ received }) => pubackIds(received).length === 4), 'all PUBACKs');
});

test('a packet that is too large is cut off as soon as its length is known, before and after CONNECT', async () => {
  await using harness = await Harness.start();
  const huge = Buffer.from([0x30, 0x80, 0x80, 0x80, 0x64]);
  const before = harness.raw();
  before.send(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x64]));
  await until(() => before.isClosed, 'the first cut');
  const after = harness.raw();
  after.send(connect('device'), huge);
  await until(() => after.isClosed, 'the second cut');
  expect(harness.refusedConnections('packet-too-large')).toBe(2);
  expect(harness.logger.lines.join()).toMatch(/at most 1048576 are allowed; have the device send smaller/);
});

test.each(['constructor', '__proto__', 'toString'])('a client may be called %s', async (clientId) => {
  await using harness = await Harness.start();
  const device = await harness.client({ clientId });
  await device.subscribeAsync(clientId);
  await device.publishAsync(clientId, 'x', { qos: 1, retain: true });
  const usurper = await harness.client({ clientId });
  await usurper.publishAsync(clientId, 'y', { qos: 1 });
  await until(() => !device.connected, 'the takeover');
  expect(harness.log.values()).toEqual(['x', 'y']);
});

test('a topic with too many levels ends its own connection only', async () => {
  await using harness = await Harness.start();
  const deep = '/'.repeat(limits.mqttTopicLevelsMax);
  for (const bad of [publish(deep, 'x'), subscribe(deep)]) {
    const device = harness.raw();
    device.send(connect('device'), bad);
    await until(() => device.isClosed, 'the cut');
  }
  const device = await harness.client();
  await device.publishAsync('/'.repeat(limits.mqttTopicLevelsMax - 1), 'just right', { qos: 1 });
  expect(harness.log.values()).toEqual(['just right']);
  expect(harness.refusedConnections('protocol')).toBe(2);
});

test('an MQTT 5 client is told in its own words that it has to speak MQTT 3.1.1', async () => {
  await using harness = await Harness.start();
  const library = harness.unconnectedClient({ protocolVersion: 5 });
  const refused = new Promise<unknown>((resolve) => library.once('error', (error) => resolve(error)));
  const told = new Promise<IConnackPacket>((resolve) =>
    library.on('packetreceive', (packet) => {
      if (packet.cmd === 'connack') resolve(packet);
    }),
  );
  expect(await refused).toMatchObject({ code: 0x84 });
  expect((await told).properties?.reasonString).toMatch(/set the client to MQTT 3\.1\.1/);
  const narrow = harness.raw();
  // It takes packets of 20 bytes at most (property 0x27).
  const properties = [5, 0x27, 0, 0, 0, 20];
  const name = [0, 4, 77, 81, 84, 84];
  narrow.send(packet(0x10, Buffer.from([...name, 5, 2, 0, 0, ...properties, 0, 1, 100])));
  await until(() => narrow.isClosed, 'the end');
  expect([...narrow.received]).toEqual([0x20, 3, 0, 0x84, 0]);
  expect(harness.refusedConnections('protocol-version')).toBe(2);
  expect(harness.log.offers).toEqual([]);
});

test('an empty client id without a clean session is refused as MQTT demands, with one it is accepted', async () => {
  await using harness = await Harness.start();
  const refused = harness.raw();
  refused.send(connect('', { clean: false }));
  await until(() => refused.isClosed, 'the refusal');
  expect([...refused.received]).toEqual([0x20, 2, 0, 2]);
  expect(harness.refusedConnections('client-id')).toBe(1);
  const accepted = harness.raw();
  accepted.send(connect(''));
  await until(() => accepted.received.length > 0, 'the CONNACK');
  expect([...accepted.received]).toEqual(CONNACK_ACCEPTED);
});

test('a client id longer than the limit is refused, one of just that length is accepted', async () => {
  await using harness = await Harness.start();
  const longest = 'ü'.repeat(limits.mqttClientIdBytesMax / 2);
  const refused = harness.raw();
  refused.send(connect(`${longest}x`));
  await until(() => refused.isClosed, 'the refusal');
  expect([...refused.received]).toEqual([0x20, 2, 0, 2]);
  expect(harness.logger.lines.join()).toMatch(/more than 128 bytes; give the device a shorter one/);
  const accepted = harness.raw();
  accepted.send(connect(longest));
  await until(() => accepted.received.length > 0, 'the CONNACK');
  expect([...accepted.received]).toEqual(CONNACK_ACCEPTED);
});

test('a client with a lasting session is told when it comes back that it is still there', async () => {
  await using harness = await Harness.start();
  for (const isPresent of [0, 1]) {
    const device = harness.raw();
    device.send(connect('device', { clean: false }), subscribe('#', 1));
    await until(() => device.received.length >= 9, 'CONNACK and SUBACK');
    expect([...device.received.subarray(0, 4)]).toEqual([0x20, 2, isPresent, 0]);
    device.send(disconnect);
    await until(() => device.isClosed, 'the end');
  }
});

test('garbage ends its own connection only', async () => {
  await using harness = await Harness.start();
  const garbage = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.concat([connect('a'), packet(0x00, Buffer.alloc(3))]),
    Buffer.concat([connect('b'), packet(0xf0, Buffer.alloc(3))]),
    Buffer.concat([connect('c'), packet(0x36, Buffer.alloc(9))]),
    Buffer.concat([connect('d'), packet(0x32, Buffer.from([0xff, 0xff, 1]))]),
    Buffer.concat([connect('e'), connect('e')]),
    Buffer.concat([connect('f'), publish('with/#', 'x')]),
    Buffer.concat([connect('g'), packet(0x82, Buffer.from([0, 1, 0, 0, 0]))]),
    packet(0x10, Buffer.from('XXXXXXXX')),
  ];
  for (const [index, bytes] of garbage.entries()) {
    const device = harness.raw();
    device.send(bytes);
    await until(() => device.isClosed, `the cut of garbage ${index}`);
  }
  const device = await harness.client();
  await device.publishAsync('t', 'fine', { qos: 1 });
  expect(harness.log.values()).toEqual(['fine']);
});

test('a flood of bad clients does not flood the log', async () => {
  await using harness = await Harness.start();
  for (let index = 0; index < 50; index++) harness.raw().send(Buffer.from('nonsense'));
  await until(() => harness.refusedConnections('protocol') === 50, 'all refusals');
  expect(harness.logger.lines.length).toBe(limits.mqttRefusalLinesMax);
});

test('more clients than may connect are turned away, and served when there is room', async () => {
  await using harness = await Harness.start();
  const clients = Array.from({ length: limits.mqttConnectionsMax }, () => harness.raw());
  for (const [index, client] of clients.entries()) client.send(connect(`${index}`));
  await until(() => clients.every(({ received }) => received.length === 4), 'all CONNACKs');
  expect(harness.connections()).toBe(limits.mqttConnectionsMax);
  const tooMany = harness.raw();
  await until(() => tooMany.isClosed, 'the refusal');
  expect(harness.refusedConnections('too-many-connections')).toBe(1);
  clients[0]?.send(disconnect);
  await until(() => clients[0]?.isClosed === true, 'room');
  const welcome = await harness.client();
  await welcome.publishAsync('t', 'x', { qos: 1 });
});

test('a stop answers what is in flight, closes every connection and frees the port', async () => {
  await using harness = await Harness.start();
  harness.log.isHolding = true;
  const device = harness.raw();
  const idle = harness.raw();
  const silent = harness.raw();
  const halfway = harness.raw();
  idle.send(connect('idle'));
  device.send(connect('device'), publish('t', 'x', { id: 9 }));
  halfway.send(connect('halfway'), publish('t', 'never complete').subarray(0, 6));
  await until(() => harness.log.offers.length === 1, 'the offer');
  await until(() => idle.received.length + halfway.received.length === 8, 'the CONNACKs');
  const stopped = harness.ingest.stop();
  const late = harness.raw();
  await until(() => late.isClosed, 'the refusal of a new client');
  harness.log.letGo();
  await stopped;
  await until(() => [device, idle, silent, halfway].every(({ isClosed }) => isClosed), 'all ends');
  expect(pubackIds(device.received)).toEqual([9]);
  expect(harness.connections()).toBe(0);
  expect(harness.metrics.value('headwater_mqtt_pending_bytes')).toBe(0);
  const server = createServer().listen(harness.ingest.addresses.get('mqtt'));
  await once(server, 'listening');
  server.close();
});

test('a port that is taken, and a host that is elsewhere, are errors that say what to set', async () => {
  await using harness = await Harness.start();
  const { accept } = harness.log;
  const shared = { clock: nodeClock, logger: silentLogger, metrics: noMetrics };
  const kept = { store: new MemorySessionStore(), history: noHistory };
  const routing = memoryRouting();
  const parts = {
    ...shared,
    ...kept,
    accept,
    routing,
    limits: defaultMqttLimits,
    qos2: noQos2Log,
    access: harness.access,
  };
  const taken = MqttIngest.start({
    ...parts,
    listeners: [{ ...plainListener, listen: { host: '127.0.0.1', port: harness.port() } }],
  });
  await expect(taken).rejects.toMatchObject({
    code: 'port-unusable',
    message: expect.stringMatching(/is taken.*set mqtt.listen to another port/),
  });
  const elsewhere = MqttIngest.start({
    ...parts,
    listeners: [{ ...plainListener, listen: { host: '192.0.2.1', port: 0 } }],
  });
  await expect(elsewhere).rejects.toMatchObject({
    code: 'port-unusable',
    message: expect.stringMatching(/Set mqtt.listen to one that is/),
  });
});
