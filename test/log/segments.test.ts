import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import { decodeBatch } from '../../src/log/encoding/batch.ts';
import type { Log, LogOptions } from '../../src/log/log.ts';
import { readRecords, readTexts, textRecord } from '../support/log-on-disk.ts';
import { noFaults, type SimDisk } from '../support/sim-disk.ts';
import { appendTexts, commitsPerFile, newDisk, open, settled } from '../support/small-segments.ts';
import { until } from '../support/virtual-time.ts';

async function openTopic(disk: SimDisk, options: Partial<LogOptions> = {}): Promise<Log> {
  const log = await open(disk, options);
  await log.createTopic('a', 1);
  return log;
}

/** Names in a folder; looked at from aside, because a new session of a disk ends the one before it. */
const namesIn = async (disk: SimDisk, folder: string): Promise<string[]> =>
  [...(await disk.fork().session().list(folder))].sort();

describe('sealing', () => {
  test('moves records into merged batches that readers get as they are, and lets the journal files go', async () => {
    const disk = newDisk();
    const log = await openTopic(disk);
    const texts = await appendTexts(log, 10 * commitsPerFile);
    await settled(disk);
    expect(await readTexts(log, 'a', 0)).toEqual(texts);
    expect(log.stats().journalFiles).toBeLessThan(6);
    const names = await namesIn(disk, 'journal');
    expect(names.filter((name) => name.startsWith('spare-')).length).toBeLessThanOrEqual(
      limits.journalSparesMax,
    );
    await log.close();
    disk.cutPower();
    const again = await open(disk);
    const [batch, ...more] = await again.read('a', 0, 0, 1);
    expect(more).toEqual([]);
    expect(batch).toMatchObject({ baseOffset: 0, sealed: true, maxTimestampMs: 1_700_000_000_000 });
    expect(decodeBatch(batch?.bytes ?? new Uint8Array()).length).toBeGreaterThan(commitsPerFile);
    expect(await readTexts(again, 'a', 0)).toEqual(texts);
    expect(await readTexts(again, 'a', 0, 7, 1)).toEqual(texts.slice(7));
    await again.close();
  });

  test('keeps key, value, headers, timestamps and offsets, whatever the compression', async () => {
    for (const compression of ['zstd', 'gzip', 'none'] as const) {
      const disk = newDisk();
      const log = await open(disk);
      await log.createTopic('a', 1, { compression });
      const headers = [{ name: 'h', value: Buffer.from([0, 255]) }];
      const records = Array.from({ length: 10 * commitsPerFile }, (_, index) =>
        index % 3 === 0
          ? textRecord('a', '', { key: null, value: null, timestampMs: 5 })
          : textRecord('a', `x${index}`, {
              key: Buffer.from(`k${index}`),
              headers,
              timestampMs: 1000 - index,
            }),
      );
      for (const record of records) await log.append([record]);
      await settled(disk);
      const found = await readRecords(log, 'a', 0);
      expect(found).toEqual(records.map(({ topic: _, ...record }, offset) => ({ ...record, offset })));
      await log.close();
    }
  });

  test('leaves spare files that the next start uses, instead of filling others with zeros', async () => {
    const disk = newDisk();
    const log = await openTopic(disk);
    await appendTexts(log, 10 * commitsPerFile);
    await settled(disk);
    await log.close();
    const operations: string[] = [];
    disk.onOperation = ({ what }) => operations.push(what);
    const again = await open(disk);
    await settled(disk);
    expect(operations).not.toContain('create journal/filling');
    await again.close();
  });

  test('begins another segment when one is full', async () => {
    const disk = newDisk();
    const log = await open(disk);
    await log.createTopic('a', 1, { segmentBytes: 300, compression: 'none' });
    const texts = await appendTexts(log, 20 * commitsPerFile);
    await settled(disk);
    expect((await namesIn(disk, 'topics/a-0')).length).toBeGreaterThan(5);
    expect(await readTexts(log, 'a', 0)).toEqual(texts);
    await log.close();
  });

  test('appends to the segment that it has begun', async () => {
    const disk = newDisk();
    const log = await openTopic(disk);
    for (let round = 0; round < 5; round += 1) {
      await appendTexts(log, 4 * commitsPerFile);
      await settled(disk);
    }
    expect(await namesIn(disk, 'topics/a-0')).toEqual(['00000000000000000000.log']);
    await log.close();
  });

  test('leaves an idle partition its next offset when all files that name it are gone', async () => {
    const disk = newDisk();
    const log = await openTopic(disk);
    await log.createTopic('idle', 1);
    await log.append([textRecord('idle', 'x'), textRecord('idle', 'y')]);
    await appendTexts(log, 10 * commitsPerFile);
    await settled(disk);
    await log.close();
    const again = await open(disk);
    expect(await again.append([textRecord('idle', 'z')])).toEqual([{ partition: 0, offset: 2 }]);
    expect(await readTexts(again, 'idle', 0)).toEqual(['x', 'y', 'z']);
    await again.close();
  });

  test('goes on after an error of the disk, and nothing is lost', async () => {
    const disk = newDisk();
    const reports: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (_, message) => reports.push(message) };
    const log = await open(disk, { logger });
    await log.createTopic('a', 1, { segmentBytes: 300, compression: 'none' });
    for (const faults of [{ writeFails: 1 }, { syncFails: 1 }, { nameFails: 1 }, { folderSyncFails: 1 }]) {
      disk.faults = { ...faults, onlyBelow: 'topics' };
      await appendTexts(log, 4 * commitsPerFile);
      const before = reports.length;
      await until('sealing has failed', () => reports.length > before);
      disk.faults = noFaults;
      await settled(disk);
    }
    expect(reports[0]).toContain('nothing is lost');
    expect((await readTexts(log, 'a', 0)).length).toBe(16 * commitsPerFile);
    await log.close();
  });
});

/*
 * A write that failed may reach the medium at any later time. So nothing that counts may ever lie where it was to go.
 */
describe('a failed write that the device completes late', () => {
  const failing = { writeFails: 1, onlyBelow: 'topics' };

  /** Lets everything land that ever failed, takes what only the page cache has, and reads. */
  async function textsAfterLateLanding(disk: SimDisk): Promise<string[]> {
    const session = disk.session();
    disk.faults = { landsLate: 1 };
    for (let operations = 0; operations < 20; operations += 1) await session.list('journal');
    disk.faults = noFaults;
    disk.cutPower();
    const again = await open(disk);
    const texts = await readTexts(again, 'a', 0);
    await again.close();
    return texts;
  }

  async function failOnce(disk: SimDisk, log: Log, count: number, name: string): Promise<string[]> {
    let failures = 0;
    disk.onFault = () => {
      failures += 1;
    };
    disk.faults = failing;
    const texts = await appendTexts(log, count, name);
    await until('sealing has failed', () => failures > 0);
    return texts;
  }

  test('cannot hit a segment that was there before', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const disk = newDisk(seed);
      const log = await openTopic(disk);
      const texts = await appendTexts(log, 4 * commitsPerFile, 'first');
      await settled(disk);
      texts.push(...(await failOnce(disk, log, 4 * commitsPerFile, 'second')));
      texts.push(...(await appendTexts(log, 4 * commitsPerFile, 'third')));
      disk.faults = noFaults;
      await settled(disk);
      expect(await textsAfterLateLanding(disk)).toEqual(texts);
    }
  });

  test('cannot hit one that was begun after it', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const disk = newDisk(seed);
      const log = await openTopic(disk);
      const texts = await failOnce(disk, log, 4 * commitsPerFile, 'first');
      texts.push(...(await appendTexts(log, 4 * commitsPerFile, 'second')));
      disk.faults = noFaults;
      await settled(disk);
      expect(await textsAfterLateLanding(disk)).toEqual(texts);
    }
  });

  test('cannot hit what the next life appends', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const disk = newDisk(seed);
      const log = await openTopic(disk);
      const texts = await appendTexts(log, 4 * commitsPerFile, 'first');
      await settled(disk);
      texts.push(...(await failOnce(disk, log, 4 * commitsPerFile, 'second')));
      // The process is killed; the next one finds the segment and what waits to be sealed.
      disk.faults = noFaults;
      const next = await open(disk);
      texts.push(...(await appendTexts(next, 4 * commitsPerFile, 'third')));
      await settled(disk);
      expect(await textsAfterLateLanding(disk)).toEqual(texts);
    }
  });
});

describe('a damaged segment', () => {
  /** A log whose only segment has been changed by `damage`, and what it reported when it was read. */
  async function damaged(
    damage: (bytes: Buffer) => void,
    rounds = 3,
  ): Promise<{ texts: string[]; found: string[]; reports: object[]; log: Log }> {
    const disk = newDisk();
    const first = await openTopic(disk);
    const texts: string[] = [];
    // Each round gives one batch.
    for (let round = 0; round < rounds; round += 1) {
      texts.push(...(await appendTexts(first, 4 * commitsPerFile, `round ${round}`)));
      await settled(disk);
    }
    await first.close();
    const session = disk.session();
    const file = await session.open('topics/a-0/00000000000000000000.log');
    const bytes = Buffer.alloc(await file.size());
    await file.readAt(bytes, 0);
    damage(bytes);
    await file.writeAt(bytes, 0);
    const reports: object[] = [];
    const logger: Logger = { ...silentLogger, error: (fields) => reports.push(fields) };
    const log = await open(disk, { logger });
    const found = await readTexts(log, 'a', 0);
    return { texts, found, reports, log };
  }

  const secondBatch = (bytes: Buffer): number => bytes.readInt32BE(8) + 12;

  test.each([
    ['records', 70],
    ['base offset', 7],
    ['length', 11],
    ['life', 15],
    ['magic', 16],
    ['checksum', 17],
    ['last offset', 26],
  ])('loses one batch to a flipped bit of its %s, says which, and serves all others', async (_, at) => {
    let lost = [0, 0];
    const { texts, found, reports, log } = await damaged((bytes) => {
      const place = secondBatch(bytes);
      const baseOffset = Number(bytes.readBigInt64BE(place));
      lost = [baseOffset, baseOffset + bytes.readInt32BE(place + 23) + 1];
      bytes[place + at] = (bytes[place + at] ?? 0) ^ 1;
    });
    const [from = 0, end = 0] = lost;
    expect(end).toBeGreaterThan(from);
    expect(found).toEqual([...texts.slice(0, from), ...texts.slice(end)]);
    expect(reports).toContainEqual(
      expect.objectContaining({ topic: 'a', partition: 0, firstOffset: from, endOffset: end }),
    );
    expect(await readTexts(log, 'a', 0, from + 1)).toEqual(texts.slice(end));
    await log.close();
  });

  test('that is gone loses what was in it, and serves the journal behind it', async () => {
    const disk = newDisk();
    const first = await openTopic(disk);
    const texts = await appendTexts(first, 8 * commitsPerFile);
    await settled(disk);
    await first.close();
    await disk.session().remove('topics/a-0/00000000000000000000.log');
    const reports: object[] = [];
    const log = await open(disk, { logger: { ...silentLogger, error: (fields) => reports.push(fields) } });
    const found = await readTexts(log, 'a', 0);
    expect(found.length).toBeGreaterThan(0);
    expect(texts.slice(-found.length)).toEqual(found);
    expect(reports).toContainEqual(
      expect.objectContaining({ firstOffset: 0, endOffset: texts.length - found.length }),
    );
    await log.close();
  });
});

describe('a deleted topic', () => {
  test('takes its segments along, and one created again goes on with its offsets', async () => {
    const disk = newDisk();
    const log = await openTopic(disk);
    await log.createTopic('b', 1);
    const texts = await appendTexts(log, 4 * commitsPerFile);
    await settled(disk);
    await log.deleteTopic('a');
    await settled(disk);
    expect(await namesIn(disk, 'topics/a-0')).toEqual([]);
    expect(log.topics().map(({ name }) => name)).toEqual(['b']);
    await expect(log.read('a', 0, 0, 1)).rejects.toMatchObject({ code: 'unknown-topic' });
    await expect(log.append([textRecord('a', 'x')])).rejects.toMatchObject({ code: 'unknown-topic' });
    await expect(log.deleteTopic('a')).rejects.toMatchObject({ code: 'unknown-topic' });
    await log.close();
    const again = await open(disk);
    await again.createTopic('a', 2);
    expect(await again.append([textRecord('a', 'x', { partition: 0 })])).toEqual([
      { partition: 0, offset: texts.length },
    ]);
    expect(again.partitions()).toContainEqual(
      expect.objectContaining({ topic: 'a', partition: 0, logStartOffset: texts.length }),
    );
    expect(await readTexts(again, 'a', 0, texts.length)).toEqual(['x']);
    await again.close();
  });
});

describe('settings', () => {
  test('of a topic are kept, and can be changed', async () => {
    const disk = newDisk();
    const log = await openTopic(disk);
    const settings = { retention: { bytes: 1000, ageMs: 5 }, compression: 'gzip', priority: 7 } as const;
    await log.setTopic('a', settings);
    await expect(log.setTopic('b', settings)).rejects.toMatchObject({ code: 'unknown-topic' });
    await log.close();
    const again = await open(disk);
    expect(again.topics()).toEqual([{ name: 'a', partitions: 1, settings }]);
    await again.setTopic('a', {});
    expect(again.topics()).toEqual([{ name: 'a', partitions: 1, settings: {} }]);
    await again.close();
  });
});

describe('a search by time', () => {
  test('finds the first record at or after it, in segments and in the journal', async () => {
    const disk = newDisk();
    const log = await openTopic(disk);
    const times = Array.from({ length: 10 * commitsPerFile }, (_, index) => 1000 + 10 * index);
    for (const timestampMs of times) await log.append([textRecord('a', 'x', { timestampMs })]);
    await settled(disk);
    expect(await log.offsetForTime('a', 0, 0)).toBe(0);
    expect(await log.offsetForTime('a', 0, Number.MAX_SAFE_INTEGER)).toBe(times.length);
    for (const [offset, timestampMs] of times.entries()) {
      expect(await log.offsetForTime('a', 0, timestampMs)).toBe(offset);
      expect(await log.offsetForTime('a', 0, timestampMs - 1)).toBe(offset);
    }
    await log.close();
  });
});
