import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  checkpointEntry,
  decodeEntries,
  encodeEntries,
  lifeEntry,
  partitionStateEntry,
  readCheckpointEntry,
  readLifeEntry,
  readPartitionStateEntry,
  readRecordBatchEntry,
  readTopicSettingEntry,
  recordBatchEntry,
  topicSettingEntry,
} from '../../src/log/state/entries.ts';

const uint32 = fc.nat(2 ** 32 - 1);
const id = fc.record({ topicNumber: uint32, partition: uint32 });
const offset = fc.nat(2 ** 53 - 1);
const lifeId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));

test('any list of entries comes back, of unknown kinds too', () => {
  const anyEntries = fc.array(fc.record({ kind: fc.nat(255), bytes: fc.uint8Array() }));
  fc.assert(
    fc.property(anyEntries, (entries) => {
      const decoded = decodeEntries(encodeEntries(entries));
      expect(decoded.map(({ kind, bytes }) => ({ kind, bytes: Uint8Array.from(bytes) }))).toEqual(entries);
    }),
  );
});

test('a list that is cut inside an entry is refused', () => {
  const bytes = encodeEntries([{ kind: 5, bytes: Buffer.from('abc') }]);
  for (let end = 1; end < bytes.length; end += 1)
    expect(() => decodeEntries(bytes.subarray(0, end))).toThrowError(/malformed frame/);
});

test('every kind of entry comes back as it was written', () => {
  const fields = fc.record({
    id,
    batch: fc.uint8Array(),
    name: fc.string({ unit: 'grapheme' }),
    number: uint32,
    offsets: fc.tuple(offset, offset, offset),
    ordinal: fc.integer(),
    lifeId,
    starts: fc.array(fc.record({ id, firstOffset: offset }), { maxLength: 5 }),
  });
  fc.assert(
    fc.property(fields, ({ id, batch, name, number, offsets, ordinal, lifeId, starts }) => {
      const read = readRecordBatchEntry(recordBatchEntry(id, batch));
      expect({ id: read.id, batch: Uint8Array.from(read.batch) }).toEqual({ id, batch });
      const memo = { key: name, value: batch };
      expect(readCheckpointEntry(checkpointEntry(memo))).toEqual(memo);
      const topic = { topicNumber: number, name, partitions: number, settings: {} };
      const tuned = { ...topic, settings: { retention: { bytes: number }, priority: 5 } };
      expect(readTopicSettingEntry(topicSettingEntry(tuned))).toEqual(tuned);
      expect(readTopicSettingEntry(topicSettingEntry(topic))).toEqual(topic);
      const [logStartOffset, sealedOffset, nextOffset] = offsets;
      const state = { id, logStartOffset, sealedOffset, nextOffset };
      expect(readPartitionStateEntry(partitionStateEntry(state))).toEqual(state);
      const life = { ordinal, lifeId, starts };
      expect(readLifeEntry(lifeEntry(life))).toEqual(life);
    }),
  );
});
