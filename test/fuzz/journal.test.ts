import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Disk } from '../../src/core/disk.ts';
import { limits } from '../../src/core/limits.ts';
import { openLog, readRecords, textRecord } from '../support/log-on-disk.ts';
import { SimDisk } from '../support/sim-disk.ts';
import { SimRandom } from '../support/sim-random.ts';

type Files = ReadonlyMap<string, Buffer>;

const textOf = (topic: string, offset: number): string =>
  `${topic}@${offset}`.padEnd((offset % 5) * 700, '.');

/** The files of a log of two lives with several files, frames of one and of more blocks, and topics made late. */
async function smallLog(): Promise<Files> {
  const disk = new SimDisk(new SimRandom(1));
  const offsets = { a: 0, b: 0 };
  for (const topic of ['a', 'b'] as const) {
    const log = await openLog(disk.session(), { journalFileBytes: 10 * limits.journalBlockBytes });
    await log.createTopic(topic, 1);
    for (let commit = 0; commit < 14; commit += 1) {
      const known = commit % 2 === 0 ? 'a' : topic;
      const records = Array.from({ length: 1 + (commit % 3) }, () =>
        textRecord(known, textOf(known, offsets[known]++)),
      );
      await log.append(records);
    }
    await log.close();
  }
  return await filesOf(disk.session());
}

async function filesOf(disk: Disk): Promise<Files> {
  const files = new Map<string, Buffer>();
  for (const name of await disk.list('journal')) {
    const file = await disk.open(`journal/${name}`);
    const bytes = Buffer.alloc(await file.size());
    await file.readAt(bytes, 0);
    files.set(name, bytes);
  }
  return files;
}

async function diskWith(files: Files): Promise<Disk> {
  const disk = new SimDisk(new SimRandom(7)).session();
  for (const [name, bytes] of files) {
    const file = await disk.create(`journal/${name}`);
    await file.writeAt(bytes, 0);
    await file.sync();
  }
  await disk.syncFolder('journal');
  return disk;
}

interface Damage {
  readonly kind: 'bit' | 'noise' | 'zeros' | 'cut' | 'removed' | 'block copied';
  /** Where, as fractions: of the files, and of the bytes in it. */
  readonly file: number;
  readonly at: number;
  readonly sizeBytes: number;
}

const fraction = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom('bit', 'bit', 'noise', 'zeros', 'cut', 'removed', 'block copied'),
  file: fraction,
  at: fraction,
  sizeBytes: fc.integer({ min: 1, max: 9000 }),
});

function apply(files: Map<string, Buffer>, { kind, file, at, sizeBytes }: Damage): void {
  const block = limits.journalBlockBytes;
  const names = [...files.keys()];
  const name = names[Math.floor(file * names.length)];
  const bytes = Buffer.from(files.get(name ?? '') ?? []);
  if (name === undefined || bytes.length === 0) return;
  const position = Math.floor(at * bytes.length);
  if (kind === 'bit') bytes[position] = (bytes[position] ?? 0) ^ (1 << (sizeBytes % 8));
  if (kind === 'noise')
    bytes.set(new SimRandom(sizeBytes).bytes(Math.min(sizeBytes, bytes.length - position)), position);
  if (kind === 'zeros') bytes.fill(0, position, Math.min(position + sizeBytes, bytes.length));
  if (kind === 'block copied') {
    const source = Math.floor(((sizeBytes / 9001) * bytes.length) / block) * block;
    bytes.copyWithin(Math.floor(position / block) * block, source, source + block);
  }
  files.set(name, kind === 'cut' ? bytes.subarray(0, position) : bytes);
  if (kind === 'removed') files.delete(name);
}

test('whatever the medium does to the files, the log opens, and serves no value that was not appended there', async () => {
  const whole = await smallLog();
  const topics = ['a', 'b'];
  let served = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { maxLength: 6 }), async (damages) => {
      const files = new Map(whole);
      for (const one of damages) apply(files, one);
      const disk = await diskWith(files);
      const log = await openLog(disk);
      for (const { name } of log.topics()) {
        const topic = topics[Number(/^lost-name-(\d+)$/.exec(name)?.[1] ?? 0) - 1] ?? name;
        let last = -1;
        for (const { offset, value } of await readRecords(log, name, 0)) {
          expect(offset).toBeGreaterThan(last);
          expect(String(value)).toBe(textOf(topic, offset));
          last = offset;
          served += 1;
        }
      }
      for (const { name } of log.topics()) await log.append([textRecord(name, 'after')]);
      await log.close();
      const again = await openLog(disk);
      expect(again.topics()).toEqual(log.topics());
      await again.close();
    }),
    { numRuns: 250, examples: [[[]]] },
  );
  expect(served).toBeGreaterThan(1000);
});
