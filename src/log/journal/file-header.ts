import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { ByteReader, ByteWriter, malformed } from '../encoding/bytes.ts';
import { crc32c } from '../encoding/crc32c.ts';
import type { Life } from '../state/state.ts';

/*
 * The header of a journal file, whole blocks at its beginning:
 *
 *   0 magic 'HWJOURNL'              20 log id, 16 bytes                   76 sequence number int64
 *   8 CRC32C of 12 to the end       36 life id, 16 bytes                  84 salt, 8 bytes
 *  12 length in bytes uint32        52 life ordinal int32                 92 first commit number int64
 *  16 format version uint16         56 life id of the copied frame, 16   100 creation, wall clock ms int64
 *  18 reserved, zero                72 its ordinal int32; -1: no copy    108 version that wrote it, snapshot
 */
const magic = Buffer.from('HWJOURNL', 'latin1');
const formatVersion = 1;
const fixedBytes = 108;
const noCopy = { ordinal: -1, lifeId: '0'.repeat(32) };

export interface FileHeader {
  /** 32 hex digits. */
  readonly logId: string;
  /** The life that owns the file: all frames but a copied one are its. */
  readonly life: Life;
  /** The life of the copied frame, if the first frame is one: it may be the only frame of that life. */
  readonly copiedLife: Life | undefined;
  /** The file's number; higher is newer. */
  readonly sequence: number;
  readonly salt: Uint8Array;
  /** No frame of any older file with this commit number or a higher one counts. */
  readonly firstCommit: number;
  readonly createdWallMs: number;
  /** The product version that wrote the file. */
  readonly writer: string;
  /** The state just before the first commit. */
  readonly snapshot: Uint8Array;
}

/** The header as written, padded to whole blocks: the first frame follows at once. */
export function encodeFileHeader(header: FileHeader): Uint8Array {
  const writer = new ByteWriter(fixedBytes + header.snapshot.length + 64);
  writer.raw(magic);
  writer.uint32(0);
  writer.uint32(0);
  writer.int16(formatVersion);
  writer.int16(0);
  writer.raw(Buffer.from(header.logId, 'hex'));
  writeLife(writer, header.life);
  writeLife(writer, header.copiedLife ?? noCopy);
  writer.int64(header.sequence);
  writer.raw(header.salt);
  writer.int64(header.firstCommit);
  writer.int64(header.createdWallMs);
  writer.text(header.writer);
  writer.block(header.snapshot);
  const block = limits.journalBlockBytes;
  const bytes = Buffer.alloc(Math.ceil(writer.length / block) * block);
  bytes.set(writer.bytes());
  bytes.writeUInt32BE(writer.length, 12);
  bytes.writeUInt32BE(crc32c(bytes.subarray(12, writer.length)), 8);
  return bytes;
}

/** Where the first frame of a file begins whose first block is given, or undefined if that is no header. */
export function headerSizeBytes(firstBlock: Uint8Array): number | undefined {
  const view = Buffer.from(firstBlock.buffer, firstBlock.byteOffset, firstBlock.length);
  if (view.length < fixedBytes || !view.subarray(0, magic.length).equals(magic)) return undefined;
  const block = limits.journalBlockBytes;
  return Math.ceil(view.readUInt32BE(12) / block) * block;
}

/**
 * The header of a file, or undefined if it is damaged: a numbered file was complete before it had its number.
 * @throws OperatingError `unreadable-format` if a later version wrote it.
 */
export function decodeFileHeader(bytes: Uint8Array): FileHeader | undefined {
  const size = headerSizeBytes(bytes);
  if (size === undefined || size > bytes.length) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.readUInt32BE(12);
  if (length < fixedBytes || view.readUInt32BE(8) !== crc32c(view.subarray(12, length))) return undefined;
  const reader = new ByteReader(view.subarray(16, length), 'journal file header');
  const version = reader.int16();
  reader.int16();
  const logId = reader.raw(16).toString('hex');
  const life = readLife(reader);
  const copied = readLife(reader);
  const sequence = reader.int64();
  const salt = reader.raw(8);
  const firstCommit = reader.int64();
  const createdWallMs = reader.int64();
  const writer = reader.text();
  if (version > formatVersion) {
    throw new OperatingError(
      'unreadable-format',
      `the data folder was written by Headwater ${writer} in journal format ${version}; this version reads up to ` +
        `${formatVersion}: start that version or a later one`,
    );
  }
  if (version !== formatVersion) throw malformed('journal file header');
  const snapshot = reader.block();
  const copiedLife = copied.ordinal === noCopy.ordinal ? undefined : copied;
  return { logId, life, copiedLife, sequence, salt, firstCommit, createdWallMs, writer, snapshot };
}

function writeLife(writer: ByteWriter, life: Life): void {
  writer.raw(Buffer.from(life.lifeId, 'hex'));
  writer.int32(life.ordinal);
}

function readLife(reader: ByteReader): Life {
  const lifeId = reader.raw(16).toString('hex');
  return { lifeId, ordinal: reader.int32() };
}
