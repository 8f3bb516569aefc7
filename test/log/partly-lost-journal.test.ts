import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { Log, LogOptions } from '../../src/log/log.ts';
import { type Files, readFiles, writeFiles } from '../support/disk-files.ts';
import { neverSeal, openLog, readTexts, textRecord } from '../support/log-on-disk.ts';
import type { SimDisk } from '../support/sim-disk.ts';
import {
  appendTexts,
  beginning,
  commitsPerFile,
  fileBytes,
  firstOffsetIn,
  listener,
  newDisk,
  open,
  segmentsOf,
  served,
  settled,
} from '../support/small-segments.ts';

/*
 * The catalog of a damaged journal is older than the segments. Made from two moments of one folder: the journal of the
 * first with the segments of the second, and behind it a newer file of which only a damaged header is left.
 */
describe('a journal whose newest files are lost', () => {
  interface Moments {
    readonly early: Files;
    readonly late: Files;
    readonly all: readonly string[];
  }

  /** `between` is done to the log after the first moment; upkeep rests at both, and does nothing before if told so. */
  async function twoMoments(
    between: (log: Log, disk: SimDisk) => Promise<void>,
    options: Partial<LogOptions> = {},
  ): Promise<Moments> {
    const disk = newDisk(5);
    const first = await open(disk, options);
    await first.createTopic('a', 1, { segmentBytes: 600, compression: 'none' });
    await appendTexts(first, 6 * commitsPerFile, 'early');
    await settled(disk);
    await first.close();
    const early = await readFiles(disk.session(), 'journal', 'topics');
    const second = await open(disk);
    await between(second, disk);
    await settled(disk);
    const all = (await served(second))['a-0'] ?? [];
    await second.close();
    return { early, late: await readFiles(disk.session(), 'journal', 'topics'), all };
  }

  const more = async (log: Log, disk: SimDisk): Promise<void> => {
    for (let round = 0; round < 3; round += 1) {
      await appendTexts(log, 4 * commitsPerFile, `late ${round}`);
      await settled(disk);
    }
  };

  const below = (files: Files, folder: string): [string, Buffer][] =>
    [...files].filter(([path]) => path.startsWith(`${folder}/`));

  const numbered = (files: Files): [string, Buffer][] =>
    below(files, 'journal').filter(([path]) => path.endsWith('.journal'));

  const damagedFile: [string, Buffer] = ['journal/00000000000000000999.journal', Buffer.alloc(fileBytes, 1)];

  const diskOf = async (...files: [string, Buffer][]): Promise<SimDisk> => {
    const disk = newDisk(6);
    await writeFiles(disk.session(), new Map(files));
    return disk;
  };

  test('is continued by what segments hold behind its end', async () => {
    const { early, late, all } = await twoMoments(more);
    const disk = await diskOf(...numbered(early), ...below(late, 'topics'), damagedFile);
    const { logger, reports } = listener();
    const log = await open(disk, { logger });
    const found = (await served(log))['a-0'] ?? [];
    expect(found.length).toBeGreaterThan(6 * commitsPerFile);
    expect(found).toEqual(beginning(all, found));
    expect(reports).toContainEqual(expect.objectContaining({ topic: 'a', endOffset: found.length }));
    expect(await log.append([textRecord('a', 'new')])).toEqual([{ partition: 0, offset: found.length }]);
    await log.close();
    disk.cutPower();
    const again = await open(disk);
    expect(await served(again)).toEqual({ 'a-0': [...found, `${found.length} new`] });
    expect(new Set(again.lives('a', 0).map(({ life }) => life)).size).toBe(again.lives('a', 0).length);
    await again.close();
  });

  test('is continued with the same records after a crash at any step', async () => {
    const { early, late } = await twoMoments(more);
    const disk = await diskOf(...numbered(early), ...below(late, 'topics'), damagedFile);
    const expected = await served(await open(disk.fork()));
    for (let step = 1, done = false; !done; step += 1) {
      const branch = disk.fork();
      const session = branch.session();
      const died = branch.dieAfter(step).then(() => false);
      const opening = openLog(session, { journalFileBytes: fileBytes, sealer: neverSeal }).then(() => true);
      done = await Promise.race([died, opening]);
      branch.cutPower();
      const log = await open(branch);
      expect(await served(log)).toEqual(expected);
      await log.close();
    }
  });

  /** At the first moment nothing is sealed, at the second everything that can be; no record comes in between. */
  const sealing = (): Promise<Moments> => twoMoments(async () => {}, { sealer: neverSeal });

  test('gets back what it had sealed, and let go, without knowing it any more', async () => {
    const { early, late, all } = await sealing();
    // Of the files of the first moment only the newest is left: the others have been sealed and recycled since.
    const newest = numbered(early).at(-1) as [string, Buffer];
    const alone = await open(await diskOf(newest));
    const left = (await served(alone))['a-0'] ?? [];
    await alone.close();
    expect(left.length).toBeLessThan(all.length / 2);
    const disk = await diskOf(newest, ...below(late, 'topics'), damagedFile);
    const log = await open(disk);
    expect((await served(log))['a-0']).toEqual(all);
    await log.close();
    disk.cutPower();
    const again = await open(disk);
    expect((await served(again))['a-0']).toEqual(all);
    await again.close();
  });

  test('keeps the records that it has where a segment lacks some of them, and the segment in quarantine', async () => {
    const { early, late, all } = await twoMoments(more);
    const before = new Set(below(early, 'topics').map(([path]) => path));
    const grown = below(late, 'topics').filter(([path]) => !before.has(path));
    const [missing] = grown.find(([path]) => firstOffsetIn(path) < 6 * commitsPerFile) ?? [''];
    expect(missing).not.toBe('');
    const kept = below(late, 'topics').filter(([path]) => path !== missing);
    const { logger, reports } = listener();
    const log = await open(await diskOf(...numbered(early), ...kept, damagedFile), { logger });
    expect((await served(log))['a-0']).toEqual(all.slice(0, 6 * commitsPerFile));
    expect(reports).toContainEqual(
      expect.objectContaining({ message: expect.stringMatching(/kept in the quarantine/) }),
    );
    await log.close();
  });

  test('does not take over what an interrupted sealing has left: the journal has it', async () => {
    const { early, late, all } = await sealing();
    expect(below(early, 'topics')).toEqual([]);
    expect(below(late, 'topics').length).toBeGreaterThan(0);
    for (const damaged of [[damagedFile], []]) {
      const { logger, reports } = listener();
      const disk = await diskOf(...numbered(early), ...below(late, 'topics'), ...damaged);
      const log = await open(disk, { logger, sealer: neverSeal });
      await settled(disk);
      expect((await served(log))['a-0']).toEqual(all);
      expect(reports.map(({ message }) => message).filter((one) => !one.includes('header'))).toEqual([]);
      expect(await segmentsOf(disk)).toEqual([]);
      await log.close();
    }
  });

  test('learns of topics, and of partitions, that only segments tell of', async () => {
    const { early, late } = await twoMoments(async (log, disk) => {
      await log.createTopic('b', 1);
      await log.growTopic('a', 2);
      for (let round = 0; round < 3; round += 1) {
        await appendTexts(log, 2 * commitsPerFile, 'late', 'b');
        await appendTexts(log, 2 * commitsPerFile, 'late', 'a', 1);
        await settled(disk);
      }
    });
    const log = await open(await diskOf(...numbered(early), ...below(late, 'topics'), damagedFile));
    expect(log.topics().map(({ name, partitions }) => [name, partitions])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    for (const [topic, partition] of [
      ['b', 0],
      ['a', 1],
    ] as const)
      expect((await readTexts(log, topic, partition)).slice(0, 2)).toEqual(['late 0', 'late 1']);
    await log.close();
  });

  test('does not bring back records of a topic that it knows to be deleted, and goes on with its offsets', async () => {
    const disk = newDisk(7);
    const log = await open(disk);
    await log.createTopic('a', 1, { segmentBytes: 600, compression: 'none' });
    await appendTexts(log, 6 * commitsPerFile, 'old');
    await settled(disk);
    const segments = await readFiles(disk.fork().session(), 'topics');
    await log.deleteTopic('a');
    await settled(disk);
    await log.close();
    const session = disk.session();
    await writeFiles(session, new Map([...segments, damagedFile]));
    const again = await open(disk);
    expect(again.topics()).toEqual([]);
    await again.createTopic('a', 1);
    expect(await again.append([textRecord('a', 'x')])).toEqual([
      { partition: 0, offset: 6 * commitsPerFile },
    ]);
    expect(await served(again)).toEqual({ 'a-0': [`${6 * commitsPerFile} x`] });
    await again.close();
  });

  test('keeps so much in quarantine, and never gives a number again that is known from there', async () => {
    const { early } = await twoMoments(more);
    const damaged = [997, 998, 999].map((number): [string, Buffer] => [
      `journal/${String(number).padStart(20, '0')}.journal`,
      Buffer.alloc(fileBytes, number % 256),
    ]);
    const disk = await diskOf(...numbered(early), ...below(early, 'topics'), ...damaged);
    const { logger, reports } = listener();
    await (await open(disk, { logger })).close();
    const kept = [...(await readFiles(disk.fork().session(), 'quarantine')).keys()];
    expect(kept).toEqual(
      [998, 999].map((number) => `quarantine/${String(number).padStart(20, '0')}.journal`),
    );
    expect(limits.quarantineFilesMax).toBe(kept.length);
    expect(reports).toContainEqual(
      expect.objectContaining({
        file: '00000000000000000997.journal',
        message: expect.stringMatching(/full/),
      }),
    );
    const names = await readFiles(disk.fork().session(), 'journal');
    expect(names.has('journal/00000000000000001000.journal')).toBe(true);
  });
});
