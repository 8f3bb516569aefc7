import mqtt from 'mqtt';
import { expect, test } from 'vitest';
import { OperatingError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import type { Qos2Id, Qos2Log } from '../../../src/core/qos2.ts';
import type { NewRecord } from '../../../src/core/record.ts';
import type { Log } from '../../../src/log/log.ts';
import { openLog, readTexts } from '../../support/log-on-disk.ts';
import { SimDisk } from '../../support/sim-disk.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { Harness, type RawClient, until } from './harness.ts';
import {
  CONNACK_ACCEPTED,
  connect,
  disconnect,
  pubackIds,
  pubcompIds,
  publish,
  pubrecIds,
  pubrel,
} from './packets.ts';

/** The real log on a simulated disk, whose answers can be held back, and which survives power cuts. */
class DurableLog implements Qos2Log {
  readonly #disk = new SimDisk(new SimRandom(1));
  #log: Log | undefined;
  #held: PromiseWithResolvers<void> | undefined;
  failWith: OperatingError | null = null;
  asked = 0;

  static async open(): Promise<DurableLog> {
    const durable = new DurableLog();
    durable.#log = await openLog(durable.#disk.session());
    await durable.#log.createTopic('readings', 1);
    return durable;
  }

  get log(): Log {
    if (this.#log === undefined) throw new Error('not open');
    return this.#log;
  }

  hold(): void {
    this.#held = Promise.withResolvers();
  }

  letGo(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  async cutPower(): Promise<void> {
    this.#disk.cutPower();
    this.#log = await openLog(this.#disk.session());
  }

  texts(): Promise<string[]> {
    return readTexts(this.log, 'readings', 0);
  }

  appendOnce(record: NewRecord, id: Qos2Id): Promise<boolean> {
    return this.#answer(() => this.log.appendOnce(record, id));
  }

  release(id: Qos2Id): Promise<void> {
    return this.#answer(() => this.log.release(id));
  }

  releaseAll(client: string): Promise<void> {
    return this.#answer(() => this.log.releaseAll(client));
  }

  openQos2Ids(client: string): ReadonlySet<number> {
    return this.log.openQos2Ids(client);
  }

  async #answer<T>(ask: () => Promise<T>): Promise<T> {
    const held = this.#held;
    const { failWith } = this;
    if (failWith === null) this.asked += 1;
    const answer = failWith === null ? await ask() : await Promise.reject(failWith);
    await held?.promise;
    return answer;
  }
}

const lasting = (): Buffer => connect('device', { clean: false });
const qos2 = (id: number, text: string, dup = false): Buffer => publish('t', text, { qos: 2, id, dup });

/** Enough turns of the event loop for whatever would come too early. */
async function aWhile(harness: Harness): Promise<void> {
  const other = await harness.client();
  await other.endAsync();
}

async function gone(client: RawClient): Promise<void> {
  client.socket.destroy();
  await until(() => client.isClosed, 'the end of the connection');
}

test('a whole handshake stores one record, and PUBREC and PUBCOMP leave only after their commits', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const device = harness.raw();
  device.send(lasting());
  await until(() => device.received.length === 4, 'the CONNACK');
  log.hold();
  device.send(qos2(7, 'a'));
  await until(() => log.log.openQos2Ids('device').has(7), 'the commit');
  await harness.client({ clientId: 'other', clean: false });
  expect([...device.received]).toEqual(CONNACK_ACCEPTED);
  log.letGo();
  await until(() => pubrecIds(device.received).length === 1, 'the PUBREC');
  log.hold();
  device.send(pubrel(7));
  await until(() => !log.log.openQos2Ids('device').has(7), 'the commit of the release');
  await harness.client({ clientId: 'another', clean: false });
  expect(pubcompIds(device.received)).toEqual([]);
  log.letGo();
  await until(() => pubcompIds(device.received).length === 1, 'the PUBCOMP');
  expect(pubrecIds(device.received)).toEqual([7]);
  expect(pubcompIds(device.received)).toEqual([7]);
  expect(await log.texts()).toEqual(['a']);
  expect(harness.metrics.value('headwater_records_accepted_total', { source: 'mqtt' })).toBe(1);
});

test('a message sent again is answered and not stored again: later, and while the first is in flight', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const subscriber = await harness.client();
  const seen: string[] = [];
  subscriber.on('message', (_topic, payload) => seen.push(payload.toString()));
  await subscriber.subscribeAsync('#');
  const device = harness.raw();
  device.send(lasting(), qos2(1, 'a'), qos2(1, 'a', true), qos2(2, 'b'));
  await until(() => pubrecIds(device.received).length === 3, 'the PUBRECs');
  device.send(qos2(1, 'a', true), qos2(3, 'c'));
  await until(() => pubrecIds(device.received).length === 5, 'the PUBRECs');
  expect(pubrecIds(device.received)).toEqual([1, 1, 2, 1, 3]);
  await until(() => seen.includes('c'), 'the deliveries');
  expect(seen).toEqual(['a', 'b', 'c']);
  expect(await log.texts()).toEqual(['a', 'b', 'c']);
  expect(harness.metrics.value('headwater_mqtt_duplicates_total')).toBe(2);
  await until(() => harness.metrics.value('headwater_mqtt_pending_bytes') === 0, 'the gauge');
});

test('a message is not stored again after a new connection, nor after a power cut, and a release ends that', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const first = harness.raw();
  first.send(lasting(), qos2(5, 'a'));
  await until(() => pubrecIds(first.received).length === 1, 'the PUBREC');
  await gone(first);
  const second = harness.raw();
  second.send(lasting(), qos2(5, 'a', true));
  await until(() => pubrecIds(second.received).length === 1, 'the PUBREC');
  await gone(second);
  await log.cutPower();
  const third = harness.raw();
  third.send(lasting(), qos2(5, 'a', true), pubrel(5));
  await until(() => pubcompIds(third.received).length === 1, 'the PUBCOMP');
  await gone(third);
  await log.cutPower();
  const fourth = harness.raw();
  fourth.send(lasting(), pubrel(5), qos2(5, 'the next'));
  await until(() => pubrecIds(fourth.received).length === 1, 'the PUBREC');
  expect(pubcompIds(fourth.received)).toEqual([5]);
  expect(await log.texts()).toEqual(['a', 'the next']);
});

test('two clients may use the same packet id', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  for (const [clientId, text] of [
    ['one', 'a'],
    ['constructor', 'b'],
  ] as const) {
    const device = harness.raw();
    device.send(connect(clientId, { clean: false }), qos2(1, text));
    await until(() => pubrecIds(device.received).length === 1, 'the PUBREC');
  }
  expect(await log.texts()).toEqual(['a', 'b']);
});

test('a clean session drops the open ids of its client before the CONNACK', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const first = harness.raw();
  first.send(lasting(), qos2(5, 'a'));
  await until(() => pubrecIds(first.received).length === 1, 'the PUBREC');
  await gone(first);
  log.hold();
  const second = harness.raw();
  second.send(connect('device'));
  await until(() => log.log.openQos2Ids('device').size === 0, 'the commit');
  await harness.client({ clientId: 'other', clean: false });
  expect(second.received.length).toBe(0);
  log.letGo();
  await until(() => second.received.length === 4, 'the CONNACK');
  await log.cutPower();
  second.send(qos2(5, 'another'));
  await until(() => pubrecIds(second.received).length === 1, 'the PUBREC');
  expect(await log.texts()).toEqual(['a', 'another']);
});

test('a clean session ends with its connection, and so do its open ids', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const device = harness.raw();
  device.send(connect('device'), qos2(5, 'a'));
  await until(() => pubrecIds(device.received).length === 1, 'the PUBREC');
  expect(log.log.openQos2Ids('device').size).toBe(1);
  device.send(disconnect);
  await until(() => log.log.openQos2Ids('device').size === 0, 'the release');
});

test('a client without ids is not asked of the log when it connects, even while that is unavailable', async () => {
  const log = await DurableLog.open();
  await log.log.close();
  await using harness = await Harness.start(log);
  await harness.client();
});

test('if the log refuses, the connection closes without PUBREC or PUBCOMP, and the device goes on when it returns', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const refusal = new OperatingError('log-unavailable', 'the disk does not answer');
  log.failWith = refusal;
  const first = harness.raw();
  first.send(lasting(), qos2(9, 'a'));
  await until(() => first.isClosed, 'the cut');
  expect([...first.received]).toEqual(CONNACK_ACCEPTED);
  expect(harness.refusedRecords('log-unavailable')).toBe(1);
  log.failWith = null;
  const second = harness.raw();
  second.send(lasting(), qos2(9, 'a', true));
  await until(() => pubrecIds(second.received).length === 1, 'the PUBREC');
  log.failWith = refusal;
  second.send(pubrel(9));
  await until(() => second.isClosed, 'the second cut');
  expect(pubcompIds(second.received)).toEqual([]);
  expect(harness.refusedConnections('log-unavailable')).toBe(2);
  const clean = harness.raw();
  clean.send(connect('device'));
  await until(() => clean.isClosed, 'the third cut');
  expect(clean.received.length).toBe(0);
  log.failWith = null;
  const third = harness.raw();
  third.send(lasting(), pubrel(9));
  await until(() => pubcompIds(third.received).length === 1, 'the PUBCOMP');
  expect(await log.texts()).toEqual(['a']);
});

test('PUBRECs leave in the order of arrival, also of messages that have subscribers', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const subscriber = await harness.client();
  await subscriber.subscribeAsync('seen');
  const device = harness.raw();
  const ids = Array.from({ length: 200 }, (_, index) => index + 1);
  const messages = ids.map((id) => publish(id % 3 === 0 ? 'seen' : 't', `${id}`, { qos: 2, id }));
  device.send(lasting(), ...messages);
  await until(() => pubrecIds(device.received).length === ids.length, 'all PUBRECs');
  expect(pubrecIds(device.received)).toEqual(ids);
  expect(await log.texts()).toEqual(ids.map(String));
});

test('messages are acknowledged although the client says goodbye right after them', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const device = harness.raw();
  device.send(lasting(), qos2(1, 'a'), qos2(2, 'b'), disconnect);
  await until(() => device.isClosed, 'the end');
  expect(pubrecIds(device.received)).toEqual([1, 2]);
  expect(log.log.openQos2Ids('device')).toEqual(new Set([1, 2]));
});

test('$SYS and a message too large are refused, and what came before them is acknowledged', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const refused = [
    publish('$SYS/x', 'x', { qos: 2, id: 3 }),
    publish('t', Buffer.alloc(limits.recordBytesMax), { qos: 2, id: 3 }),
  ];
  for (const [index, message] of refused.entries()) {
    const device = harness.raw();
    device.send(lasting(), publish('t', 'one', { id: 1 }), qos2(2, `before ${index}`), message);
    await until(() => device.isClosed, 'the cut');
    expect(pubackIds(device.received)).toEqual([1]);
    expect(pubrecIds(device.received)).toEqual([2]);
    expect(log.log.openQos2Ids('device')).toEqual(new Set([2]));
    await log.log.releaseAll('device');
  }
  expect(harness.refusedRecords('reserved-topic')).toBe(1);
  expect(harness.refusedRecords('record-too-large')).toBe(1);
  expect(await log.texts()).toEqual(['before 0', 'before 1']);
});

test('a client that never releases is cut at the limit of its connection', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const device = harness.raw();
  const count = limits.mqttClientQos2IdsMax;
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  device.send(lasting(), ...ids.map((id) => qos2(id, 'x')));
  await until(() => pubrecIds(device.received).length === count, 'the PUBRECs');
  device.send(qos2(count + 1, 'one too many'));
  await until(() => device.isClosed, 'the cut');
  expect(log.log.openQos2Ids('device').size).toBe(count);
});

test('a device without a library of ours publishes over broken connections: each message is there once', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const port = harness.port();
  const options = { host: '127.0.0.1', port, clientId: 'device', clean: false, reconnectPeriod: 5 };
  const device = mqtt.connect(options);
  device.on('error', () => {});
  try {
    const count = 60;
    const published = Array.from({ length: count }, (_, index) =>
      device.publishAsync('t', `${index}`, { qos: 2 }),
    );
    for (let done = 5; done < count; done += 15) {
      await until(() => log.asked > done, 'some of the handshakes');
      device.stream.destroy();
    }
    await Promise.all(published);
    expect((await log.texts()).map(Number)).toEqual(Array.from({ length: count }, (_, index) => index));
    expect(log.log.openQos2Ids('device').size).toBe(0);
  } finally {
    device.end(true);
  }
});

test('a library may send thousands of messages at once', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const device = await harness.client({ clientId: 'device', clean: false });
  const numbers = Array.from({ length: 3_000 }, (_, index) => index);
  await Promise.all(numbers.map((number) => device.publishAsync('t', `${number}`, { qos: 2 })));
  expect((await log.texts()).map(Number)).toEqual(numbers);
  expect(log.log.openQos2Ids('device').size).toBe(0);
});

test('a connection that another one replaces leaves the ids of that alone', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const first = harness.raw();
  first.send(lasting());
  await until(() => first.received.length === 4, 'the CONNACK');
  log.hold();
  first.send(qos2(5, 'a'));
  await until(() => log.log.openQos2Ids('device').has(5), 'the commit');
  const second = harness.raw();
  second.send(lasting());
  await until(() => first.isClosed, 'the takeover');
  log.letGo();
  second.send(qos2(5, 'a', true));
  await until(() => pubrecIds(second.received).length === 1, 'the PUBREC');
  expect(pubrecIds(first.received)).toEqual([]);
  expect(await log.texts()).toEqual(['a']);
});

test('a will of QoS 2 becomes a record', async () => {
  const log = await DurableLog.open();
  await using harness = await Harness.start(log);
  const will = { topic: 'status', payload: Buffer.from('gone'), qos: 2 as const, retain: false };
  const device = await harness.client({ will });
  device.stream.destroy();
  await until(() => harness.log.offers.length > 0, 'the will');
  await aWhile(harness);
  expect(harness.log.values()).toEqual(['gone']);
});
