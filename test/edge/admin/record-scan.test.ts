import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { newestRecords } from '../../../src/edge/admin/newest-records.ts';
import { scanRecords } from '../../../src/edge/admin/record-scan.ts';
import { MemoryLog } from '../../support/memory-log.ts';

let log: MemoryLog;

beforeEach(async () => {
  log = new MemoryLog();
  await log.createTopic('readings', 2);
});

const append = (value: string | Uint8Array, timestampMs: number, partition = 0) =>
  log.append([
    {
      topic: 'readings',
      partition,
      key: Buffer.from('sensor'),
      value: Buffer.from(value),
      timestampMs,
      headers: [{ name: 'reason', value: Buffer.from('too-long') }],
    },
  ]);

async function offsetsSeen(from: number, recordsMax: number): Promise<{ offsets: number[]; isCut: boolean }> {
  const offsets: number[] = [];
  const isCut = await scanRecords(log, { topic: 'readings', partition: 0, from, recordsMax }, ({ offset }) =>
    offsets.push(offset),
  );
  return { offsets, isCut };
}

describe('a scan', () => {
  test('shows each record once, in order, and no more than the newest so many', async () => {
    for (let count = 0; count < 10; count += 1) await append('x', count);
    expect(await offsetsSeen(0, 100)).toEqual({ offsets: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], isCut: false });
    expect(await offsetsSeen(7, 100)).toEqual({ offsets: [7, 8, 9], isCut: false });
    expect(await offsetsSeen(0, 3)).toEqual({ offsets: [7, 8, 9], isCut: true });
  });

  test('ends where the partition ended when it began, and passes over what retention has removed', async () => {
    for (let count = 0; count < 4; count += 1) await append('x', count);
    log.moveLogStart('readings', 0, 2);
    const offsets: number[] = [];
    await scanRecords(log, { topic: 'readings', partition: 0, from: 0, recordsMax: 100 }, ({ offset }) => {
      offsets.push(offset);
      if (offsets.length < 100) void append('later', 9);
    });
    expect(offsets).toEqual([2, 3]);
  });

  test('of a topic that is gone is empty', async () => {
    await log.deleteTopic('readings');
    expect(await offsetsSeen(0, 10)).toEqual({ offsets: [], isCut: false });
  });
});

describe('the newest records', () => {
  test('are those of all partitions, the newest first, with their headers', async () => {
    await append('one', 1);
    await append('two', 2, 1);
    await append('three', 3);
    const records = await newestRecords(log, 'readings', 2);
    expect(records).toMatchObject([
      {
        partition: 0,
        offset: 1,
        timestampMs: 3,
        key: 'sensor',
        headers: [{ name: 'reason', value: 'too-long' }],
      },
      { partition: 1, offset: 0, timestampMs: 2 },
    ]);
    expect(Buffer.from(records[0]?.valueBase64 ?? '', 'base64').toString()).toBe('three');
  });

  test('are cut, however large a value is, and say how large it was', async () => {
    await append(Buffer.alloc(900_000, 7), 1);
    const [record] = await newestRecords(log, 'readings', 10);
    expect(record?.valueLength).toBe(900_000);
    expect(Buffer.from(record?.valueBase64 ?? '', 'base64')).toEqual(
      Buffer.alloc(limits.newestValueBytes, 7),
    );
  });

  test('of a topic that is not there are refused', async () => {
    await expect(newestRecords(log, 'elsewhere', 1)).rejects.toMatchObject({ code: 'not-found' });
  });
});
