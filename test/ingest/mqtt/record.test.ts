import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import type { NewRecord } from '../../../src/core/record.ts';
import { isTooLarge } from '../../../src/ingest/mqtt/record.ts';
import { memoryRouting } from '../../support/memory-routing.ts';

const recordOf = (mqttTopic: string, payload: Uint8Array) =>
  memoryRouting().recordOf({ mqttTopic, payload, receivedMs: 42, headers: [] }) as NewRecord;

test('a message becomes a record of topic readings: MQTT topic as key, payload verbatim, no headers', () => {
  const payload = Buffer.from([0xff, 0x00]);
  expect(recordOf('küche/1', payload)).toEqual({
    topic: 'readings',
    key: new Uint8Array(Buffer.from('küche/1')),
    value: payload,
    receivedMs: 42,
    headers: [],
  });
});

test('an empty payload is an empty value, not a missing one', () => {
  expect(recordOf('t', Buffer.alloc(0)).value).toEqual(Buffer.alloc(0));
});

test('key and value together count for the size of a record', () => {
  expect(isTooLarge(recordOf('key', Buffer.alloc(limits.recordBytesMax - 3)))).toBe(false);
  expect(isTooLarge(recordOf('key', Buffer.alloc(limits.recordBytesMax - 2)))).toBe(true);
});
