import { expect, test } from 'vitest';
import { OperatingError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import { nodeClock } from '../../../src/platform/node-clock.ts';
import { Harness, until } from './harness.ts';
import { CONNACK_ACCEPTED, connect, disconnect, pubackIds, publish } from './packets.ts';

const overloaded = new OperatingError('log-overloaded', 'too much is waiting');

/** Enough turns of the event loop for whatever would come too early. */
async function aWhile(harness: Harness): Promise<void> {
  const other = await harness.client();
  await other.endAsync();
}

test('a PUBACK leaves only after the record is durable', async () => {
  await using harness = await Harness.start();
  harness.log.isHolding = true;
  const device = harness.raw();
  device.send(connect('device'), publish('sensors/1', '21.5', { id: 7 }));
  await until(() => harness.log.offers.length === 1, 'the offer');
  await aWhile(harness);
  expect([...device.received]).toEqual(CONNACK_ACCEPTED);
  harness.log.letGo();
  await until(() => device.received.length > 4, 'the PUBACK');
  expect(pubackIds(device.received)).toEqual([7]);
});

test('how long an acknowledgement took is measured: of QoS 1, when it is durable, and of nothing else', async () => {
  await using harness = await Harness.start();
  const measured = () => harness.metrics.value('headwater_mqtt_acknowledge_seconds');
  const device = await harness.client();
  await device.publishAsync('t', 'no answer is promised', { qos: 0 });
  await device.publishAsync('t', 'x', { qos: 1 });
  expect(measured()).toBe(1);
  harness.log.isHolding = true;
  const waiting = device.publishAsync('t', 'y', { qos: 1 });
  await until(() => harness.log.offers.length === 3, 'the offer');
  await aWhile(harness);
  expect(measured()).toBe(1);
  harness.log.letGo();
  await waiting;
  expect(measured()).toBe(2);
  harness.log.failWith = overloaded;
  const refused = harness.raw();
  refused.send(connect('refused'), publish('t', 'z', { id: 1 }));
  await until(() => refused.isClosed, 'the refusal');
  expect(measured()).toBe(2);
});

test('the record is the payload verbatim in topic readings, keyed by the MQTT topic, with the time of receipt', async () => {
  await using harness = await Harness.start();
  const device = await harness.client();
  const before = nodeClock.monotonicMs();
  await device.publishAsync('sensors/ü/temperature', Buffer.from([0, 255, 10]), { qos: 1 });
  const record = harness.log.offers[0]?.record;
  expect(record).toMatchObject({ topic: 'readings', headers: [] });
  expect(Buffer.from(record?.key ?? []).toString()).toBe('sensors/ü/temperature');
  expect([...(record?.value ?? [])]).toEqual([0, 255, 10]);
  expect(record?.receivedMs).toBeGreaterThanOrEqual(before);
  expect(record?.receivedMs).toBeLessThanOrEqual(nodeClock.monotonicMs());
  expect(harness.metrics.value('headwater_records_accepted_total', { source: 'mqtt' })).toBe(1);
});

test('acknowledgements leave in order although commits end out of order', async () => {
  await using harness = await Harness.start();
  harness.log.isHolding = true;
  const device = harness.raw();
  device.send(connect('device'));
  const ids = Array.from({ length: 10 }, (_, index) => index + 1);
  for (const id of ids) {
    device.send(publish('t', `${id}`, { id }));
    await until(() => harness.log.offers.length === id, 'its offer, which is not one with the others');
  }
  for (const offer of harness.log.offers.slice(1).reverse()) offer.resolve();
  await aWhile(harness);
  expect(pubackIds(device.received)).toEqual([]);
  harness.log.offers[0]?.resolve();
  await until(() => pubackIds(device.received).length === 10, 'all PUBACKs');
  expect(pubackIds(device.received)).toEqual(ids);
});

test('a slow commit of one client does not hold up the acknowledgements of another', async () => {
  await using harness = await Harness.start();
  harness.log.isHolding = true;
  const slow = harness.raw();
  slow.send(connect('slow'), publish('t', 'slow'));
  await until(() => harness.log.offers.length === 1, 'the first offer');
  harness.log.isHolding = false;
  const quick = await harness.client();
  await quick.publishAsync('t', 'quick', { qos: 1 });
  expect(pubackIds(slow.received)).toEqual([]);
});

test('a message sent again (DUP) after a lost PUBACK is accepted and acknowledged again', async () => {
  await using harness = await Harness.start();
  const device = harness.raw();
  device.send(connect('device'), publish('t', 'x', { id: 3 }), publish('t', 'x', { id: 3, dup: true }));
  await until(() => pubackIds(device.received).length === 2, 'both PUBACKs');
  expect(pubackIds(device.received)).toEqual([3, 3]);
  expect(harness.log.values()).toEqual(['x', 'x']);
});

test('more messages than the broker queues before its CONNACK are all accepted', async () => {
  await using harness = await Harness.start();
  const device = harness.raw();
  const ids = Array.from({ length: 500 }, (_, index) => index + 1);
  device.send(connect('device'), ...ids.map((id) => publish('t', `${id}`, { id })));
  await until(() => pubackIds(device.received).length === 500, 'all PUBACKs');
  expect(pubackIds(device.received)).toEqual(ids);
});

test('messages are answered although the client says goodbye right after them', async () => {
  await using harness = await Harness.start();
  harness.log.isHolding = true;
  const device = harness.raw();
  device.send(connect('device'), publish('t', 'a', { id: 1 }), publish('t', 'b', { id: 2 }), disconnect);
  device.socket.end();
  await until(() => harness.log.offers.length === 2, 'both offers');
  await aWhile(harness);
  harness.log.letGo();
  await until(() => device.isClosed, 'the end of the connection');
  expect(pubackIds(device.received)).toEqual([1, 2]);
});

test('if the log refuses, the connection closes without an acknowledgement, and the client is served when it returns', async () => {
  await using harness = await Harness.start();
  harness.log.failWith = overloaded;
  const device = await harness.client({ reconnectPeriod: 20, clientId: 'device' });
  let acknowledged = false;
  const published = device.publishAsync('t', 'precious', { qos: 1 }).then(() => {
    acknowledged = true;
  });
  await until(() => !device.connected, 'the cut');
  expect(acknowledged).toBe(false);
  expect(harness.refusedRecords('log-overloaded')).toBeGreaterThanOrEqual(1);
  expect(harness.refusedConnections('log-overloaded')).toBeGreaterThanOrEqual(1);
  harness.log.failWith = null;
  await published;
  expect(harness.log.values().at(-1)).toBe('precious');
});

test('what was durable before a refused message is acknowledged before the connection closes', async () => {
  await using harness = await Harness.start();
  harness.log.isHolding = true;
  const device = harness.raw();
  device.send(connect('device'), publish('t', 'good', { id: 1 }), publish('$SYS/t', 'bad', { id: 2 }));
  await until(() => harness.log.offers.length === 1, 'the offer');
  await aWhile(harness);
  expect(device.isClosed).toBe(false);
  harness.log.letGo();
  await until(() => device.isClosed, 'the cut');
  expect(pubackIds(device.received)).toEqual([1]);
});

test('QoS 0 that the log refuses is dropped and counted; nobody sees it and the client stays', async () => {
  await using harness = await Harness.start();
  const subscriber = await harness.client();
  const seen: string[] = [];
  subscriber.on('message', (_topic, payload) => seen.push(payload.toString()));
  await subscriber.subscribeAsync('#');
  const device = await harness.client();
  harness.log.failWith = overloaded;
  await device.publishAsync('t', 'lost', { qos: 0, retain: true });
  await until(() => harness.refusedRecords('log-overloaded') === 1, 'the refusal');
  harness.log.failWith = null;
  await device.publishAsync('t', 'kept', { qos: 1 });
  await until(() => seen.length > 0, 'a delivery');
  expect(seen).toEqual(['kept']);
  const late = await harness.client();
  const retained: string[] = [];
  late.on('message', (_topic, payload) => retained.push(payload.toString()));
  await late.subscribeAsync('#');
  await device.publishAsync('t', 'last', { qos: 1 });
  await until(() => retained.length > 0, 'a delivery');
  expect(retained).toEqual(['last']);
});

test('a message larger than a record may be is refused before it is acknowledged, and nothing else is lost', async () => {
  await using harness = await Harness.start();
  const device = harness.raw();
  const tooLarge = Buffer.alloc(limits.recordBytesMax);
  device.send(connect('device'), publish('t', 'before', { id: 1 }), publish('t', tooLarge, { id: 2 }));
  await until(() => device.isClosed, 'the cut');
  expect(pubackIds(device.received)).toEqual([1]);
  expect(harness.log.values()).toEqual(['before']);
  expect(harness.refusedRecords('record-too-large')).toBe(1);
  const other = await harness.client();
  const justFits = Buffer.alloc(limits.recordBytesMax - 1);
  await other.publishAsync('t', justFits, { qos: 1 });
  expect(harness.log.offers.at(-1)?.record.value?.length).toBe(justFits.length);
});

test.each([0, 1] as const)('$SYS is refused with QoS %i', async (qos) => {
  await using harness = await Harness.start();
  const device = harness.raw();
  device.send(connect('device'), publish('$SYS/x', 'x', { qos }));
  await until(() => device.isClosed, 'the cut');
  expect(harness.log.offers).toEqual([]);
  expect(harness.refusedRecords('reserved-topic')).toBe(1);
});

test('a will becomes a record when its client breaks off, and none when it says goodbye', async () => {
  await using harness = await Harness.start();
  const will = { topic: 'status', payload: Buffer.from('gone'), qos: 1 as const, retain: false };
  const polite = await harness.client({ will });
  await polite.endAsync();
  const device = await harness.client({ will });
  device.stream.destroy();
  await until(() => harness.log.offers.length > 0, 'the will');
  await aWhile(harness);
  expect(harness.log.values()).toEqual(['gone']);
});
