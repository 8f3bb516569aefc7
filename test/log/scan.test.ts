import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { buildFrame, encodeFrame } from '../../src/log/journal/frame.ts';
import { type ScanRange, type ScanResult, scanFrames } from '../../src/log/journal/scan.ts';

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
