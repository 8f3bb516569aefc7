import { describe, expect, test } from 'vitest';
import type { Disk, DiskFile } from '../../src/core/disk.ts';
import { limits } from '../../src/core/limits.ts';
import { type Metrics, noMetrics } from '../../src/core/metrics.ts';
import { murmur2 } from '../../src/log/commits/partitioner.ts';
import { crc32c } from '../../src/log/encoding/crc32c.ts';
import type { Log, LogOptions } from '../../src/log/log.ts';
import { CountedDisk } from '../../src/platform/counted-disk.ts';
import { neverSeal, openLog, readRecords, readTexts, textRecord } from '../support/log-on-disk.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { until } from '../support/virtual-time.ts';

const newDisk = (): SimDisk => new SimDisk(new SimRandom(1));

async function openWith(
  topics: Readonly<Record<string, number>>,
  disk = newDisk(),
  options: Partial<LogOptions> = {},
): Promise<Log> {
  const log = await openLog(disk.session(), options);
  for (const [name, partitions] of Object.entries(topics)) await log.createTopic(name, partitions);
  return log;
}

describe('appending', () => {
  test('gives dense offsets in the order of the records, and readers see exactly them', async () => {
    const log = await openWith({ a: 2 });
    const [first, second] = await Promise.all([
      log.append([textRecord('a', 'x', { partition: 0 }), textRecord('a', 'y', { partition: 1 })]),
      log.append([textRecord('a', 'z', { partition: 0 })]),
    ]);
    expect(first).toEqual([
      { partition: 0, offset: 0 },
      { partition: 1, offset: 0 },
    ]);
    expect(second).toEqual([{ partition: 0, offset: 1 }]);
    expect(await readTexts(log, 'a', 0)).toEqual(['x', 'z']);
    expect(await readTexts(log, 'a', 0, 1)).toEqual(['z']);
    expect(await log.read('a', 0, 2, 1000)).toEqual([]);
    await log.close();
  });

  test('keeps key, value, headers and timestamp as they are', async () => {
    const log = await openWith({ a: 1 });
    const headers = [{ name: 'h', value: Buffer.from([0, 255]) }];
    const full = textRecord('a', 'x', { key: Buffer.from('k'), headers, timestampMs: 5 });
    await log.append([full, textRecord('a', '', { value: null, timestampMs: 3 })]);
    const { topic: _, ...expected } = full;
    expect(await readRecords(log, 'a', 0)).toEqual([
      { ...expected, offset: 0 },
      { key: null, value: null, headers: [], timestampMs: 3, offset: 1 },
    ]);
    await log.close();
  });

  test('of no records is nothing', async () => {
    const log = await openWith({});
    expect(await log.append([])).toEqual([]);
    await log.close();
  });

  test('counts the bytes that somebody sent, once they are durable and once only', async () => {
    let counted = 0;
    const disk = newDisk();
    let syncsWhenCounted = 0;
    const metrics: Metrics = {
      ...noMetrics,
      add(name, by) {
        if (name !== 'headwater_payload_bytes_total') return;
        counted += by;
        syncsWhenCounted = disk.counts.fdatasync;
      },
    };
    const log = await openLog(disk.session(), { metrics });
    await log.createTopic('a', 1);
    const headers = [{ name: 'hé', value: Buffer.alloc(5) }];
    const records = [textRecord('a', 'xyz', { key: Buffer.from('k'), headers }), textRecord('a', 'x')];
    const syncsBefore = disk.counts.fdatasync;
    await log.append(records);
    expect(syncsWhenCounted).toBeGreaterThan(syncsBefore);
    expect(counted).toBe(3 + 1 + 3 + 5 + 1);
    const once = textRecord('a', '12345', { key: null });
    await log.appendOnce(once, { client: 'c', packetId: 1 });
    // Both in one commit.
    const again = log.appendOnce(once, { client: 'c', packetId: 1 });
    await Promise.all([again, log.append([textRecord('a', 'y')])]);
    await log.append([textRecord('a', '', { value: null })]);
    expect(counted).toBe(13 + 5 + 1);
    await log.close();
  });

  test('places keyed records by Kafka’s murmur2', async () => {
    const log = await openWith({ a: 5 });
    for (const key of ['one', 'two', 'three']) {
      const [at] = await log.append([textRecord('a', 'x', { key: Buffer.from(key) })]);
      expect(at?.partition).toBe((murmur2(Buffer.from(key)) & 0x7fffffff) % 5);
    }
    await log.close();
  });

  test('lets records without a key take turns, in each topic by itself', async () => {
    const log = await openWith({ a: 3, b: 2 });
    const placed: Record<string, number[]> = { a: [], b: [] };
    for (let count = 0; count < 6; count += 1)
      for (const topic of ['a', 'b']) {
        const [at] = await log.append([textRecord(topic, 'x')]);
        placed[topic]?.push(at?.partition ?? -1);
      }
    expect(placed).toEqual({ a: [0, 1, 2, 0, 1, 2], b: [0, 1, 0, 1, 0, 1] });
    await log.close();
  });

  test('is refused with what to do next when it cannot be', async () => {
    const log = await openWith({ a: 2 });
    const headers = Array.from({ length: 65 }, () => ({ name: 'h', value: Buffer.alloc(0) }));
    const large = 'x'.repeat(limits.recordBytesMax - 100);
    const cases = [
      ['unknown-topic', [textRecord('b', 'x')]],
      ['illegal-partition', [textRecord('a', 'x', { partition: 2 })]],
      ['illegal-partition', [textRecord('a', 'x', { partition: -1 })]],
      ['illegal-partition', [textRecord('a', 'x', { partition: 0.5 })]],
      ['record-too-large', [textRecord('a', 'x'.repeat(limits.recordBytesMax))]],
      ['record-too-large', [textRecord('a', 'x', { headers })]],
      ['record-too-large', Array.from({ length: 5 }, () => textRecord('a', large))],
    ] as const;
    for (const [code, records] of cases)
      await expect(log.append(records)).rejects.toMatchObject({ name: 'OperatingError', code });
    expect(log.partitions().map(({ highWatermark }) => highWatermark)).toEqual([0, 0]);
    await log.append([textRecord('a', large, { partition: 0 })]);
    expect((await readTexts(log, 'a', 0)).map(({ length }) => length)).toEqual([large.length]);
    await log.close();
  });

  test('costs one fdatasync and no fsync a commit', async () => {
    const disk = newDisk();
    const counted = { fdatasync: 0, fsync: 0 };
    const metrics: Metrics = {
      add(name, by, labels) {
        const kind = labels?.['kind'];
        if (name === 'headwater_disk_syncs_total' && (kind === 'fdatasync' || kind === 'fsync'))
          counted[kind] += by;
      },
      set() {},
      observe() {},
    };
    const log = await openLog(new CountedDisk(disk.session(), metrics), { journalFileBytes: 256 * 1024 });
    await log.createTopic('a', 8);
    // The spare file, taken out of the reserve, its number, and the spare of the next one.
    await until('the spare file is ready', () => disk.counts.fsync === 4);
    const before = { disk: { ...disk.counts }, counted: { ...counted } };
    for (let commit = 0; commit < 10; commit += 1)
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          log.append([textRecord('a', 'x', { partition: index % 8 })]),
        ),
      );
    expect(disk.counts).toEqual({
      writes: before.disk.writes + 10,
      fdatasync: before.disk.fdatasync + 10,
      fsync: before.disk.fsync,
    });
    expect(counted).toEqual({ fdatasync: before.counted.fdatasync + 10, fsync: before.counted.fsync });
    await log.close();
  });
});

describe('topics', () => {
  test('are created, listed and grown, and never shrink', async () => {
    const log = await openWith({ a: 2 });
    await log.growTopic('a', 1);
    await log.growTopic('a', 3);
    await log.growTopic('b', 1);
    expect(log.topics()).toEqual([
      { name: 'a', partitions: 3, settings: {} },
      { name: 'b', partitions: 1, settings: {} },
    ]);
    expect(log.partitions().map(({ topic, partition }) => `${topic}-${partition}`)).toEqual([
      'a-0',
      'a-1',
      'a-2',
      'b-0',
    ]);
    await log.close();
  });

  test('are refused with what to do next when they cannot be', async () => {
    const log = await openWith({ a: 2, b: 64, c: 64, d: 64 });
    await expect(log.createTopic('a', 2)).rejects.toMatchObject({ code: 'topic-exists' });
    for (const name of ['', '.', '..', 'ä', 'a b', 'a/b', 'x'.repeat(250)])
      await expect(log.createTopic(name, 1)).rejects.toMatchObject({ code: 'illegal-topic' });
    for (const partitions of [0, -1, 1.5, Number.NaN, 65])
      await expect(log.createTopic('e', partitions)).rejects.toMatchObject({ code: 'illegal-partition' });
    await expect(log.createTopic('e', 63)).rejects.toMatchObject({ code: 'too-many-partitions' });
    await expect(log.growTopic('a', 65)).rejects.toMatchObject({ code: 'illegal-partition' });
    await log.createTopic('e', 62);
    await log.close();
  });
});

describe('reading', () => {
  test('is refused outside of what a partition holds', async () => {
    const log = await openWith({ a: 1 });
    await log.append([textRecord('a', 'x')]);
    await expect(log.read('b', 0, 0, 1000)).rejects.toMatchObject({ code: 'unknown-topic' });
    await expect(log.read('a', 1, 0, 1000)).rejects.toMatchObject({ code: 'illegal-partition' });
    for (const offset of [-1, 2, 0.5, Number.NaN])
      await expect(log.read('a', 0, offset, 1000)).rejects.toMatchObject({ code: 'offset-out-of-range' });
    expect(() => log.lives('b', 0)).toThrowError(expect.objectContaining({ code: 'unknown-topic' }));
    await log.close();
  });

  test('far behind the tail goes through all files, from any offset, in pieces of any size', async () => {
    const disk = newDisk();
    const texts = Array.from({ length: 60 }, (_, index) => `record ${index}`);
    const log = await openWith({ a: 1, other: 1 }, disk, { sealer: neverSeal });
    for (const text of texts)
      await log.append([textRecord('a', text), textRecord('other', text), textRecord('a', `${text} again`)]);
    expect(log.stats().journalFiles).toBeGreaterThan(8);
    await log.close();
    const all = texts.flatMap((text) => [text, `${text} again`]);
    const again = await openLog(disk.session(), { sealer: neverSeal });
    for (const bytesMax of [0, 1, 200, 1_000_000])
      expect(await readTexts(again, 'a', 0, 0, bytesMax)).toEqual(all);
    for (let offset = 0; offset <= all.length; offset += 7)
      expect(await readTexts(again, 'a', 0, offset)).toEqual(all.slice(offset));
    const atOnce = await Promise.all(Array.from({ length: 8 }, () => readTexts(again, 'other', 0)));
    for (const found of atOnce) expect(found).toEqual(texts);
    await again.close();
  });

  test('keeps no more indexes of files in memory than the limit, however long the log runs', async () => {
    const disk = newDisk();
    let opened = 0;
    const session = disk.session();
    const counting: Disk = {
      ...session,
      open(path) {
        if (path.endsWith('.journal')) opened += 1;
        return session.open(path);
      },
    };
    const log = await openLog(counting, { journalFileBytes: 16 * 1024, sealer: neverSeal });
    await log.createTopic('a', 1);
    // Large enough to push everything out of the tail in the end.
    const text = new SimRandom(2).bytes(6_000);
    while (log.stats().journalFiles < 2 * limits.fileIndexesMax)
      await log.append([textRecord('a', '', { value: text })]);
    for (let pushed = 0; pushed <= limits.tailBytesMax; pushed += 800_000)
      await log.append([textRecord('a', '', { value: new SimRandom(pushed).bytes(800_000) })]);
    opened = 0;
    await log.read('a', 0, 0, 1);
    expect(opened).toBe(2);
    opened = 0;
    await log.read('a', 0, 0, 1);
    expect(opened).toBe(0);
    await log.close();
  });

  test('tells listeners of each commit until they stop', async () => {
    const log = await openWith({ a: 1 });
    let calls = 0;
    const stop = log.onCommit(() => {
      calls += 1;
      expect(log.partitions()[0]?.highWatermark).toBe(calls);
    });
    await log.append([textRecord('a', 'x')]);
    await log.append([textRecord('a', 'y')]);
    stop();
    await log.append([textRecord('a', 'z')]);
    expect(calls).toBe(2);
    await log.close();
  });
});

describe('opening again', () => {
  test('gives the same topics, records and log id, and another life', async () => {
    const disk = newDisk();
    const log = await openWith({ a: 2, b: 1 }, disk);
    await log.append([textRecord('a', 'x', { partition: 1 }), textRecord('b', 'y')]);
    const before = { topics: log.topics(), partitions: log.partitions(), logId: log.logId };
    const [first] = log.lives('a', 1);
    await log.close();
    const again = await openLog(disk.session());
    expect({ topics: again.topics(), partitions: again.partitions(), logId: again.logId }).toEqual(before);
    expect(again.logId).toMatch(/^[0-9a-f]{32}$/);
    expect(again.stats()).toMatchObject({ commits: 0, lastCommitMs: null });
    expect(await readTexts(again, 'a', 1)).toEqual(['x']);
    await again.append([textRecord('a', 'z', { partition: 1 })]);
    const lives = again.lives('a', 1);
    expect(lives).toEqual([first, { life: expect.stringMatching(/^[0-9a-f]{32}$/), firstOffset: 1 }]);
    expect(lives[1]?.life).not.toBe(first?.life);
    expect(again.lives('a', 0)).toEqual([]);
    await again.close();
    const third = await openLog(disk.session());
    expect(third.lives('a', 1)).toEqual(lives);
    await third.close();
  });

  test('gives back what the mirror saved last, however many files were written since', async () => {
    const disk = newDisk();
    const log = await openWith({ a: 1 }, disk);
    const save = (values: Record<string, string>): Promise<void> =>
      log.saveMemos(new Map(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)])));
    await save({ first: '1', second: '2' });
    await save({ first: '3', second: '' });
    for (let count = 0; count < 20; count += 1) await log.append([textRecord('a', `record ${count}`)]);
    expect(log.stats().journalFiles).toBeGreaterThan(2);
    // No close: a save that has resolved is durable.
    const again = await openLog(disk.session());
    expect([...again.memos()].map(([key, value]) => `${key}=${Buffer.from(value)}`)).toEqual(['first=3']);
    await again.close();
    await expect(again.saveMemos(new Map([['x', Buffer.from('y')]]))).rejects.toMatchObject({
      code: 'log-unavailable',
    });
  });

  test('saves memos in the commit of the records that they belong to, or neither', async () => {
    const disk = newDisk();
    const log = await openWith({ a: 1, gone: 1 }, disk);
    const memos = new Map([['cursor', Buffer.from('7')]]);
    const { commits } = log.stats();
    await log.append([textRecord('a', 'one')], memos);
    expect(log.stats().commits).toBe(commits + 1);
    expect(Buffer.from(log.memos().get('cursor') ?? []).toString()).toBe('7');
    const deletion = log.deleteTopic('gone');
    const refused = log.append([textRecord('gone', 'two')], new Map([['cursor', Buffer.from('8')]]));
    await expect(refused).rejects.toMatchObject({ code: 'unknown-topic' });
    await deletion;
    await expect(
      log.append([], new Map([['large', new Uint8Array(limits.frameBytesMax)]])),
    ).rejects.toMatchObject({ code: 'record-too-large' });
    await log.close();
    const again = await openLog(disk.session());
    expect(await readTexts(again, 'a', 0)).toEqual(['one']);
    expect([...again.memos()].map(([key, value]) => `${key}=${Buffer.from(value)}`)).toEqual(['cursor=7']);
    await again.close();
  });

  test('after damage in the middle keeps what is behind it, serves a gap, and says what is lost', async () => {
    const disk = newDisk();
    const log = await openWith({ a: 1 }, disk);
    for (const text of ['one', 'two', 'three']) await log.append([textRecord('a', text)]);
    await log.close();
    const session = disk.session();
    const name = (await session.list('journal'))
      .filter((one) => one.endsWith('.journal'))
      .sort()
      .at(-1);
    const file = await session.open(`journal/${name}`);
    // Header, the topic's commit, «one», and then «two».
    await file.writeAt(Buffer.alloc(100, 0xff), 3 * limits.journalBlockBytes);
    const again = await openLog(session);
    expect(await readTexts(again, 'a', 0, 0, 1)).toEqual(['one', 'three']);
    expect(again.partitions()[0]?.highWatermark).toBe(3);
    await again.close();
  });

  test('after damage of the commit that created a topic still starts and serves its records', async () => {
    const disk = newDisk();
    const log = await openWith({ a: 1 }, disk);
    for (const text of ['one', 'two']) await log.append([textRecord('a', text)]);
    await log.close();
    const session = disk.session();
    const name = (await session.list('journal'))
      .filter((one) => one.endsWith('.journal'))
      .sort()
      .at(-1);
    const file = await session.open(`journal/${name}`);
    await file.writeAt(Buffer.alloc(100, 0xff), limits.journalBlockBytes);
    const again = await openLog(session);
    expect(again.topics()).toEqual([{ name: 'lost-name-1', partitions: 1, settings: {} }]);
    expect(await readTexts(again, 'lost-name-1', 0)).toEqual(['one', 'two']);
    await again.createTopic('a', 1);
    await again.append([textRecord('a', 'three')]);
    await again.close();
    const third = await openLog(session);
    expect(await readTexts(third, 'a', 0)).toEqual(['three']);
    expect(await readTexts(third, 'lost-name-1', 0)).toEqual(['one', 'two']);
    await third.close();
  });

  test('moves a file with a damaged header to the quarantine and serves the others', async () => {
    const disk = newDisk();
    const log = await openWith({ a: 1 }, disk, { sealer: neverSeal });
    for (let count = 0; count < 20; count += 1) await log.append([textRecord('a', `record ${count}`)]);
    await log.close();
    const session = disk.session();
    const names = (await session.list('journal')).filter((one) => one.endsWith('.journal')).sort();
    const file = await session.open(`journal/${names[1]}`);
    await file.writeAt(Buffer.from([0xff]), 40);
    const again = await openLog(session);
    expect(await session.list('quarantine')).toEqual([names[1]]);
    const found = await readRecords(again, 'a', 0);
    expect(found.length).toBeLessThan(20);
    expect(found.at(-1)?.offset).toBe(19);
    for (const { offset, value } of found) expect(String(value)).toBe(`record ${offset}`);
    await again.close();
  });

  test('takes a header that the medium refuses to read for damage, unless it refuses all of them', async () => {
    const disk = newDisk();
    const log = await openWith({ a: 1 }, disk, { sealer: neverSeal });
    for (let count = 0; count < 20; count += 1) await log.append([textRecord('a', `record ${count}`)]);
    await log.close();
    const names = [...(await disk.session().list('journal'))]
      .filter((one) => one.endsWith('.journal'))
      .sort();
    const refusing = (isRefused: (path: string) => boolean): Disk => {
      const session = disk.session();
      const open = async (path: string): Promise<DiskFile> => {
        const file = await session.open(path);
        const readAt = (): Promise<number> =>
          Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'read' }));
        return isRefused(path) ? { ...file, readAt } : file;
      };
      return { ...session, open };
    };
    const all = refusing((path) => path.endsWith('.journal'));
    await expect(openLog(all)).rejects.toMatchObject({ code: 'EIO' });
    expect(await disk.session().list('quarantine')).toEqual([]);
    const again = await openLog(refusing((path) => path === `journal/${names[1]}`));
    expect((await readRecords(again, 'a', 0)).at(-1)?.offset).toBe(19);
    await again.close();
    expect(await disk.session().list('quarantine')).toEqual([names[1]]);
  });

  test('is refused for a folder that a later version wrote, and nothing is changed', async () => {
    const disk = newDisk();
    const session = disk.session();
    const log = await openLog(session, { version: '9.0.0' });
    await log.close();
    const [name] = (await session.list('journal')).filter((one) => one.endsWith('.journal'));
    const file = await session.open(`journal/${name}`);
    const header = Buffer.alloc(limits.journalBlockBytes);
    await file.readAt(header, 0);
    header.writeUInt16BE(2, 16);
    header.writeUInt32BE(crc32c(header.subarray(12, header.readUInt32BE(12))), 8);
    await file.writeAt(header, 0);
    const before = await session.list('journal');
    await expect(openLog(session)).rejects.toMatchObject({
      code: 'unreadable-format',
      message: expect.stringContaining('Headwater 9.0.0'),
    });
    expect(await session.list('journal')).toEqual(before);
  });
});
