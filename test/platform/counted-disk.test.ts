import { expect, test } from 'vitest';
import type { DiskFile } from '../../src/core/disk.ts';
import { limits } from '../../src/core/limits.ts';
import type { Metrics } from '../../src/core/metrics.ts';
import { CountedDisk, type WrittenBytes, writtenKinds } from '../../src/platform/counted-disk.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';
import { turns } from '../support/turns.ts';

const block = limits.deviceBlockBytes;
const metadata = limits.metadataSyncBytes;

function countedDisk() {
  const metrics: Record<string, number> = {};
  const counting: Metrics = {
    add(name, by, labels) {
      const key = `${name} ${labels?.['kind']}`;
      metrics[key] = (metrics[key] ?? 0) + by;
    },
    set() {},
    observe() {},
  };
  const sim = new SimDisk(new SimRandom(1));
  const disk = new CountedDisk(sim.session(), counting);
  const written = (kind: string): number => metrics[`headwater_device_bytes_written_total ${kind}`] ?? 0;
  /** What the work gave to the device, by kind, without the kinds that got nothing. */
  const costOf = async (work: () => Promise<unknown>): Promise<Partial<WrittenBytes>> => {
    const before = writtenKinds.map(written);
    await work();
    const costs = writtenKinds.map((kind, index) => [kind, written(kind) - (before[index] ?? 0)] as const);
    return Object.fromEntries(costs.filter(([, bytes]) => bytes !== 0));
  };
  return { sim, disk, metrics, costOf };
}

const bytes = (count: number): Uint8Array => new Uint8Array(count);

/** A file of so many blocks that has waited for its sync. */
async function fileOf(disk: CountedDisk, path: string, blocks: number): Promise<DiskFile> {
  const file = await disk.create(path);
  await file.writeAt(bytes(blocks * block), 0);
  await file.sync();
  return file;
}

test('a write costs every block that it touches, and overwriting costs nothing else', async () => {
  const { disk, costOf } = countedDisk();
  const file = await fileOf(disk, 'journal/1.journal', 8);
  for (const [at, length, blocks] of [
    [0, 1, 1],
    [0, block, 1],
    [block - 1, 2, 2],
    [1, block, 2],
    [2 * block, 3 * block, 3],
    [0, 0, 0],
  ] as const) {
    const cost = await costOf(async () => {
      await file.writeAt(bytes(length), at);
      await file.sync();
    });
    expect(cost).toEqual(blocks === 0 ? {} : { journal: blocks * block });
  }
});

test('a block that is written again before its sync costs once, after it once more', async () => {
  const { disk, costOf } = countedDisk();
  const file = await fileOf(disk, 'journal/1.journal', 8);
  const appendInPieces = async () => {
    for (let at = 0; at < 2 * block; at += 512) await file.writeAt(bytes(512), at);
    await file.sync();
  };
  expect(await costOf(appendInPieces)).toEqual({ journal: 2 * block });
  expect(await costOf(appendInPieces)).toEqual({ journal: 2 * block });
  const apart = async () => {
    for (const at of [0, 4 * block, 2 * block]) await file.writeAt(bytes(1), at);
  };
  expect(await costOf(apart)).toEqual({ journal: 3 * block });
});

test('a sync that changes a length or names costs the file system’s own journal as well', async () => {
  const { disk, costOf } = countedDisk();
  await fileOf(disk, 'topics/a-0/1.log', 1);
  const file = await disk.open('topics/a-0/1.log');
  expect(await costOf(() => file.readAt(bytes(10), 0))).toEqual({});
  expect(await costOf(() => file.writeAt(bytes(10), 0))).toEqual({ segments: block });
  expect(await costOf(() => file.sync())).toEqual({});
  expect(await costOf(() => file.writeAt(bytes(10), block))).toEqual({ segments: block });
  expect(await costOf(() => file.sync())).toEqual({ metadata });
  expect(await costOf(() => file.sync())).toEqual({});
  await file.truncate(10);
  expect(await costOf(() => file.sync())).toEqual({ metadata });
  expect(await costOf(() => disk.rename('topics/a-0/1.log', 'topics/a-0/2.log'))).toEqual({});
  expect(await costOf(() => disk.syncFolder('topics/a-0'))).toEqual({ metadata });
  expect(await costOf(() => disk.makeFolder('topics/b-0'))).toEqual({ metadata });
});

test('the folder tells the kind; the metrics say the same, and count the syncs', async () => {
  const { disk, metrics, costOf } = countedDisk();
  expect(await costOf(() => fileOf(disk, 'journal/spare-1', 3))).toEqual({ journal: 3 * block, metadata });
  expect(await costOf(() => fileOf(disk, 'topics/a-0/1.log', 2))).toEqual({ segments: 2 * block, metadata });
  expect(await costOf(() => fileOf(disk, 'card.json', 1))).toEqual({ other: block, metadata });
  await disk.syncFolder('journal');
  expect(metrics).toEqual({
    'headwater_device_bytes_written_total journal': 3 * block,
    'headwater_device_bytes_written_total segments': 2 * block,
    'headwater_device_bytes_written_total other': block,
    'headwater_device_bytes_written_total metadata': 4 * metadata,
    'headwater_disk_syncs_total fdatasync': 3,
    'headwater_disk_syncs_total fsync': 1,
  });
});

test('what a failing write may have written counts', async () => {
  const { sim, disk, costOf } = countedDisk();
  const file = await fileOf(disk, 'journal/1.journal', 1);
  sim.faults = { writeFails: 1 };
  const failing = () => expect(file.writeAt(bytes(1), 0)).rejects.toThrow('EIO');
  expect(await costOf(failing)).toEqual({ journal: block });
});

test('every call that the disk has answered counts, well or badly, and none that it has not', async () => {
  const { sim, disk } = countedDisk();
  const file = await disk.create('journal/a');
  const steps: readonly (() => Promise<unknown>)[] = [
    () => disk.makeFolder('journal'),
    () => disk.list('journal'),
    () => file.writeAt(bytes(block), 0),
    () => file.readAt(bytes(block), 0),
    () => file.size(),
    () => file.truncate(0),
    () => file.sync(),
    () => file.close(),
    () => disk.rename('journal/a', 'journal/b'),
    () => disk.syncFolder('journal'),
    () => disk.open('journal/b'),
    () => disk.remove('journal/b'),
    () => disk.open('journal/b').catch(() => 'there is none'),
  ];
  for (const step of steps) {
    const before = disk.operations;
    await step();
    expect(disk.operations, step.toString()).toBeGreaterThan(before);
  }
  const before = disk.operations;
  void sim.dieAfter(0);
  void disk.list('journal');
  void disk.list('journal');
  await turns();
  expect(disk.operations).toBe(before);
});
