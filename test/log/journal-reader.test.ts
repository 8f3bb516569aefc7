import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { encodeBatch } from '../../src/log/encoding/batch.ts';
import { encodeFileHeader } from '../../src/log/journal/file-header.ts';
import { buildFrame, encodeFrame } from '../../src/log/journal/frame.ts';
import { listJournalFiles } from '../../src/log/journal/journal-files.ts';
import { JournalReader } from '../../src/log/journal/journal-reader.ts';
import { encodeEntries, recordBatchEntry } from '../../src/log/state/entries.ts';
import { LogState, type Partition } from '../../src/log/state/state.ts';
import { textRecord } from '../support/log-on-disk.ts';
import { SimClock } from '../support/sim-clock.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';

const id = { topicNumber: 1, partition: 0 };
const salt = new Uint8Array(8).fill(7);
const life = { ordinal: 1, lifeId: 'ab'.repeat(16) };

/** A journal of one file with two commits of life 1: offset 0 and offset 1. */
async function reader() {
  const disk = new SimDisk(new SimRandom(1)).session();
  const header = { logId: 'cd'.repeat(16), life, copiedLife: undefined, sequence: 1, salt, firstCommit: 1 };
  const snapshot = new LogState().snapshot();
  const frames = [0, 1].map((offset) => {
    const batch = encodeBatch(offset, [textRecord('a', `value ${offset}`)]);
    return encodeFrame(
      buildFrame(1 + offset, life.ordinal, encodeEntries([recordBatchEntry(id, batch)])),
      salt,
    );
  });
  const file = await disk.create('journal/00000000000000000001.journal');
  const head = encodeFileHeader({ ...header, createdWallMs: 0, writer: '1.2.3', snapshot });
  await file.writeAt(Buffer.concat([head, ...frames]), 0);
  const env = {
    disk,
    clock: new SimClock(),
    random: new SimRandom(1),
    logger: silentLogger,
    metrics: noMetrics,
    version: '1.2.3',
    fileBytes: limits.journalFileBytes,
  };
  const files = await listJournalFiles(env);
  return (lives: Partition['lives'], offset: number) =>
    new JournalReader(env)
      .read(
        files,
        { id, topic: 'a', logStartOffset: 0, sealedOffset: 0, segments: [], nextOffset: 2, lives },
        offset,
        1,
      )
      .then((batches) => batches.map(({ baseOffset }) => baseOffset));
}

test('a commit is served as long as its life is the one that the table names', async () => {
  const read = await reader();
  expect(await read([{ ordinal: 1, firstOffset: 0 }], 1)).toEqual([1]);
});

test('a commit whose offsets another life wrote is never served, whatever its checksum says', async () => {
  const read = await reader();
  const lives = [
    { ordinal: 1, firstOffset: 0 },
    { ordinal: 2, firstOffset: 1 },
  ];
  expect(await read(lives, 0)).toEqual([0]);
  expect(await read(lives, 1)).toEqual([]);
});

test('a life that the table has forgotten is no reason to hide its records', async () => {
  const read = await reader();
  expect(await read([{ ordinal: 5, firstOffset: 2 }], 0)).toEqual([0]);
});
