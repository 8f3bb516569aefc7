import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import {
  buildFrame,
  decodeFrame,
  encodeFrame,
  frameEntries,
  frameHeaderBytes,
  frameSizeBytes,
} from '../../src/log/journal/frame.ts';
import { SimRandom } from '../support/sim-random.ts';

const salt = Buffer.from('0102030405060708', 'hex');
const entries = Buffer.from('some entries of one commit');
const frame = buildFrame(7, 3, entries);
const bytes = Buffer.from(encodeFrame(frame, salt));
const end = frameHeaderBytes + entries.length;

describe('a frame', () => {
  test('comes back from whole blocks, wherever it lies in the file', () => {
    const file = Buffer.concat([Buffer.alloc(limits.journalBlockBytes, 1), bytes]);
    const decoded = decodeFrame(file, limits.journalBlockBytes, salt);
    expect(bytes.length % limits.journalBlockBytes).toBe(0);
    expect(decoded).toMatchObject({ commitNumber: 7, lifeOrdinal: 3 });
    expect(decoded && Buffer.from(frameEntries(decoded))).toEqual(entries);
  });

  test('does not exist after any bit flip', () => {
    for (let bit = 0; bit < end * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >>> 3] = (damaged[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeFrame(damaged, 0, salt), `bit ${bit}`).toBeUndefined();
    }
  });

  test('does not exist when it is cut anywhere', () => {
    for (let cut = 0; cut < end; cut += 1) {
      expect(decodeFrame(bytes.subarray(0, cut), 0, salt), `cut at ${cut}`).toBeUndefined();
      const torn = Buffer.from(bytes).fill(0, cut, end);
      if (!torn.equals(bytes)) expect(decodeFrame(torn, 0, salt), `torn at ${cut}`).toBeUndefined();
    }
  });

  test('does not exist for a file with another salt', () => {
    expect(decodeFrame(bytes, 0, Buffer.from('0102030405060709', 'hex'))).toBeUndefined();
  });

  test('is smaller when its entries compress, and the same again when read', () => {
    const repetitive = Buffer.alloc(40_000, '{"sensor":"a","value":21.5}');
    const compressed = buildFrame(8, 3, repetitive);
    expect(frameSizeBytes(compressed)).toBe(limits.journalBlockBytes);
    const decoded = decodeFrame(encodeFrame(compressed, salt), 0, salt);
    expect(decoded && Buffer.from(frameEntries(decoded)).equals(repetitive)).toBe(true);
  });

  test('is stored as it is when compressing saves no block', () => {
    const noise = new SimRandom(1).bytes(20_000);
    expect(buildFrame(8, 3, noise).stored).toBe(noise);
    expect(buildFrame(8, 3, Buffer.alloc(3_000)).stored).toHaveLength(3_000);
  });

  test('of a codec that this version does not know is refused', () => {
    expect(() => frameEntries({ ...frame, codec: 9 })).toThrowError(/codec 9/);
  });
});
