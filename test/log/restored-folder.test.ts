import { describe, expect, test } from 'vitest';
import type { Log } from '../../src/log/log.ts';
import { type Files, readFiles, writeFiles } from '../support/disk-files.ts';
import { neverSeal, textRecord } from '../support/log-on-disk.ts';
import type { SimDisk } from '../support/sim-disk.ts';
import {
  appendTexts,
  batchesIn,
  commitsPerFile,
  endAt,
  firstOffsetIn,
  listener,
  newDisk,
  open,
  type Report,
  segment,
  served,
  settled,
} from '../support/small-segments.ts';

/*
 * Nothing is damaged here, but the two halves of the folder are of different times. The journal counts: what it does not
 * know may have been written in another history of the same folder, so it is told of and kept, and not served.
 */
describe('a data folder restored from a backup', () => {
  /** A backup of a folder with two segments and more in the journal, and the folder some time later. */
  async function backup(): Promise<{ early: Files; late: Files; all: readonly string[]; count: number }> {
    const disk = newDisk(8);
    const log = await open(disk);
    await log.createTopic('a', 1, { segmentBytes: 2500, compression: 'none' });
    await appendTexts(log, 6 * commitsPerFile, 'early');
    await settled(disk);
    const count = 6 * commitsPerFile;
    const early = await readFiles(disk.fork().session(), 'journal', 'topics');
    await appendTexts(log, 30 * commitsPerFile, 'late');
    await settled(disk);
    const all = (await served(log))['a-0'] ?? [];
    await log.close();
    return { early, late: await readFiles(disk.session(), 'journal', 'topics'), all, count };
  }

  const part = (files: Files, folder: string): [string, Buffer][] =>
    [...files].filter(([path]) => path.startsWith(`${folder}/`));

  async function restored(
    files: Iterable<readonly [string, Buffer]>,
  ): Promise<{ disk: SimDisk; log: Log; reports: Report[] }> {
    const disk = newDisk(9);
    await writeFiles(disk.session(), new Map(files));
    const { logger, reports } = listener();
    const log = await open(disk, { logger, sealer: neverSeal });
    await settled(disk);
    return { disk, log, reports };
  }

  test('as a whole serves what the backup had, and goes on from there', async () => {
    const { early, all, count } = await backup();
    const { log, reports } = await restored(early);
    expect((await served(log))['a-0']).toEqual(all.slice(0, count));
    expect(reports).toEqual([]);
    expect(await log.append([textRecord('a', 'x')])).toEqual([{ partition: 0, offset: count }]);
    await log.close();
  });

  test('with segments newer than its journal serves what the journal knows, and says what is lost', async () => {
    const { early, late, all, count } = await backup();
    const segments = part(late, 'topics');
    const grown = segments.filter(
      ([path, bytes]) => (early.get(path)?.length ?? bytes.length) < bytes.length,
    );
    expect(grown.length).toBe(1);
    const newer = segments.filter(([path]) => firstOffsetIn(path) >= count);
    expect(newer.length).toBeGreaterThan(0);
    const { disk, log, reports } = await restored([...part(early, 'journal'), ...segments]);
    expect((await served(log))['a-0']).toEqual(all.slice(0, count));
    const ends = reports.map(({ endOffset }) => Number(endOffset));
    expect(Math.max(...ends)).toBe(lastEnd(segments));
    expect(reports).toContainEqual(
      expect.objectContaining({
        file: grown[0]?.[0],
        firstOffset: count,
        message: expect.stringMatching(/newer/),
      }),
    );
    const kept = await readFiles(disk.fork().session(), 'quarantine');
    for (const [path, bytes] of newer) expect(kept.get(`quarantine/a-0.${path.slice(-24)}`)).toEqual(bytes);
    await appendTexts(log, 3, 'x');
    expect((await served(log))['a-0']?.slice(count)).toEqual(
      [0, 1, 2].map((index) => `${count + index} x ${index}`),
    );
    await log.close();
  });

  test('with segments older than its journal serves the rest, and says what is lost', async () => {
    const { early, late, all } = await backup();
    const { log, reports } = await restored([...part(late, 'journal'), ...part(early, 'topics')]);
    const found = (await served(log))['a-0'] ?? [];
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThan(all.length);
    expect(found).toEqual(all.filter((one) => found.includes(one)));
    expect(reports.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/missing from the data folder/),
    );
    await log.close();
  });

  test('with a topic that its journal does not know keeps its segments in quarantine, and says so', async () => {
    const { early, late, all, count } = await backup();
    const foreign = part(late, 'topics').map(([path, bytes]): [string, Buffer] => [
      path.replace('/a-0/', '/b-0/'),
      bytes,
    ]);
    const { disk, log, reports } = await restored([...early, ...foreign]);
    expect(await served(log)).toEqual({ 'a-0': all.slice(0, count) });
    expect(reports).toContainEqual(expect.objectContaining({ file: segment(0, 'b-0'), firstOffset: 0 }));
    await log.createTopic('b', 1);
    expect(await log.append([textRecord('b', 'x')])).toEqual([{ partition: 0, offset: 0 }]);
    expect((await readFiles(disk.fork().session(), 'quarantine')).size).toBe(foreign.length);
    await log.close();
  });

  test('with files that are none of ours starts', async () => {
    const { early, all, count } = await backup();
    const others = ['journal/notes.txt', 'topics/a-0/index', 'topics/notes/x', 'topics/a-0/7.log'];
    const extra = others.map((path): [string, Buffer] => [path, Buffer.from('x')]);
    const { disk, log, reports } = await restored([...early, ...extra]);
    expect(await served(log)).toEqual({ 'a-0': all.slice(0, count) });
    expect(reports).toEqual([]);
    await log.close();
    const left = await readFiles(disk.fork().session(), 'journal', 'topics');
    for (const path of others) expect(left.has(path)).toBe(true);
  });

  /** The offset behind the last record of the newest segment. */
  function lastEnd(segments: readonly [string, Buffer][]): number {
    const [, bytes] = segments.at(-1) as [string, Buffer];
    return endAt(bytes, batchesIn(bytes).at(-1) ?? 0);
  }
});
