import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { crc32c } from '../../src/log/encoding/crc32c.ts';
import {
  decodeFileHeader,
  encodeFileHeader,
  type FileHeader,
  headerSizeBytes,
} from '../../src/log/journal/file-header.ts';

const header: FileHeader = {
  logId: '0123456789abcdef0123456789abcdef',
  life: { ordinal: 4, lifeId: 'aa'.repeat(16) },
  copiedLife: { ordinal: 3, lifeId: 'bb'.repeat(16) },
  sequence: 12,
  salt: Buffer.from('0102030405060708', 'hex'),
  firstCommit: 1_000_000_007,
  createdWallMs: 1_700_000_000_000,
  writer: '1.2.3',
  snapshot: Buffer.from('the state before'),
};
const bytes = Buffer.from(encodeFileHeader(header));
const usedBytes = bytes.readUInt32BE(12);

/** The header as another version of this product would have written it. */
function withFormatVersion(version: number): Buffer {
  const other = Buffer.from(bytes);
  other.writeUInt16BE(version, 16);
  other.writeUInt32BE(crc32c(other.subarray(12, usedBytes)), 8);
  return other;
}

describe('the header of a journal file', () => {
  test('comes back from whole blocks', () => {
    expect(bytes.length).toBe(limits.journalBlockBytes);
    expect(headerSizeBytes(bytes)).toBe(bytes.length);
    const decoded = decodeFileHeader(bytes);
    expect(decoded).toEqual(header);
    expect(
      decodeFileHeader(encodeFileHeader({ ...header, copiedLife: undefined }))?.copiedLife,
    ).toBeUndefined();
  });

  test('takes as many blocks as its snapshot needs', () => {
    const large = encodeFileHeader({ ...header, snapshot: Buffer.alloc(3 * limits.journalBlockBytes, 1) });
    expect(large.length).toBe(4 * limits.journalBlockBytes);
    expect(decodeFileHeader(large)?.snapshot).toHaveLength(3 * limits.journalBlockBytes);
  });

  test('is damage after any bit flip', () => {
    for (let bit = 0; bit < usedBytes * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >>> 3] = (damaged[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeFileHeader(damaged), `bit ${bit}`).toBeUndefined();
    }
  });

  test('is damage when it is cut anywhere, and when the file is all zero', () => {
    for (let end = 0; end < bytes.length; end += 7)
      expect(decodeFileHeader(bytes.subarray(0, end))).toBeUndefined();
    expect(decodeFileHeader(Buffer.alloc(limits.journalBlockBytes))).toBeUndefined();
  });

  test('of a later format is refused, and the message names the version that wrote it', () => {
    expect(() => decodeFileHeader(withFormatVersion(2))).toThrowError(
      expect.objectContaining({
        code: 'unreadable-format',
        message: expect.stringMatching(
          /Headwater 1\.2\.3 in journal format 2.*start that version or a later one/,
        ),
      }),
    );
  });

  test('of a format that never was is refused', () => {
    expect(() => decodeFileHeader(withFormatVersion(0))).toThrowError(/malformed journal file header/);
  });
});
