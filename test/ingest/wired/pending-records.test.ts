import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import type { ReceivedRecord } from '../../../src/core/record.ts';
import { deadLettersTopicName } from '../../../src/core/topic-name.ts';
import { PendingRecords } from '../../../src/ingest/wired/pending-records.ts';
import { droppedLetter } from '../../../src/ingest/wired/summary-letter.ts';

const FRAME_BYTES = limits.serialFrameBytesMax;
const FRAMES_MAX = Math.floor(
  limits.serialPendingBytesMax / (FRAME_BYTES + limits.serialRecordOverheadBytes),
);

const record = (receivedMs: number, bytes = FRAME_BYTES): ReceivedRecord => {
  return { topic: 't', key: null, value: new Uint8Array(bytes), receivedMs, headers: [] };
};

const pendingRecords = () => new PendingRecords((dropped) => droppedLetter('wind', dropped));

const filled = (count: number) => {
  const pending = pendingRecords();
  let dropped = 0;
  for (let time = 0; time < count; time += 1) dropped += pending.push(record(time));
  return { pending, dropped };
};

const times = (records: readonly ReceivedRecord[]) => records.map(({ receivedMs }) => receivedMs);

/** Takes everything; dead letters show their count. */
function drained(pending: PendingRecords): (number | string)[] {
  const all: (number | string)[] = [];
  for (let records = pending.offer(); records.length > 0; records = pending.offer()) {
    for (const { topic, receivedMs, value } of records)
      all.push(topic === deadLettersTopicName ? Buffer.from(value ?? []).toString() : receivedMs);
    pending.stored();
  }
  return all;
}

describe('pending records', () => {
  test('are offered in order, so many at a time as one append may hold, and again until they are stored', () => {
    const { pending } = filled(8);
    const first = times(pending.offer());
    expect(first).toEqual([0, 1, 2]);
    pending.refused();
    expect(pending.count).toBe(8);
    expect(times(pending.offer())).toEqual(first);
    pending.stored();
    expect(drained(pending)).toEqual([3, 4, 5, 6, 7]);
    expect(pending).toMatchObject({ bytes: 0, count: 0 });
  });

  test('that are longer than an append should be are offered one at a time', () => {
    const pending = pendingRecords();
    pending.push(record(0, limits.decodedBytesMax));
    pending.push(record(1));
    expect(times(pending.offer())).toEqual([0]);
    pending.stored();
    expect(drained(pending)).toEqual([1]);
  });

  test('beyond the bound cost the oldest ones, and one dead letter tells how many', () => {
    const { pending, dropped } = filled(FRAMES_MAX + 3);
    expect(dropped).toBe(3);
    expect(pending.bytes).toBeLessThanOrEqual(limits.serialPendingBytesMax);
    expect(drained(pending)).toEqual([
      '{"dropped":3,"overSeconds":0}',
      ...Array.from({ length: FRAMES_MAX }, (_, index) => index + 3),
    ]);
  });

  test('that are being offered are not dropped: they may be stored already', () => {
    const { pending } = filled(FRAMES_MAX);
    expect(times(pending.offer())).toEqual([0, 1, 2]);
    expect(pending.push(record(100)) + pending.push(record(101))).toBe(2);
    pending.stored();
    expect(drained(pending)).toEqual([
      '{"dropped":2,"overSeconds":0}',
      ...Array.from({ length: FRAMES_MAX - 5 }, (_, index) => index + 5),
      100,
      101,
    ]);
  });

  test('lose no count of dropped ones when the dead letter itself is refused', () => {
    const { pending } = filled(FRAMES_MAX + 1);
    const [letter] = pending.offer();
    expect(letter).toMatchObject({ topic: deadLettersTopicName, receivedMs: 0 });
    expect(pending.push(record(100))).toBe(1);
    pending.refused();
    const [again] = pending.offer();
    expect(again).toMatchObject({ topic: deadLettersTopicName, receivedMs: 0 });
    pending.refused();
    expect(drained(pending)[0]).toBe('{"dropped":2,"overSeconds":0}');
  });

  test('of no bytes are bounded as well', () => {
    const pending = pendingRecords();
    let dropped = 0;
    for (let time = 0; time < 10_000; time += 1) dropped += pending.push(record(time, 0));
    expect(pending.count).toBe(limits.serialPendingBytesMax / limits.serialRecordOverheadBytes);
    expect(dropped).toBe(10_000 - pending.count);
  });
});
