import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { decodeBatch } from '../../src/log/encoding/batch.ts';
import { release } from '../../src/log/encoding/bytes.ts';
import type { Log } from '../../src/log/log.ts';
import type { StoredBatch } from '../../src/log/types.ts';
import { neverSeal, openLog, textRecord } from '../support/log-on-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { appendTexts, newDisk, open, settled } from '../support/small-segments.ts';

const partitions = 3;
const commits = 24;
/** A commit of these is a megabyte: more of them than the cache of frames holds. */
const text = (commit: number, partition: number): string => `${commit}/${partition} `.padEnd(350_000, 'x');

/** A log whose records are in journal files, and not in memory any more. */
async function longLog(): Promise<Log> {
  const disk = newDisk();
  const options = { sealer: neverSeal, journalFileBytes: limits.journalFileBytes };
  const log = await openLog(disk.session(), options);
  await log.createTopic('a', partitions);
  for (let commit = 0; commit < commits; commit += 1) {
    const of = [0, 1, 2].map((partition) => textRecord('a', text(commit, partition), { partition }));
    await log.append(of);
  }
  await log.close();
  return await openLog(disk.session(), options);
}

const texts = (batches: readonly StoredBatch[]): string[] =>
  batches.flatMap(({ bytes }) => decodeBatch(bytes)).map(({ value }) => Buffer.from(value ?? []).toString());

test('what several readers got stays as it is while they make each other’s frames leave the cache', async () => {
  const log = await longLog();
  const readers = [0, 1, 2].flatMap((partition) => [0, 5, 11].map((first) => ({ partition, first })));
  const read = await Promise.all(
    readers.map(async ({ partition, first }) => {
      const held: (readonly StoredBatch[])[] = [];
      for (let next = first; next < commits; next = (held.at(-1)?.at(-1)?.lastOffset ?? commits) + 1)
        held.push(await log.read('a', partition, next, 400_000));
      return held.flatMap(texts);
    }),
  );
  for (const [index, { partition, first }] of readers.entries()) {
    const expected = Array.from({ length: commits - first }, (_, at) => text(first + at, partition));
    expect(read[index]).toEqual(expected);
  }
  await log.close();
});

test('what is given back is gone, and what another reader has is not', async () => {
  const log = await longLog();
  const [mine, others] = [await log.read('a', 0, 0, 1), await log.read('a', 0, 0, 1)];
  log.giveBack(mine);
  expect(mine.map(({ bytes }) => bytes.length)).toEqual([0]);
  expect(texts(others)).toEqual([text(0, 0)]);
  expect(texts(await log.read('a', 0, 0, 1))).toEqual([text(0, 0)]);
  log.giveBack(mine);
  await log.close();
});

test('batches of segments are given back together', async () => {
  const disk = newDisk();
  const options = { journalFileBytes: 40 * limits.journalBlockBytes };
  const log = await open(disk, options);
  await log.createTopic('a', 1, { compression: 'none' });
  // What cannot be compressed soon fills a journal file.
  const noise = Buffer.from(new SimRandom(1).bytes(10_000)).toString('hex');
  const appended = await appendTexts(log, 40, noise);
  await settled(disk);
  await log.close();
  const again = await open(disk, options);
  const batches = await again.read('a', 0, 0, limits.segmentReadBytesMin);
  expect(batches.length).toBeGreaterThan(1);
  expect(new Set(batches.map(({ sealed }) => sealed))).toEqual(new Set([true]));
  expect(texts(batches)).toEqual(appended.slice(0, texts(batches).length));
  again.giveBack(batches);
  expect(new Set(batches.map(({ bytes }) => bytes.length))).toEqual(new Set([0]));
  expect(texts(await again.read('a', 0, 0, 1))[0]).toBe(appended[0]);
  await again.close();
});

test('the tail is for all readers: nobody can give it back', async () => {
  const log = await openLog(newDisk().session(), { sealer: neverSeal });
  await log.createTopic('a', 1);
  const appended = await appendTexts(log, 3);
  const batches = await log.read('a', 0, 0, limits.readBytesMax);
  log.giveBack(batches);
  expect(texts(batches)).toEqual(appended);
  await log.close();
});

test('the pool that small buffers share is never given back', () => {
  const [small, neighbour] = [Buffer.from('a text among others'), Buffer.from('another one')];
  expect(small.buffer).toBe(neighbour.buffer);
  release(small);
  expect(`${small} and ${neighbour}`).toBe('a text among others and another one');
});
