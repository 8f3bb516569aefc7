import { expect, test } from 'vitest';
import type { StoredRecord } from '../../../src/core/record.ts';
import { logHistory } from '../../../src/edge/session-store/log-history.ts';
import { textRecord } from '../../support/log-on-disk.ts';
import { MemoryLog } from '../../support/memory-log.ts';

const RECORD_BYTES = 100;

/** A log whose records take a hundred bytes each. */
class SizedLog extends MemoryLog {
  storedBytes(topic: string, partition: number, offset: number): number {
    const info = this.partitions().find((one) => one.topic === topic && one.partition === partition);
    return ((info?.highWatermark ?? 0) - offset) * RECORD_BYTES;
  }
}

test('what MQTT may write to is read back from an offset, or the log start, to the end; and it is known where so many bytes begin', async () => {
  const log = new SizedLog();
  await log.createTopic('gaps', 1);
  await log.createTopic('readings', 2);
  const history = logHistory(log);
  for (let index = 0; index < 10; index += 1)
    await log.append([textRecord('readings', `${index}`, { partition: 1 }), textRecord('gaps', 'x')]);
  const read = async (from: number): Promise<string[]> => {
    const records: StoredRecord[] = [];
    for await (const some of history.read('readings/1', from, new AbortController().signal))
      records.push(...some);
    return records.map(({ value }) => Buffer.from(value ?? []).toString());
  };
  expect(history.ends()).toEqual({ 'readings/0': 0, 'readings/1': 10 });
  expect(await read(7)).toEqual(['7', '8', '9']);
  expect(await read(10)).toEqual([]);
  expect([0, 99, 100, 350, 5_000].map((bytes) => history.farBack('readings/1', bytes))).toEqual([
    10, 10, 9, 7, 0,
  ]);
  log.moveLogStart('readings', 1, 8);
  expect(await read(0)).toEqual(['8', '9']);
  expect(history.farBack('readings/1', 5_000)).toBe(8);
});
