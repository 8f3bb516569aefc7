import type { Disk, DiskFile } from '../core/disk.ts';
import { limits } from '../core/limits.ts';
import { countFromZero, type Metrics } from '../core/metrics.ts';

/** What the bytes given to the device were for; `metadata` is the file system's own, an estimate. */
export const writtenKinds = ['journal', 'segments', 'other', 'metadata'] as const;
export type WrittenKind = (typeof writtenKinds)[number];
export type WrittenBytes = Readonly<Record<WrittenKind, number>>;

const kindOfFolder: Readonly<Partial<Record<string, WrittenKind>>> = {
  journal: 'journal',
  topics: 'segments',
};

/**
 * The same disk, with its answers counted, and its syncs and what it gives to the device in the metrics. Bytes of files count in the whole
 * blocks that the device gets, a block that is written again before its sync once; what makes a file longer, or changes
 * names, costs the file system's journal as well. What the device then makes of it inside nobody can see.
 */
export class CountedDisk implements Disk {
  readonly #disk: Disk;
  readonly #metrics: Metrics;
  #operations = 0;

  constructor(disk: Disk, metrics: Metrics) {
    this.#disk = disk;
    this.#metrics = metrics;
    countFromZero(metrics, 'headwater_disk_syncs_total', 'kind', ['fsync', 'fdatasync']);
    countFromZero(metrics, 'headwater_device_bytes_written_total', 'kind', writtenKinds);
  }

  /** Calls that the disk has answered, well or badly: while they become more, it does not hang. */
  get operations(): number {
    return this.#operations;
  }

  list(folder: string): Promise<readonly string[]> {
    return this.#answered(this.#disk.list(folder));
  }

  makeFolder(folder: string): Promise<void> {
    this.#count('metadata', limits.metadataSyncBytes);
    return this.#answered(this.#disk.makeFolder(folder));
  }

  async create(path: string): Promise<DiskFile> {
    return this.#counted(path, await this.#answered(this.#disk.create(path)), 0);
  }

  async open(path: string): Promise<DiskFile> {
    return this.#counted(path, await this.#answered(this.#disk.open(path)), undefined);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#answered(this.#disk.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.#answered(this.#disk.remove(path));
  }

  syncFolder(folder: string): Promise<void> {
    this.#metrics.add('headwater_disk_syncs_total', 1, { kind: 'fsync' });
    this.#count('metadata', limits.metadataSyncBytes);
    return this.#answered(this.#disk.syncFolder(folder));
  }

  #counted(path: string, file: DiskFile, lengthBytes: number | undefined): DiskFile {
    const kind = kindOfFolder[path.split('/', 1)[0] ?? ''] ?? 'other';
    const blocks = new UnsyncedBlocks(lengthBytes);
    return {
      size: () => this.#answered(file.size()),
      readAt: (into, at) => this.#answered(file.readAt(into, at)),
      close: () => this.#answered(file.close()),
      writeAt: async (bytes, at) => {
        // Most files are opened to be read: their length is asked for only when it is needed.
        if (!blocks.knowsLength) blocks.length(await file.size());
        this.#count(kind, blocks.write(at, bytes.length) * limits.deviceBlockBytes);
        await this.#answered(file.writeAt(bytes, at));
      },
      truncate: (lengthBytes) => {
        blocks.truncate(lengthBytes);
        return this.#answered(file.truncate(lengthBytes));
      },
      sync: () => {
        this.#metrics.add('headwater_disk_syncs_total', 1, { kind: 'fdatasync' });
        if (blocks.sync()) this.#count('metadata', limits.metadataSyncBytes);
        return this.#answered(file.sync());
      },
    };
  }

  async #answered<Answer>(call: Promise<Answer>): Promise<Answer> {
    try {
      return await call;
    } finally {
      this.#operations += 1;
    }
  }

  #count(kind: WrittenKind, bytes: number): void {
    if (bytes === 0) return;
    this.#metrics.add('headwater_device_bytes_written_total', bytes, { kind });
  }
}

/** Which blocks of one file wait for a sync, as far as writes go on where the last one ended. */
class UnsyncedBlocks {
  #lengthBytes: number | undefined;
  #hasChangedLength = false;
  #from = 0;
  #end = 0;

  constructor(lengthBytes: number | undefined) {
    this.#lengthBytes = lengthBytes;
    // A new name has a new inode, which the first sync writes.
    this.#hasChangedLength = lengthBytes === 0;
  }

  get knowsLength(): boolean {
    return this.#lengthBytes !== undefined;
  }

  length(bytes: number): void {
    this.#lengthBytes = Math.max(bytes, this.#lengthBytes ?? 0);
  }

  /** Returns how many blocks now wait that did not wait before. */
  write(at: number, bytes: number): number {
    if (bytes === 0) return 0;
    const from = Math.floor(at / limits.deviceBlockBytes);
    const end = Math.ceil((at + bytes) / limits.deviceBlockBytes);
    if (at + bytes > (this.#lengthBytes ?? 0)) {
      this.#lengthBytes = at + bytes;
      this.#hasChangedLength = true;
    }
    if (from > this.#end || end < this.#from) {
      this.#from = from;
      this.#end = end;
      return end - from;
    }
    const before = this.#end - this.#from;
    this.#from = Math.min(from, this.#from);
    this.#end = Math.max(end, this.#end);
    return this.#end - this.#from - before;
  }

  truncate(lengthBytes: number): void {
    this.#lengthBytes = lengthBytes;
    this.#hasChangedLength = true;
  }

  /** Whether this sync has to make a new length durable as well. Nothing waits any more. */
  sync(): boolean {
    const hasChangedLength = this.#hasChangedLength;
    this.#hasChangedLength = false;
    this.#from = 0;
    this.#end = 0;
    return hasChangedLength;
  }
}
