import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { MessageRate } from '../../../src/ingest/mqtt/message-rate.ts';
import { Harness, noQos2Log, until } from './harness.ts';
import { connect, publish } from './packets.ts';

test('a rate lets through a second at once, and then so many a second', () => {
  const rate = new MessageRate(10);
  const taken = (): number => {
    let count = 0;
    while (count < 1000 && rate.take()) count += 1;
    return count;
  };
  expect(taken()).toBe(10);
  rate.pass(300);
  expect(taken()).toBe(3);
  rate.pass(60_000);
  expect(taken()).toBe(10);
  const free = new MessageRate(null);
  for (let count = 0; count < 100_000; count += 1) expect(free.take()).toBe(true);
});

test('a rate never lets through more than one second and what the time allows', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.nat(2_000), { maxLength: 50 }),
      (perSecond, passes) => {
        const rate = new MessageRate(perSecond);
        let count = 0;
        let elapsedMs = 0;
        for (const ms of passes) {
          while (rate.take()) count += 1;
          rate.pass(ms);
          elapsedMs += ms;
        }
        expect(count).toBeLessThanOrEqual(perSecond + (perSecond * elapsedMs) / 1000 + 1e-6);
      },
    ),
  );
});

test('who publishes faster than allowed is held back, and nothing of it is lost or out of order', async () => {
  await using harness = await Harness.start(noQos2Log, { limits: { messagesPerSecondMax: 20 } });
  const client = await harness.client();
  const sent = Array.from({ length: 50 }, (_, index) => client.publishAsync('t', `${index}`, { qos: 1 }));
  await Promise.all(sent.slice(0, 20));
  expect(harness.log.offers).toHaveLength(20);
  expect(harness.metrics.value('headwater_mqtt_slowed_total')).toBe(1);
  // Others are not.
  const other = await harness.client();
  await other.publishAsync('o', 'x', { qos: 1 });
  await Promise.all(sent);
  const values = harness.log.values().filter((value) => value !== 'x');
  expect(values).toEqual(Array.from({ length: 50 }, (_, index) => `${index}`));
});

test('connections, packets, topics and subscriptions keep to what is configured', async () => {
  await using harness = await Harness.start(noQos2Log, {
    limits: {
      connectionsMax: 2,
      packetBytesMax: 2_000,
      topicBytesMax: 10,
      topicLevelsMax: 3,
      subscriptionsMax: 2,
    },
  });
  const client = await harness.client();
  const granted = await client.subscribeAsync(['a', 'b']);
  expect(granted.map(({ qos }) => qos)).toEqual([0, 0]);
  await expect(client.subscribeAsync('c')).rejects.toThrow(/subscribe/i);
  await client.unsubscribeAsync('a');
  await expect(client.subscribeAsync('0123456789x')).rejects.toThrow(/subscribe/i);
  await client.publishAsync('0123456789', 'x', { qos: 1 });
  const cutBy = async (topic: string, payload: string): Promise<void> => {
    const one = await harness.client();
    one.publish(topic, payload, { qos: 1 });
    await until(() => !one.connected, 'the end of the connection');
    await one.endAsync(true);
  };
  await cutBy('0123456789x', 'x');
  await cutBy('a/b/c/d', 'x');
  await cutBy('t', 'x'.repeat(2_000));
  const refused = (reason: string): number => harness.refusedConnections(reason);
  expect([refused('topic-too-long'), refused('packet-too-large')]).toEqual([1, 1]);
  const second = await harness.client();
  const third = harness.raw();
  await until(() => refused('too-many-connections') === 1, 'the third to be refused');
  await second.endAsync();
  third.socket.destroy();
  expect(client.connected).toBe(true);
});

test('what waits for its commit keeps to what one client may have, and all together', async () => {
  const bodyBytes = 1_000;
  const packet = publish('t', Buffer.alloc(bodyBytes - 5), { id: 1 });
  const weight = bodyBytes + limits.mqttPublishOverheadBytes;
  await using harness = await Harness.start(noQos2Log, {
    limits: { clientPendingBytesMax: 3 * weight, pendingBytesMax: 5 * weight },
  });
  harness.log.isHolding = true;
  const flood = async (id: string, offered: number): Promise<void> => {
    const client = harness.raw();
    client.send(connect(id), ...Array.from({ length: 10 }, () => packet));
    await until(() => harness.log.offers.length >= offered, 'the offers');
    const later = harness.raw();
    later.send(connect(`after-${id}`));
    await until(() => later.received.length > 0, 'that the gateway has read on');
    expect(harness.log.offers).toHaveLength(offered);
  };
  await flood('a', 3);
  await flood('b', 5);
  harness.log.letGo();
  await until(() => harness.log.offers.length === 20, 'all of them');
});

test('no more waits for an absent subscriber than configured, and what came first stays', async () => {
  await using harness = await Harness.start(noQos2Log, { limits: { sessionQueuedMax: 3 } });
  const away = await harness.client({ clientId: 'away', clean: false });
  await away.subscribeAsync('t', { qos: 1 });
  await away.endAsync();
  const client = await harness.client();
  for (let index = 0; index < 5; index += 1) await client.publishAsync('t', `${index}`, { qos: 1 });
  expect(harness.metrics.value('headwater_mqtt_given_up_total', { what: 'queue-full' })).toBe(2);
  await until(() => harness.metrics.value('headwater_mqtt_queued') === 3, 'the count of what waits');
  const seen: string[] = [];
  const back = harness.unconnectedClient({ clientId: 'away', clean: false });
  back.on('message', (_topic, payload) => seen.push(`${payload}`));
  await until(() => harness.metrics.value('headwater_mqtt_queued') === 0, 'the acknowledgements');
  await client.publishAsync('t', 'last', { qos: 1 });
  await until(() => seen.includes('last'), 'what came then');
  expect(seen).toEqual(['0', '1', '2', 'last']);
});

test('who connects and sends no CONNECT is cut off in the time that is configured', async () => {
  await using harness = await Harness.start(noQos2Log, { limits: { connectTimeoutMs: 1_000 } });
  const silent = harness.raw();
  await until(() => silent.isClosed, 'the end');
  expect(harness.refusedConnections('connect-timeout')).toBe(1);
});

test('who asks for a longer keep-alive than allowed, or none, is cut off when it is silent for too long', async () => {
  await using harness = await Harness.start(noQos2Log, { limits: { keepAliveMsMax: 1_000 } });
  const silent = harness.raw();
  silent.socket.write(connect('silent'));
  await until(() => harness.refusedConnections('keep-alive') === 1, 'the silent one to be cut off');
});
