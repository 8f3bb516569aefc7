import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ReadableDisk } from '../../src/core/disk.ts';
import { limits } from '../../src/core/limits.ts';
import { buildFrame, encodeFrame } from '../../src/log/journal/frame.ts';
import {
  type LocatedFrame,
  type ScanRange,
  type ScanResult,
  scanFile,
  scanFrames,
} from '../../src/log/journal/scan.ts';
import { SimRandom } from '../support/sim-random.ts';

const block = limits.journalBlockBytes;
const salt = Buffer.from('a salt 1');
const otherSalt = Buffer.from('a salt 2');
const range: ScanRange = {
  salt,
  startPosition: block,
  firstCommit: 10,
  endCommit: Number.POSITIVE_INFINITY,
};

const frameBytes = (commitNumber: number, ofSalt = salt, sizeBytes = 20): Buffer =>
  Buffer.from(encodeFrame(buildFrame(commitNumber, 1, Buffer.alloc(sizeBytes, commitNumber)), ofSalt));

/** A file with a header of one block, these frames one after the other, and two blocks of zeros. */
const file = (...frames: Buffer[]): Buffer =>
  Buffer.concat([Buffer.alloc(block, 0xee), ...frames, Buffer.alloc(2 * block)]);

const commits = ({ frames }: ScanResult): number[] => frames.map(({ frame }) => frame.commitNumber);

describe('the scan of a journal file', () => {
  test('finds the frames of a whole file and no damage', () => {
    const result = scanFrames(file(frameBytes(10), frameBytes(11), frameBytes(12)), range);
    expect(commits(result)).toEqual([10, 11, 12]);
    expect(result.frames.map(({ position }) => position)).toEqual([block, 2 * block, 3 * block]);
    expect(result.damage).toEqual([]);
  });

  test('cuts a tail that is torn at any byte, and calls it no damage', () => {
    const whole = file(frameBytes(10), frameBytes(11));
    const frameEnd = 2 * block + 48 + 20;
    for (let cut = 2 * block; cut < frameEnd; cut += 1) {
      const torn = scanFrames(Buffer.from(whole).fill(0, cut, frameEnd), range);
      const shorter = scanFrames(whole.subarray(0, cut), range);
      for (const result of [torn, shorter]) {
        expect(commits(result), `torn at ${cut}`).toEqual([10]);
        expect(result.damage).toEqual([]);
      }
    }
  });

  test('keeps valid frames behind damage, and says which commits are lost', () => {
    const bytes = file(frameBytes(10), frameBytes(11), frameBytes(12), frameBytes(13));
    bytes.fill(0xff, 2 * block + 50, 3 * block + 60);
    const result = scanFrames(bytes, range);
    expect(commits(result)).toEqual([10, 13]);
    expect(result.damage).toEqual([
      { position: 2 * block, sizeBytes: 2 * block, firstCommit: 11, endCommit: 13 },
    ]);
  });

  test('reports damage of the first frame', () => {
    const bytes = file(frameBytes(10), frameBytes(11));
    bytes.fill(0, block, 2 * block);
    expect(scanFrames(bytes, range).damage).toEqual([
      { position: block, sizeBytes: block, firstCommit: 10, endCommit: 11 },
    ]);
  });

  test('does not count frames that a newer file speaks about', () => {
    const result = scanFrames(file(frameBytes(10), frameBytes(11), frameBytes(12)), {
      ...range,
      endCommit: 11,
    });
    expect(commits(result)).toEqual([10]);
    expect(result.damage).toEqual([]);
  });

  test('reports commits that are missing before a newer file’s first one', () => {
    const bytes = file(frameBytes(10));
    expect(scanFrames(bytes, { ...range, endCommit: 13 }).damage).toEqual([
      { position: 2 * block, sizeBytes: bytes.length - 2 * block, firstCommit: 11, endCommit: 13 },
    ]);
  });

  test('does not count frames that an earlier use of the file left behind, whatever their number', () => {
    const stale = [frameBytes(11, otherSalt), frameBytes(12, otherSalt)];
    const result = scanFrames(file(frameBytes(10), ...stale), range);
    expect(commits(result)).toEqual([10]);
    expect(result.damage).toEqual([]);
  });

  test('does not count a frame with a number that was there already', () => {
    const result = scanFrames(file(frameBytes(10), frameBytes(11), frameBytes(10), frameBytes(12)), range);
    expect(commits(result)).toEqual([10, 11, 12]);
  });

  test('does not take what lies inside a frame of several blocks for a frame', () => {
    const inner = frameBytes(11);
    const entries = Buffer.concat([Buffer.alloc(block - 48, 7), inner, Buffer.alloc(100, 7)]);
    const outer = Buffer.from(encodeFrame({ ...buildFrame(10, 1, Buffer.alloc(0)), stored: entries }, salt));
    const result = scanFrames(file(outer, frameBytes(11)), range);
    expect(result.frames.map(({ position }) => position)).toEqual([block, block + outer.length]);
  });
});

/** The frames with bytes of their own, as a visitor must take them to keep them. */
const copyOf = ({ frame, ...place }: LocatedFrame): LocatedFrame => ({
  ...place,
  frame: { ...frame, stored: Buffer.from(frame.stored) },
});

/** What is wrong with a file: a block that the medium refuses to read, or an end that is gone since its size was asked. */
interface Fault {
  readonly block?: number;
  readonly cutAt?: number;
}

const diskWith = (bytes: Uint8Array, fault: Fault): ReadableDisk => ({
  list: () => Promise.resolve([]),
  open: () =>
    Promise.resolve({
      size: () => Promise.resolve(bytes.length),
      readAt(into: Uint8Array, at: number): Promise<number> {
        const end = Math.min(at + into.length, fault.cutAt ?? bytes.length);
        const badAt = (fault.block ?? Number.POSITIVE_INFINITY) * block;
        if (at < badAt + block && end > badAt)
          return Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'read' }));
        if (end > at) into.set(bytes.subarray(at, end));
        return Promise.resolve(Math.max(0, end - at));
      },
      close: () => Promise.resolve(),
    }),
});

/** The same by reading piece by piece. */
async function scanInWindows(
  bytes: Uint8Array,
  of: ScanRange,
  windowBytesMin?: number,
  fault: Fault = {},
): Promise<ScanResult> {
  const frames: LocatedFrame[] = [];
  const visit = (one: LocatedFrame): void => void frames.push(copyOf(one));
  const found = await scanFile(diskWith(bytes, fault), 'file', of, visit, windowBytesMin);
  return { frames, ...found };
}

const pieces = fc.oneof(
  { weight: 6, arbitrary: fc.record({ commit: fc.integer({ min: 9, max: 16 }), sizeBytes: fc.nat(30_000) }) },
  { weight: 1, arbitrary: fc.record({ blocks: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ stale: fc.nat(9000) }) },
);

test('a file read in windows of any size holds the same frames and damage as one read whole', async () => {
  const property = fc.asyncProperty(
    fc.array(pieces, { maxLength: 12 }),
    fc.array(fc.nat(200_000), { maxLength: 3 }),
    fc.integer({ min: block, max: 20 * block }),
    fc.constantFrom(13, Number.POSITIVE_INFINITY),
    fc.option(fc.nat(30), { nil: undefined }),
    async (parts, damaged, windowBytes, endCommit, refused) => {
      const bytes = file(
        ...parts.map((part) => {
          if ('blocks' in part) return Buffer.alloc(part.blocks * block, 0xdd);
          if ('stale' in part) return frameBytes(11, otherSalt, part.stale);
          // Random bytes do not become smaller by compression.
          const stored = Buffer.from(new SimRandom(part.sizeBytes).bytes(part.sizeBytes));
          return Buffer.from(encodeFrame(buildFrame(part.commit, 1, stored), salt));
        }),
      );
      for (const at of damaged) if (at < bytes.length) bytes.writeUInt8(0xa5, at);
      const of = { ...range, endCommit };
      const fault = refused === undefined ? {} : { block: refused };
      const found = await scanInWindows(bytes, of, windowBytes, fault);
      // What the medium refuses counts as zeros.
      if (refused !== undefined) bytes.subarray(refused * block, (refused + 1) * block).fill(0);
      const whole = scanFrames(bytes, of);
      expect(found).toEqual({ ...whole, frames: whole.frames.map(copyOf) });
    },
  );
  await fc.assert(property, { numRuns: 200 });
});

test('a frame that claims to be larger than the file is not waited for', async () => {
  const bytes = file(frameBytes(10), frameBytes(11), frameBytes(12));
  bytes.writeUInt32BE(limits.frameBytesMax - 48, 2 * block + 24);
  const found = await scanInWindows(bytes, range, block);
  expect(commits(found)).toEqual([10, 12]);
  expect(found.damage).toEqual([{ position: 2 * block, sizeBytes: block, firstCommit: 11, endCommit: 12 }]);
});

test('a file that is shorter by now than it said holds what is left of it', async () => {
  const bytes = file(frameBytes(10), frameBytes(11), frameBytes(12));
  for (const cutAt of [0, 100, block, 2 * block, 2 * block + 100, 3 * block]) {
    const found = await scanInWindows(bytes, range, 2 * block, { cutAt });
    const whole = Math.max(0, Math.floor(cutAt / block) - 1);
    expect(commits(found), `cut at ${cutAt}`).toEqual([10, 11, 12].slice(0, whole));
  }
});
