import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { limits } from '../../core/limits.ts';
import { malformed, release } from '../encoding/bytes.ts';
import { crc32c } from '../encoding/crc32c.ts';

/*
 * A frame is one commit. It starts on a block of its own; the rest of its last block is zero.
 *
 *   0 magic 'HWFR'                       24 stored length uint32   36 codec uint8 (0 none, 1 zstd)
 *   4 CRC32C of 8 to the stored end      28 raw length uint32      37 reserved, zero
 *   8 salt of the file, 8 bytes          32 life ordinal int32     48 the entries, as stored
 *  16 commit number int64
 */
export const frameHeaderBytes = 48;
const magic = Buffer.from('HWFR', 'latin1');
const codecNone = 0;
const codecZstd = 1;

/** What a frame holds apart from the file it is in: a copy in another file differs in the salt only. */
export interface Frame {
  readonly commitNumber: number;
  /** The life that wrote it; a copied frame keeps its life. */
  readonly lifeOrdinal: number;
  readonly codec: number;
  readonly rawBytes: number;
  /** The entries, compressed as `codec` says. */
  readonly stored: Uint8Array;
}

/** Compresses the entries where that saves at least a block of the disk. */
export function buildFrame(commitNumber: number, lifeOrdinal: number, entries: Uint8Array): Frame {
  const plain = { commitNumber, lifeOrdinal, codec: codecNone, rawBytes: entries.length, stored: entries };
  if (frameSizeBytes(plain) <= limits.frameCompressBytesMin) return plain;
  const compressed = { ...plain, codec: codecZstd, stored: zstdCompressSync(entries, zstdOptions) };
  return frameSizeBytes(compressed) < frameSizeBytes(plain) ? compressed : plain;
}

// Level 1: higher levels gain nothing on readings (measured), and cost commits their latency.
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Bytes on the disk, whole blocks. */
export function frameSizeBytes(frame: { readonly stored: Uint8Array }): number {
  const block = limits.journalBlockBytes;
  return Math.ceil((frameHeaderBytes + frame.stored.length) / block) * block;
}

/** The frame as written into the file with this salt. */
export function encodeFrame(frame: Frame, salt: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(frameSizeBytes(frame));
  const end = frameHeaderBytes + frame.stored.length;
  magic.copy(bytes, 0);
  bytes.set(salt, 8);
  bytes.writeBigInt64BE(BigInt(frame.commitNumber), 16);
  bytes.writeUInt32BE(frame.stored.length, 24);
  bytes.writeUInt32BE(frame.rawBytes, 28);
  bytes.writeInt32BE(frame.lifeOrdinal, 32);
  bytes.writeUInt8(frame.codec, 36);
  bytes.set(frame.stored, frameHeaderBytes);
  bytes.writeUInt32BE(crc32c(bytes.subarray(8, end)), 4);
  return bytes;
}

/**
 * The frame that starts at `at`, or undefined if there is no whole valid one of the file with this salt. The
 * stored bytes are a view.
 */
export function decodeFrame(file: Uint8Array, at: number, salt: Uint8Array): Frame | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset + at, file.length - at);
  const end = claimedFrameBytes(file, at, salt);
  if (end === 0 || end > bytes.length) return undefined;
  if (bytes.readUInt32BE(4) !== crc32c(bytes.subarray(8, end))) return undefined;
  return {
    commitNumber: Number(bytes.readBigInt64BE(16)),
    lifeOrdinal: bytes.readInt32BE(32),
    codec: bytes.readUInt8(36),
    rawBytes: bytes.readUInt32BE(28),
    stored: bytes.subarray(frameHeaderBytes, end),
  };
}

/** How long the frame at `at` says it is, header included; 0 if none of the file with this salt begins there. */
export function claimedFrameBytes(file: Uint8Array, at: number, salt: Uint8Array): number {
  const bytes = Buffer.from(file.buffer, file.byteOffset + at, file.length - at);
  if (bytes.length < frameHeaderBytes || !bytes.subarray(0, 4).equals(magic)) return 0;
  if (!bytes.subarray(8, 16).equals(salt)) return 0;
  const end = frameHeaderBytes + bytes.readUInt32BE(24);
  return end > limits.frameBytesMax ? 0 : end;
}

/**
 * Whether a frame with this number was begun at `at`, though it is not whole now: two of its three marks are there. The
 * third may be among what is damaged.
 */
export function isTornFrame(file: Uint8Array, at: number, salt: Uint8Array, commitNumber: number): boolean {
  const bytes = Buffer.from(file.buffer, file.byteOffset + at, file.length - at);
  if (bytes.length < frameHeaderBytes) return false;
  const marks = [
    bytes.subarray(0, 4).equals(magic),
    bytes.subarray(8, 16).equals(salt),
    bytes.readBigInt64BE(16) === BigInt(commitNumber),
  ];
  return marks.filter((isThere) => isThere).length >= 2;
}

/** Gives the memory of entries back that `frameEntries` made of this frame; no view of them may be used afterwards. */
export function releaseEntries(frame: Frame, entries: Uint8Array): void {
  if (frame.codec !== codecNone) release(entries);
}

/**
 * The entries of a frame, uncompressed.
 * @throws OperatingError `unreadable-format` for a codec of a later version.
 */
export function frameEntries(frame: Frame): Uint8Array {
  if (frame.codec === codecNone) return frame.stored;
  if (frame.codec !== codecZstd) throw malformed(`frame (codec ${frame.codec})`);
  // One piece of the right size: pieces that are put together are garbage that is collected late.
  return zstdDecompressSync(frame.stored, {
    maxOutputLength: Math.max(1, frame.rawBytes),
    chunkSize: Math.max(limits.zstdChunkBytesMin, frame.rawBytes + 1),
  });
}
