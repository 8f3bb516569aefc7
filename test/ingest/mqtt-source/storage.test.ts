import { expect, test } from 'vitest';
import { OperatingError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import type { Publish } from '../../../src/ingest/mqtt-source/packets.ts';
import { Storage, type StorageOptions } from '../../../src/ingest/mqtt-source/storage.ts';
import type { Log } from '../../../src/log/log.ts';
import { openLog, readTexts, textRecord } from '../../support/log-on-disk.ts';
import { SimDisk } from '../../support/sim-disk.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { CountingMetrics } from '../mqtt/harness.ts';

const client = '\0source/plant/0123456789abcdef';

const message = (text: string, more: Partial<Publish> = {}): Publish => ({
  ...{ kind: 'publish', topic: 'sensors/1', payload: Buffer.from(text), qos: 2 },
  ...{ isDuplicate: false, packetId: 7, missingBytes: 0, ...more },
});

async function bench(change: Partial<StorageOptions> = {}) {
  const log = await openLog(new SimDisk(new SimRandom(1)).session());
  await log.createTopic('readings', 1);
  await log.createTopic('dead-letters', 1);
  const unfit: string[] = [];
  const metrics = new CountingMetrics();
  const storage = new Storage({
    name: 'plant',
    qos2Client: client,
    recordOf: (topic, payload) =>
      textRecord('readings', Buffer.from(payload).toString(), { key: Buffer.from(topic) }),
    accept: async (records) => {
      await log.append(records);
    },
    qos2: log,
    metrics,
    onUnfit: (reason) => unfit.push(reason),
    ...change,
  });
  const store = async (packet: Parameters<Storage['offerOf']>[0]): Promise<void> => {
    const offer = await storage.offerOf(packet, 0);
    await offer();
  };
  return { log, storage, store, metrics, unfit, readings: () => readTexts(log, 'readings', 0) };
}

const deadLetters = (log: Log) => readTexts(log, 'dead-letters', 0);

test('QoS 2 is stored once however often it is sent again, until it is released', async () => {
  const { log, store, metrics, readings } = await bench();
  await store(message('one'));
  await store(message('one', { isDuplicate: true }));
  expect(await readings()).toEqual(['one']);
  expect(log.openQos2Ids(client)).toEqual(new Set([7]));
  await store({ kind: 'release', packetId: 7 });
  expect(log.openQos2Ids(client).size).toBe(0);
  await store(message('two'));
  expect(await readings()).toEqual(['one', 'two']);
  expect(metrics.value('headwater_mqtt_duplicates_total')).toBe(1);
  expect(metrics.value('headwater_records_accepted_total', { source: 'broker' })).toBe(2);
});

test('a packet id that was not released, of a message that the broker calls no duplicate, is of another message', async () => {
  const { log, store, readings } = await bench();
  await store(message('before the broker was killed'));
  await store(message('after'));
  expect(await readings()).toEqual(['before the broker was killed', 'after']);
  expect(log.openQos2Ids(client)).toEqual(new Set([7]));
});

test('what we offer again ourselves is not taken for another message', async () => {
  let isLost = true;
  const inner = await bench();
  const { log } = inner;
  const { store } = await bench({
    qos2: {
      appendOnce: async (record, id) => {
        const isNew = await log.appendOnce(record, id);
        if (isLost) throw new OperatingError('log-unavailable', 'nobody knows');
        return isNew;
      },
      release: (id) => log.release(id),
      releaseAll: (id) => log.releaseAll(id),
      openQos2Ids: (id) => log.openQos2Ids(id),
    },
  });
  const once = message('one');
  await expect(store(once)).rejects.toThrow('nobody knows');
  isLost = false;
  await store(once);
  expect(await inner.readings()).toEqual(['one']);
});

test('QoS 0 and 1 are stored each time', async () => {
  const { store, readings } = await bench();
  await store(message('one', { qos: 1 }));
  await store(message('one', { qos: 1, isDuplicate: true }));
  await store(message('two', { qos: 0, packetId: 0 }));
  expect(await readings()).toEqual(['one', 'one', 'two']);
});

test('what is too large for a record is a dead letter of its beginning, once by its QoS', async () => {
  const { log, store, metrics, unfit, readings } = await bench();
  const payload = Buffer.alloc(limits.recordBytesMax, 'x');
  await store(message('', { payload }));
  await store(message('', { payload, isDuplicate: true }));
  await store(message('the beginning', { missingBytes: 5, packetId: 8 }));
  expect(await readings()).toEqual([]);
  expect(await deadLetters(log)).toEqual(['x'.repeat(limits.mqttSourceDeadLetterBytesMax), 'the beginning']);
  expect(unfit).toEqual(['record-too-large', 'record-too-large']);
  const labels = { source: 'plant', reason: 'record-too-large' };
  expect(metrics.value('headwater_mqtt_source_dead_letters_total', labels)).toBe(2);
});

test('what only the gateway may publish, and what the log never takes, is a dead letter', async () => {
  const { log, store, unfit } = await bench();
  await store(message('uptime', { topic: '$SYS/broker/uptime' }));
  expect(unfit).toEqual(['reserved-topic']);
  const other = await bench({ recordOf: () => textRecord('readings', 'x', { partition: 9 }) });
  await other.store(message('nowhere', { qos: 1 }));
  expect(other.unfit).toEqual(['illegal-record']);
  expect(await deadLetters(log)).toEqual(['uptime']);
  expect(await deadLetters(other.log)).toEqual(['nowhere']);
});

test('a log that cannot take it now rejects, and nothing becomes a dead letter', async () => {
  const unavailable = new OperatingError('log-unavailable', 'the disk is full');
  const { log, store, unfit } = await bench({ accept: () => Promise.reject(unavailable) });
  await expect(store(message('one', { qos: 1 }))).rejects.toBe(unavailable);
  expect(unfit).toEqual([]);
  expect(await deadLetters(log)).toEqual([]);
});
