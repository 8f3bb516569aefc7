import { describe, expect, test } from 'vitest';
import type { Disk, ReadableDisk } from '../../src/core/disk.ts';
import { assert } from '../../src/core/errors.ts';
import { limits } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { encodeBatch } from '../../src/log/encoding/batch.ts';
import { decodeFileHeader } from '../../src/log/journal/file-header.ts';
import { buildFrame, encodeFrame } from '../../src/log/journal/frame.ts';
import { readWholeFile } from '../../src/log/journal/journal-files.ts';
import { encodeEntries, recordBatchEntry } from '../../src/log/state/entries.ts';
import { StoppedLog } from '../../src/log/stopped-log.ts';
import { type VerifyEvent, verifyLog } from '../../src/log/verify.ts';
import { neverSeal, readRecords, textRecord } from '../support/log-on-disk.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { commitsPerFile, open } from '../support/small-segments.ts';
import { damage, pathsIn, storedFolder } from '../support/stored-folder.ts';

const block = limits.journalBlockBytes;
const newDisk = (seed = 1): SimDisk => new SimDisk(new SimRandom(seed));

interface Findings {
  readonly lost: readonly string[];
  readonly damaged: readonly string[];
  readonly others: readonly VerifyEvent[];
}

const offsets = (range: { topic: string; partition: number; fromOffset: number; endOffset: number }) =>
  `${range.topic}-${range.partition} ${range.fromOffset}..${range.endOffset - 1}`;

async function verify(disk: ReadableDisk): Promise<Findings> {
  const events: VerifyEvent[] = [];
  for await (const event of verifyLog(disk)) events.push(event);
  let totalBytes = 0;
  let checkedBytes = 0;
  for (const event of events) {
    if (event.kind === 'started') totalBytes = event.totalBytes;
    if (event.kind === 'checked') checkedBytes += event.bytes;
  }
  expect(checkedBytes).toBe(totalBytes);
  expect(events.at(-1)?.kind).toBe('done');
  return {
    lost: events.flatMap((event) => (event.kind === 'lost' ? [offsets(event)] : [])),
    damaged: events.flatMap((event) =>
      event.kind === 'damaged' ? [`${event.file} at ${event.position}: ${event.what}`] : [],
    ),
    others: events.filter(({ kind }) => !['started', 'checked', 'done', 'lost', 'damaged'].includes(kind)),
  };
}

const nothing: Findings = { lost: [], damaged: [], others: [] };

/** A commit that makes the topic, and the records, all in journal files of five. */
const journalFolder = (disk: SimDisk, recordsEach = 10): Promise<Disk> =>
  storedFolder(disk, recordsEach, { sealer: neverSeal });

async function stoppedLog(disk: ReadableDisk): Promise<StoppedLog> {
  const log = await StoppedLog.open({ disk, logger: silentLogger });
  assert(log !== undefined, 'a journal file has a whole header');
  return log;
}

async function appendForEver(disk: SimDisk): Promise<never> {
  const log = await open(disk);
  await log.growTopic('a', 2);
  for (let index = 0; ; index += 1)
    await log.append([textRecord('a', `${index} `.repeat(400), { partition: index % 2 })]);
}

const journalPaths = async (disk: Pick<Disk, 'list'>): Promise<string[]> =>
  (await pathsIn(disk, 'journal')).filter((path) => path.endsWith('.journal'));

/** Where the frames of a file begin that was opened, not copied to. */
const frameAt = (index: number): number => (1 + index) * block;

describe('the check of a data folder', () => {
  test('finds nothing in a whole one, and reads all of it', async () => {
    const disk = newDisk();
    const folder = await storedFolder(disk, 60);
    expect((await pathsIn(folder, 'topics/a-0')).length).toBeGreaterThan(3);
    expect((await journalPaths(folder)).length).toBeGreaterThan(1);
    expect(await verify(folder)).toEqual(nothing);
    // Two more lives.
    for (const text of ['x', 'y']) {
      const log = await open(disk);
      await log.append([textRecord('a', text, { partition: 0 })]);
      await log.close();
    }
    expect(await verify(disk.session())).toEqual(nothing);
  });

  test('finds nothing lost or damaged after power cuts at any moment, sealing included', async () => {
    let torn = 0;
    for (let seed = 1; seed <= 30; seed += 1) {
      const random = new SimRandom(seed);
      const disk = newDisk(seed);
      for (let cuts = 0; cuts < 3; cuts += 1) {
        const work = appendForEver(disk);
        await Promise.race([disk.dieAfter(20 + random.below(900)), work]);
        disk.cutPower();
        const { others, ...found } = await verify(disk.session());
        expect(found, `seed ${seed}`).toEqual({ lost: [], damaged: [] });
        torn += others.filter(({ kind }) => kind === 'torn-tail').length;
      }
    }
    expect(torn).toBeGreaterThan(5);
  });

  test('changes nothing', async () => {
    const disk = newDisk();
    const folder = await storedFolder(disk, 60);
    const [newest = ''] = (await journalPaths(folder)).slice(-1);
    await damage(folder, newest, 40);
    const operations = new Set<string>();
    disk.onOperation = ({ what }) => operations.add(what.split(/ (?=\S+$)/)[0] ?? '');
    await verify(folder);
    expect([...operations].sort()).toEqual(['close', 'list', 'open', 'read', 'size of']);
  });

  test('names the offsets of a damaged commit in the newest file and in an older one', async () => {
    for (const which of [1, 2, -1]) {
      const folder = await journalFolder(newDisk(), 12);
      expect(await verify(folder)).toEqual(nothing);
      const path = (await journalPaths(folder)).at(which) ?? '';
      expect(await readRecords(await stoppedLog(folder), 'a', 0)).toHaveLength(12);
      await damage(folder, path, frameAt(0) + 60, 4);
      const { lost, damaged } = await verify(folder);
      expect(lost).toEqual([expect.stringMatching(/^a-[01] \d+\.\.\d+$/)]);
      expect(damaged).toEqual([expect.stringMatching(`^${path} at ${frameAt(0)}: commit \\d+ is missing`)]);
      const [, partition, offset] = /^a-(\d) (\d+)/.exec(lost[0] ?? '') ?? [];
      const served = await readRecords(await stoppedLog(folder), 'a', Number(partition));
      const missing = Array.from({ length: 12 }, (_, index) => index).filter(
        (one) => !served.some((record) => record.offset === one),
      );
      expect(missing).toEqual([Number(offset)]);
    }
  });

  test('tells a torn last commit from damage', async () => {
    const disk = newDisk();
    const folder = await journalFolder(disk);
    const [newest = ''] = (await journalPaths(folder)).slice(-1);
    // 1 commit for the topic and 20 records: the last one is alone in the fifth file.
    for (const at of [0, 10, 20, 60]) {
      const fork = disk.fork().session();
      await damage(fork, newest, frameAt(0) + at);
      const { lost, damaged, others } = await verify(fork);
      expect({ lost, damaged }).toEqual({ lost: [], damaged: [] });
      expect(others).toEqual([{ kind: 'torn-tail', file: newest, position: frameAt(0), commitNumber: 21 }]);
    }
  });

  test('names the offsets of a damaged batch, of a missing and of a short segment', async () => {
    const disk = newDisk();
    const whole = await storedFolder(disk, 60);
    const [first = '', second = '', third = ''] = await pathsIn(whole, 'topics/a-1');
    const baseOf = (path: string): number => Number.parseInt(path.slice(-24), 10);
    const log = await stoppedLog(whole);
    const [batch] = await log.read('a', 1, 0, 1);
    const [lastOfSecond] = await log.read('a', 1, baseOf(third) - 1, 1);
    expect(lastOfSecond?.baseOffset).toBeGreaterThan(baseOf(second));

    const flipped = disk.fork().session();
    await damage(flipped, first, 100);
    expect(await verify(flipped)).toEqual({
      ...nothing,
      lost: [`a-1 0..${batch?.lastOffset}`],
      damaged: [expect.stringContaining(`${first} at 0: a checksum`)],
    });

    const without = disk.fork().session();
    await without.remove(second);
    expect(await verify(without)).toEqual({
      ...nothing,
      lost: [`a-1 ${baseOf(second)}..${baseOf(third) - 1}`],
      damaged: [expect.stringContaining(`${second} at 0: cannot be opened: ENOENT`)],
    });

    const short = disk.fork().session();
    const file = await short.open(second);
    await file.truncate((await file.size()) - 1);
    expect(await verify(short)).toMatchObject({
      lost: [`a-1 ${lastOfSecond?.baseOffset}..${baseOf(third) - 1}`],
    });
  });

  test('costs one batch where the medium refuses to read a block of a segment', async () => {
    const disk = newDisk();
    const log = await open(disk);
    await log.createTopic('a', 1, { compression: 'none' });
    for (let index = 0; index < 40 * commitsPerFile; index += 1)
      await log.append([textRecord('a', 'x'.repeat(1500))]);
    await log.close();
    const folder = disk.session();
    const [path = ''] = await pathsIn(folder, 'topics/a-0');
    const refusing: ReadableDisk = {
      list: (name) => folder.list(name),
      open: async (name) => {
        const file = await folder.open(name);
        const refuses = (at: number, size: number) => name === path && at < 2 * block && at + size > block;
        return {
          size: () => file.size(),
          close: () => file.close(),
          readAt: async (into, at) => {
            if (!refuses(at, into.length)) return await file.readAt(into, at);
            throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
          },
        };
      },
    };
    const { lost, damaged } = await verify(refusing);
    expect(damaged).toHaveLength(1);
    expect(lost).toHaveLength(1);
    const served = await readRecords(await stoppedLog(refusing), 'a', 0, 0, 100_000);
    const [, from, end] = /(\d+)\.\.(\d+)$/.exec(lost[0] ?? '') ?? [];
    expect(served.length + Number(end) - Number(from) + 1).toBe(40 * commitsPerFile);
    // A batch takes up to 64 KiB, the segment all that was sealed.
    expect(served.length).toBeGreaterThan(30 * commitsPerFile);
  });

  test('names what only a file with a damaged header held, before the next start sets it aside and after it', async () => {
    const disk = newDisk();
    const folder = await journalFolder(disk);
    const paths = await journalPaths(folder);
    const newest = paths.at(-1) ?? '';
    await damage(folder, newest, 50);
    expect(await verify(folder)).toEqual({
      lost: ['a-1 9..9'],
      damaged: [expect.stringContaining(`${newest} at 0: its header is damaged`)],
      others: [
        {
          kind: 'set-aside',
          file: newest,
          sizeBytes: 6 * block,
          holds: [{ topic: 'a', partition: 1, fromOffset: 9, endOffset: 10 }],
        },
      ],
    });
    const older = paths.at(1) ?? '';
    await damage(folder, older, 50);
    const { lost } = await verify(folder);
    expect(lost.length).toBeGreaterThan(1);
    await open(disk, { sealer: neverSeal });
    const after = await verify(disk.session());
    expect(after.others.map((event) => event.kind === 'set-aside' && event.file)).toEqual(
      [older, newest].map((path) => path.replace('journal/', 'quarantine/')),
    );
    expect(after.lost).toEqual(lost.filter((range) => range !== 'a-1 9..9'));
  });

  test('does not take records of another life for those that a file with a damaged header held', async () => {
    const disk = newDisk();
    const one = textRecord('a', 'x', { partition: 0 });
    for (const records of [2, 2, 1]) {
      const log = await open(disk, { sealer: neverSeal });
      await log.growTopic('a', 1);
      for (let left = records; left > 0; left -= 1) await log.append([one]);
    }
    const folder = disk.session();
    const [first = '', second = ''] = await journalPaths(folder);
    const header = decodeFileHeader(await readWholeFile(folder, first));
    // The second life wrote offset 2 in commit 4. The device completes late what the first one tried there.
    const entry = recordBatchEntry({ topicNumber: 1, partition: 0 }, encodeBatch(2, [one]));
    const frame = buildFrame(4, header?.life.ordinal ?? 0, encodeEntries([entry]));
    const file = await folder.open(first);
    await file.writeAt(encodeFrame(frame, header?.salt ?? new Uint8Array()), frameAt(3));
    expect(await verify(folder)).toEqual(nothing);
    await damage(folder, second, 50);
    expect((await verify(folder)).lost).toEqual(['a-0 2..2']);
    const served = await readRecords(await stoppedLog(folder), 'a', 0);
    expect(served.map(({ offset }) => offset)).toEqual([0, 1, 3, 4]);
  });

  test('says so where no header is whole, since nothing tells what the log held', async () => {
    const folder = await journalFolder(newDisk());
    const paths = await journalPaths(folder);
    for (const path of paths) await damage(folder, path, 50);
    const { damaged } = await verify(folder);
    expect(damaged).toHaveLength(paths.length);
  });

  test('loses exactly what readers are not served, wherever bits flip', async () => {
    let lostSome = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const disk = newDisk(seed);
      await storedFolder(disk, 40);
      const again = await open(disk);
      await again.append([textRecord('a', 'x', { partition: 0 })]);
      await again.close();
      disk.flipBits(1 + (seed % 12));
      const folder = disk.session();
      const log = await StoppedLog.open({ disk: folder, logger: silentLogger });
      if (log === undefined) continue;
      const { lost } = await verify(folder);
      const unserved: string[] = [];
      for (const { topic, partition, logStartOffset, highWatermark } of log.partitions()) {
        const served = new Set((await readRecords(log, topic, partition)).map(({ offset }) => offset));
        for (let offset = logStartOffset; offset < highWatermark; offset += 1)
          if (!served.has(offset)) unserved.push(`${topic}-${partition} ${offset}`);
      }
      const named = lost.flatMap((range) => {
        const [, of, from, end] = /^(\S+) (\d+)\.\.(\d+)$/.exec(range) ?? [];
        const length = Number(end) - Number(from) + 1;
        return Array.from({ length }, (_, index) => `${of} ${Number(from) + index}`);
      });
      const highWatermarks = new Map(
        log.partitions().map((one) => [`${one.topic}-${one.partition}`, one.highWatermark]),
      );
      // Above the high watermark it names what a file held that counts for nothing.
      const below = named.filter((name) => {
        const [of = '', offset] = name.split(' ');
        return Number(offset) < (highWatermarks.get(of) ?? 0);
      });
      expect(below.sort(), `seed ${seed}`).toEqual(unserved.sort());
      lostSome += unserved.length;
    }
    expect(lostSome).toBeGreaterThan(20);
  });
});
