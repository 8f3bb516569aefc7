import type { Disk, DiskFile } from '../../core/disk.ts';
import { limits } from '../../core/limits.ts';
import { type Segment, segmentPath } from '../state/catalog.ts';
import type { MergedBatch } from './batch-merger.ts';

/** Where the batches of one partition go. */
export interface SegmentTarget {
  readonly folder: string;
  readonly segmentBytes: number;
  /** The segment to append to, if there is one that this life has written and that is not full. */
  readonly open: Segment | undefined;
}

interface CurrentFile {
  readonly handle: DiskFile;
  readonly baseOffset: number;
  readonly firstTimestampMs: number;
  endOffset: number;
  sizeBytes: number;
  maxTimestampMs: number;
  unsyncedBytes: number;
}

/**
 * Appends batches to the segments of one partition, each in one write. Nothing of it counts before the catalog says so,
 * and after an error nothing of it ever will: the next attempt begins a file of its own, because a failing device may
 * complete a write late.
 */
export class SegmentWriter {
  readonly #disk: Disk;
  readonly #target: SegmentTarget;
  readonly #pace: () => Promise<void>;
  readonly #written: Segment[] = [];
  #file: CurrentFile | undefined;
  #createdFile = false;

  /** `pace` is waited for before each call that keeps the device busy. */
  constructor(disk: Disk, target: SegmentTarget, pace: () => Promise<void>) {
    this.#disk = disk;
    this.#target = target;
    this.#pace = pace;
  }

  async append(batch: MergedBatch): Promise<void> {
    let file = this.#file ?? (await this.#reopen());
    if (file !== undefined && !this.#hasRoom(file, batch)) {
      await this.#finish();
      file = undefined;
    }
    file ??= await this.#create(batch);
    await this.#pace();
    await file.handle.writeAt(batch.bytes, file.sizeBytes);
    file.sizeBytes += batch.bytes.length;
    file.endOffset = batch.endOffset;
    file.maxTimestampMs = Math.max(file.maxTimestampMs, batch.maxTimestampMs);
    file.unsyncedBytes += batch.bytes.length;
    if (file.unsyncedBytes < limits.sealSyncBytes) return;
    await this.#pace();
    await file.handle.sync();
    file.unsyncedBytes = 0;
  }

  /** Makes everything durable, names included; returns the segments as the catalog is to have them. */
  async finish(): Promise<readonly Segment[]> {
    await this.#finish();
    if (this.#createdFile) {
      await this.#pace();
      await this.#disk.syncFolder(this.#target.folder);
    }
    return this.#written;
  }

  /** After an error: lets go of the file. */
  async abandon(): Promise<void> {
    await this.#file?.handle.close().catch(() => {});
  }

  async #reopen(): Promise<CurrentFile | undefined> {
    const { open, folder } = this.#target;
    if (open === undefined || this.#createdFile || this.#written.length > 0) return undefined;
    const handle = await this.#disk.open(segmentPath(folder, open.baseOffset));
    this.#file = { ...open, handle, firstTimestampMs: open.maxTimestampMs, unsyncedBytes: 0 };
    return this.#file;
  }

  async #create({ baseOffset, maxTimestampMs }: MergedBatch): Promise<CurrentFile> {
    const { folder } = this.#target;
    const path = segmentPath(folder, baseOffset);
    await this.#pace();
    await this.#disk.makeFolder(folder);
    const handle = await this.#disk.create(path);
    this.#createdFile = true;
    const empty = { baseOffset, endOffset: baseOffset, sizeBytes: 0, unsyncedBytes: 0 };
    this.#file = { handle, ...empty, firstTimestampMs: maxTimestampMs, maxTimestampMs };
    return this.#file;
  }

  /** Inside a segment there are no gaps: so a damaged offset is found out, which Kafka's checksum does not cover. */
  #hasRoom({ sizeBytes, firstTimestampMs, endOffset }: CurrentFile, batch: MergedBatch): boolean {
    const fits = sizeBytes + batch.bytes.length <= this.#target.segmentBytes;
    const age = batch.maxTimestampMs - firstTimestampMs;
    return fits && endOffset === batch.baseOffset && age < limits.segmentAgeMsMax;
  }

  async #finish(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    if (file.unsyncedBytes > 0) {
      await this.#pace();
      await file.handle.sync();
    }
    await file.handle.close();
    const { baseOffset, endOffset, sizeBytes, maxTimestampMs } = file;
    this.#written.push({ baseOffset, endOffset, sizeBytes, maxTimestampMs });
    this.#file = undefined;
  }
}
