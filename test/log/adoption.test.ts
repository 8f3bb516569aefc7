import { describe, expect, test } from 'vitest';
import { emptyFolder, type Files, readFiles, writeFiles } from '../support/disk-files.ts';
import { neverSeal, openLog, readTexts, textRecord } from '../support/log-on-disk.ts';
import type { SimDisk } from '../support/sim-disk.ts';
import {
  appendTexts,
  batchesIn,
  beginning,
  commitsPerFile,
  endAt,
  fileBytes,
  firstOffsetIn,
  listener,
  newDisk,
  offsetAt,
  open,
  type Report,
  segment,
  segmentsOf,
  served,
  settled,
} from '../support/small-segments.ts';

/** Two topics, one with a hyphen and a number at the end of its name; two lives; most of it in small segments. */
async function folderWithSegments(seed = 1): Promise<{ disk: SimDisk; all: Record<string, string[]> }> {
  const disk = newDisk(seed);
  for (const life of ['one', 'two']) {
    const log = await open(disk);
    await log.growTopic('a', 1);
    await log.growTopic('line-7', 2);
    for (const topic of ['a', 'line-7'])
      await log.setTopic(topic, { segmentBytes: 400, compression: 'none' });
    for (let round = 0; round < 3; round += 1) {
      await appendTexts(log, 2 * commitsPerFile, `${life} ${round}`, 'a');
      await appendTexts(log, 2 * commitsPerFile, `${life} ${round}`, 'line-7', 1);
      await settled(disk);
    }
    if (life === 'one') await log.close();
    else {
      const all = await served(log);
      await log.close();
      return { disk, all };
    }
  }
  throw new Error('there is a second life');
}

async function loseJournal(disk: SimDisk): Promise<void> {
  await emptyFolder(disk.session(), 'journal');
}

describe('a lost journal', () => {
  test('leaves what is in segments: topics, offsets, records and lives, in a log with another id', async () => {
    const { disk, all } = await folderWithSegments();
    const before = await open(disk.fork());
    const lives = before.lives('a', 0).map(({ firstOffset }) => firstOffset);
    await loseJournal(disk);
    const { logger, reports } = listener();
    const log = await open(disk, { logger });
    const found = await served(log);
    expect(Object.keys(found)).toEqual(['a-0', 'line-7-0', 'line-7-1']);
    for (const key of ['a-0', 'line-7-1']) {
      expect(found[key]?.length).toBeGreaterThan(4 * commitsPerFile);
      expect(found[key]).toEqual(beginning(all[key], found[key]));
    }
    expect(log.logId).not.toBe(before.logId);
    expect(log.lives('a', 0).map(({ firstOffset }) => firstOffset)).toEqual(lives.slice(0, 2));
    const ids = ['a', 'line-7'].flatMap((topic) =>
      log.lives(topic, topic === 'a' ? 0 : 1).map(({ life }) => life),
    );
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((life) => /^[0-9a-f]{32}$/.test(life))).toBe(true);
    expect(reports.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^the journal is lost/),
    );
    const count = found['a-0']?.length ?? 0;
    expect(await log.append([textRecord('a', 'new')])).toEqual([{ partition: 0, offset: count }]);
    await log.close();
  });

  test('and a segment with it: the ledger says which offsets nobody has, once', async () => {
    const { disk } = await folderWithSegments();
    await loseJournal(disk);
    const files = await segmentsOf(disk);
    const [first, missing, next] = files.map(([path]) => firstOffsetIn(path));
    await disk.session().remove(segment(missing ?? 0));
    const log = await open(disk);
    await settled(disk);
    expect((await served(log))['a-0']?.[missing ?? 0]).toMatch(new RegExp(`^${next} `));
    await log.close();
    const again = await open(disk);
    await settled(disk);
    const rows = (await readTexts(again, 'gaps', 0)).map((row) => JSON.parse(row));
    const lost = { firstOffset: missing, lastOffset: (next ?? 0) - 1, reason: 'damage' };
    expect(rows).toEqual([{ topic: 'a', partition: 0, ...lost, time: expect.any(String) }]);
    expect(first).toBe(0);
    await again.close();
  });

  test('stays adopted: over a power cut, further lives, and sealing on', async () => {
    const { disk } = await folderWithSegments();
    await loseJournal(disk);
    const log = await open(disk);
    const first = await served(log);
    disk.cutPower();
    const again = await open(disk);
    expect(await served(again)).toEqual(first);
    const { logId } = again;
    await appendTexts(again, 6 * commitsPerFile, 'later');
    await settled(disk);
    await again.close();
    const last = await open(disk);
    expect(last.logId).toBe(logId);
    const texts = await readTexts(last, 'a', 0);
    expect(texts.slice(-2)).toEqual([`later ${6 * commitsPerFile - 2}`, `later ${6 * commitsPerFile - 1}`]);
    expect(texts).toHaveLength((first['a-0']?.length ?? 0) + 6 * commitsPerFile);
    const ordinals = last.lives('a', 0).map(({ life }) => life);
    expect(new Set(ordinals).size).toBe(3);
    await last.close();
  });

  test.each(['cut', 'kill'])(
    'and a %s at any step of adoption: the next start finds the same',
    async (crash) => {
      const { disk } = await folderWithSegments(2);
      await loseJournal(disk);
      const clean = disk.fork();
      const expected = await served(await open(clean));
      let steps = 0;
      for (let done = false; !done; ) {
        const branch = disk.fork();
        const session = branch.session();
        steps += 1;
        const died = branch.dieAfter(steps).then(() => false);
        const opening = openLog(session, { journalFileBytes: fileBytes, sealer: neverSeal }).then(() => true);
        done = await Promise.race([died, opening]);
        if (crash === 'cut') branch.cutPower();
        const log = await open(branch);
        expect(await served(log)).toEqual(expected);
        await log.close();
      }
      expect(steps).toBeGreaterThan(50);
    },
  );

  test('makes durable what it serves: a segment may be in the page cache alone, after a kill', async () => {
    const { disk } = await folderWithSegments();
    const [path, bytes] = (await segmentsOf(disk)).at(-1) as [string, Buffer];
    for (let seed = 1; seed <= 10; seed += 1) {
      const killed = newDisk(seed);
      const session = killed.session();
      await session.makeFolder('topics/a-0');
      const file = await session.create(path);
      await file.writeAt(bytes, 0);
      const log = await open(killed, { sealer: neverSeal });
      const found = await served(log);
      expect(found['a-0']).not.toEqual([]);
      killed.cutPower();
      const again = await open(killed);
      expect(await served(again)).toEqual(found);
      await again.close();
    }
  });

  test('in a folder without segments is a new folder', async () => {
    const disk = newDisk();
    const { logger, reports } = listener();
    const log = await open(disk, { logger });
    expect(log.partitions()).toEqual([]);
    expect(reports).toEqual([]);
    await log.close();
  });
});

describe('a lost journal and', () => {
  /** What is served after the first segment with several batches was changed. */
  async function afterDamage(
    damage: (bytes: Buffer, batches: readonly number[]) => Buffer | undefined,
    seed = 3,
  ): Promise<{
    found: string[];
    whole: string[];
    bytes: Buffer;
    batches: number[];
    reports: Report[];
    disk: SimDisk;
  }> {
    const disk = newDisk(seed);
    const log = await open(disk);
    await log.createTopic('a', 1, { compression: 'none' });
    for (let round = 0; round < 4; round += 1) {
      await appendTexts(log, 4 * commitsPerFile, `round ${round}`);
      await settled(disk);
    }
    await log.close();
    await loseJournal(disk);
    const whole = (await served(await open(disk.fork())))['a-0'] ?? [];
    const bytes = (await segmentsOf(disk))[0]?.[1] ?? Buffer.alloc(0);
    const batches = batchesIn(bytes);
    expect(batches.length).toBeGreaterThan(3);
    const changed = damage(Buffer.from(bytes), batches);
    await writeFiles(disk.session(), new Map([[segment(0), changed ?? Buffer.alloc(0)]]));
    const { logger, reports } = listener();
    const damaged = await open(disk, { logger });
    const found = (await served(damaged))['a-0'] ?? [];
    await damaged.close();
    return { found, whole, bytes, batches, reports, disk };
  }

  const without = (whole: readonly string[], from: number, end: number): string[] => [
    ...whole.slice(0, from),
    ...whole.slice(end),
  ];

  test.each([
    ['records', 70],
    ['base offset', 7],
    ['length', 11],
    ['magic', 16],
    ['checksum', 17],
    ['last offset', 26],
    ['record count', 60],
  ])('a flipped bit of a batch’s %s lose that batch, and say which', async (_, at) => {
    for (const index of [0, 1]) {
      const { found, whole, bytes, batches, reports } = await afterDamage((changed, [...places]) => {
        const place = (places[index] ?? 0) + at;
        changed[place] = (changed[place] ?? 0) ^ 1;
        return changed;
      });
      const place = batches[index] ?? 0;
      const [from, end] = [offsetAt(bytes, place), endAt(bytes, place)];
      expect(found).toEqual(without(whole, from, end));
      expect(reports).toContainEqual(expect.objectContaining({ firstOffset: from, endOffset: end }));
    }
  });

  test.each([
    ['higher', 13],
    ['lower', 15],
  ])('a flipped bit that makes a batch’s life a %s one lose that batch alone, or nothing', async (_, at) => {
    for (const index of [0, 1]) {
      const { found, whole, bytes, batches } = await afterDamage((changed, [...places]) => {
        const place = (places[index] ?? 0) + at;
        changed[place] = (changed[place] ?? 0) ^ 1;
        return changed;
      });
      const place = batches[index] ?? 0;
      // Before the first batch there is nothing that its life could contradict.
      const isLost = index > 0;
      expect(found).toEqual(isLost ? without(whole, offsetAt(bytes, place), endAt(bytes, place)) : whole);
    }
  });

  test('a torn end are cut to the last whole batch, and the file with them', async () => {
    for (const cut of [1, 30, 61, 90]) {
      const { found, whole, bytes, batches, disk } = await afterDamage((changed) =>
        changed.subarray(0, changed.length - cut),
      );
      const last = batches.at(-1) ?? 0;
      expect(found).toEqual(whole.slice(0, offsetAt(bytes, last)));
      expect((await segmentsOf(disk))[0]?.[1]).toHaveLength(last);
    }
  });

  test('bytes behind an older segment are cut off as well, so that other tools read it', async () => {
    const { disk } = await folderWithSegments();
    await loseJournal(disk);
    const [path, bytes] = (await segmentsOf(disk))[0] as [string, Buffer];
    await writeFiles(disk.session(), new Map([[path, Buffer.concat([bytes, bytes.subarray(0, 90)])]]));
    const log = await open(disk);
    await log.close();
    expect((await segmentsOf(disk))[0]).toEqual([path, bytes]);
  });

  test('a last batch that is damaged give its offsets to the next records', async () => {
    const { whole, bytes, batches, disk } = await afterDamage((changed) => {
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
      return changed;
    });
    const log = await open(disk);
    const highWatermark = offsetAt(bytes, batches.at(-1) ?? 0);
    expect(highWatermark).toBeLessThan(whole.length);
    expect(log.partitions()).toEqual([{ topic: 'a', partition: 0, logStartOffset: 0, highWatermark }]);
    await log.close();
  });

  test('an offset of the last batch that is wrong never give its records another offset', async () => {
    const { found, whole, bytes, batches } = await afterDamage((changed, places) => {
      const last = places.at(-1) ?? 0;
      changed.writeBigInt64BE(BigInt(offsetAt(changed, last) + 100), last);
      return changed;
    });
    expect(found).toEqual(whole.slice(0, offsetAt(bytes, batches.at(-1) ?? 0)));
  });

  test('a segment of which nothing is good leave it in quarantine', async () => {
    const { found, reports, disk } = await afterDamage((changed) => changed.fill(7));
    expect(found).toEqual([]);
    expect(reports).toContainEqual(expect.objectContaining({ file: segment(0), firstOffset: 0 }));
    const kept = await readFiles(disk.fork().session(), 'quarantine');
    expect([...kept.keys()]).toEqual([`quarantine/a-0.${segment(0).slice(-24)}`]);
  });

  test('a missing segment lose what was in it', async () => {
    const { disk, all } = await folderWithSegments();
    await loseJournal(disk);
    const segments = await segmentsOf(disk);
    const [missing, next] = [segments[1]?.[0] ?? '', segments[2]?.[0] ?? ''];
    await disk.session().remove(missing);
    const { logger, reports } = listener();
    const log = await open(disk, { logger });
    const [from, end] = [firstOffsetIn(missing), firstOffsetIn(next)];
    const found = (await served(log))['a-0'] ?? [];
    expect(found).toEqual(without(all['a-0'] ?? [], from, end).slice(0, found.length));
    expect(found.length).toBeGreaterThan(end);
    expect(reports).toContainEqual(
      expect.objectContaining({ topic: 'a', firstOffset: from, endOffset: end }),
    );
    await log.close();
  });

  test('an oldest segment that was removed begin at the next one', async () => {
    const { disk, all } = await folderWithSegments();
    await loseJournal(disk);
    const [first, second] = await segmentsOf(disk);
    await disk.session().remove(first?.[0] ?? '');
    const log = await open(disk);
    const logStartOffset = firstOffsetIn(second?.[0] ?? '');
    expect(log.partitions()).toContainEqual(expect.objectContaining({ topic: 'a', logStartOffset }));
    const found = (await served(log))['a-0'] ?? [];
    expect(found).toEqual(all['a-0']?.slice(logStartOffset, logStartOffset + found.length));
    await log.close();
  });

  test('files that overlap, as failed attempts leave them, serve each record once', async () => {
    const { disk, all } = await folderWithSegments();
    await loseJournal(disk);
    // The second batch of a segment once more, as the beginning of a file of its own.
    const [path, bytes] = (await segmentsOf(disk)).find(([, one]) => batchesIn(one).length > 1) ?? [
      '',
      Buffer.alloc(0),
    ];
    const second = batchesIn(bytes)[1] ?? 0;
    expect(second).toBeGreaterThan(0);
    const copy = segment(offsetAt(bytes, second));
    expect(copy).not.toBe(path);
    await writeFiles(disk.session(), new Map([[copy, bytes.subarray(second)]]));
    const log = await open(disk);
    const found = (await served(log))['a-0'] ?? [];
    expect(found).toEqual(beginning(all['a-0'], found));
    expect([...(await readFiles(disk.fork().session(), 'quarantine')).keys()]).toHaveLength(1);
    await log.close();
  });

  test('names that are none of ours leave those alone', async () => {
    const { disk } = await folderWithSegments();
    await loseJournal(disk);
    const [, bytes] = (await segmentsOf(disk))[0] ?? ['', Buffer.alloc(0)];
    const foreign: Files = new Map(
      ['a-00', 'a', 'a-x', 'a-64', 'ä-0'].map((folder) => [segment(0, folder), Buffer.from(bytes)]),
    );
    await writeFiles(disk.session(), foreign);
    const log = await open(disk);
    expect(Object.keys(await served(log))).toEqual(['a-0', 'line-7-0', 'line-7-1']);
    await log.close();
    expect([...(await readFiles(disk.fork().session(), 'topics/a-00')).keys()]).toEqual([segment(0, 'a-00')]);
  });
});
