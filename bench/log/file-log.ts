import { crc32 } from 'node:zlib';
import type { Disk, DiskFile } from '../../src/core/disk.ts';
import type { StampedRecord } from '../../src/core/record.ts';
import type { Contender } from './contender.ts';

/* A record: its length and checksum, then timestamp, length of the key, key and value. */
const HEAD_BYTES = 8;
const FIXED_BYTES = 12;
const READ_BYTES = 1024 * 1024;

/**
 * The usual log: each partition appends to a file of its own, and a commit syncs every file that it touched, as many
 * at once as the system lets it.
 */
export class FileLog implements Contender {
  readonly #files: { readonly file: DiskFile; sizeBytes: number }[];

  private constructor(files: readonly DiskFile[]) {
    this.#files = files.map((file) => ({ file, sizeBytes: 0 }));
  }

  static async open(disk: Disk, partitions: number): Promise<FileLog> {
    await disk.makeFolder('files');
    const files: DiskFile[] = [];
    for (let partition = 0; partition < partitions; partition++)
      files.push(await disk.create(`files/${partition}.log`));
    await disk.syncFolder('files');
    return new FileLog(files);
  }

  async append(records: readonly StampedRecord[]): Promise<void> {
    const byPartition = Map.groupBy(records, ({ partition }) => partition ?? 0);
    await Promise.all(
      [...byPartition].map(async ([partition, rows]) => {
        const open = this.#files[partition];
        if (open === undefined) throw new Error(`there is no partition ${partition}`);
        const bytes = Buffer.concat(rows.map(encode));
        const at = open.sizeBytes;
        open.sizeBytes += bytes.length;
        await open.file.writeAt(bytes, at);
        await open.file.sync();
      }),
    );
  }

  async read(partitions: readonly number[]): Promise<number> {
    let count = 0;
    for (const partition of partitions) count += await this.#count(partition);
    return count;
  }

  async #count(partition: number): Promise<number> {
    const open = this.#files[partition];
    if (open === undefined) throw new Error(`there is no partition ${partition}`);
    const chunk = Buffer.alloc(READ_BYTES);
    let count = 0;
    for (let from = 0; from < open.sizeBytes; ) {
      const bytes = chunk.subarray(0, await open.file.readAt(chunk, from));
      let at = 0;
      for (; at + HEAD_BYTES <= bytes.length; count++) {
        const end = at + HEAD_BYTES + bytes.readUInt32BE(at);
        if (end > bytes.length) break;
        if (crc32(bytes.subarray(at + HEAD_BYTES, end)) !== bytes.readUInt32BE(at + 4))
          throw new Error(`record ${count} of partition ${partition} is damaged`);
        at = end;
      }
      if (at === 0) throw new Error(`record ${count} of partition ${partition} is torn`);
      from += at;
    }
    return count;
  }

  async close(): Promise<void> {
    for (const { file } of this.#files) await file.close();
  }
}

function encode({ key, value, timestampMs }: StampedRecord): Buffer {
  const keyBytes = key ?? new Uint8Array();
  const valueBytes = value ?? new Uint8Array();
  const bytes = Buffer.alloc(HEAD_BYTES + FIXED_BYTES + keyBytes.length + valueBytes.length);
  bytes.writeUInt32BE(bytes.length - HEAD_BYTES, 0);
  bytes.writeBigUInt64BE(BigInt(timestampMs), HEAD_BYTES);
  bytes.writeUInt32BE(keyBytes.length, HEAD_BYTES + 8);
  bytes.set(keyBytes, HEAD_BYTES + FIXED_BYTES);
  bytes.set(valueBytes, HEAD_BYTES + FIXED_BYTES + keyBytes.length);
  bytes.writeUInt32BE(crc32(bytes.subarray(HEAD_BYTES)), 4);
  return bytes;
}
