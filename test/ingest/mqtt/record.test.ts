import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { isTooLarge, recordOf } from '../../../src/ingest/mqtt/record.ts';

test('a message becomes a record of topic readings: MQTT topic as key, payload verbatim, no headers', () => {
  const payload = Buffer.from([0xff, 0x00]);
  expect(recordOf({ topic: 'küche/1', payload }, 42, [])).toEqual({
    topic: 'readings',
    key: new Uint8Array(Buffer.from('küche/1')),
    value: payload,
    receivedMs: 42,
    headers: [],
  });
});

test('an empty payload is an empty value, not a missing one', () => {
  expect(recordOf({ topic: 't', payload: Buffer.alloc(0) }, 0, []).value).toEqual(Buffer.alloc(0));
});

test('key and value together count for the size of a record', () => {
  const sized = (bytes: number) => recordOf({ topic: 'key', payload: Buffer.alloc(bytes) }, 0, []);
  expect(isTooLarge(sized(limits.recordBytesMax - 3))).toBe(false);
  expect(isTooLarge(sized(limits.recordBytesMax - 2))).toBe(true);
});
