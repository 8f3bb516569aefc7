import type { ReadableFile } from '../../core/disk.ts';
import { isSystemError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { release } from '../encoding/bytes.ts';
import { partitionKey } from '../state/entries.ts';
import { lifeAt, type Partition } from '../state/state.ts';
import type { StoredBatch } from '../types.ts';
import { batchesOf, FileIndex, type FramePlace, type PartitionBatch } from './file-index.ts';
import { decodeFrame, frameEntries, releaseEntries } from './frame.ts';
import type { JournalFile, ReadEnvironment } from './journal-files.ts';
import { scanFile, scanRange } from './scan.ts';

interface DecodedFrame {
  /** Views of the entries. */
  readonly batches: readonly PartitionBatch[];
  readonly entries: Uint8Array;
}

/**
 * Reads batches back from journal files for readers that are behind the tail. Memory is bounded: a few sparse
 * indexes and a few decoded frames, shared by all readers, so that several partitions read in step decode each
 * frame once. A file may leave the journal while it is read: then nothing is found in it, and the caller asks again.
 */
export class JournalReader {
  readonly #env: ReadEnvironment;
  readonly #indexed: JournalFile[] = [];
  readonly #frames = new Map<string, DecodedFrame>();
  #frameBytes = 0;
  #indexing: Promise<unknown> = Promise.resolve();

  constructor(env: ReadEnvironment) {
    this.#env = env;
  }

  /**
   * Batches of the partition from `offset` on, about `bytesMax` bytes of them but at least one if there is one. They are
   * copies, which take no part in what a frame takes.
   */
  async read(
    files: readonly JournalFile[],
    partition: Partition,
    offset: number,
    bytesMax: number,
  ): Promise<readonly StoredBatch[]> {
    const key = partitionKey(partition.id);
    const first = files.findLastIndex((file) => (file.marks.get(key)?.nextOffset ?? 0) <= offset);
    for (const file of files.slice(Math.max(0, first))) {
      const batches = await this.#readFile(file, partition, offset, bytesMax);
      if (batches.length > 0) return batches;
    }
    return [];
  }

  async #readFile(
    file: JournalFile,
    partition: Partition,
    offset: number,
    bytesMax: number,
  ): Promise<StoredBatch[]> {
    const key = partitionKey(partition.id);
    const index = await this.#index(file).catch((error: unknown) => {
      if (file.isGone && isSystemError(error)) return new FileIndex();
      throw error;
    });
    const places = index.from(key, offset);
    const taken: StoredBatch[] = [];
    let bytes = 0;
    for (const place of places) {
      if (bytes >= bytesMax && taken.length > 0) break;
      if (isStale(partition, place)) continue;
      for (const batch of await this.#copyBatches(file, place, { key, offset })) {
        taken.push(batch);
        bytes += batch.bytes.length;
      }
    }
    return taken;
  }

  /** One file at a time, however many readers ask at once. */
  #index(file: JournalFile): Promise<FileIndex> {
    if (file.index !== undefined) return Promise.resolve(file.index);
    const index = this.#indexing.then(() => file.index ?? this.#buildIndex(file));
    this.#indexing = index.catch(() => undefined);
    return index;
  }

  async #buildIndex(file: JournalFile): Promise<FileIndex> {
    const index = new FileIndex();
    const { damage } = await scanFile(
      this.#env.disk,
      file.path,
      scanRange(file),
      ({ frame, position, sizeBytes }) => {
        const { lifeOrdinal } = frame;
        const entries = frameEntries(frame);
        index.add({ position, sizeBytes, lifeOrdinal }, batchesOf(entries));
        releaseEntries(frame, entries);
      },
    );
    // What was in it is in segments, and it may hold another file's commits already.
    if (file.isGone) return new FileIndex();
    for (const lost of damage) {
      const fields = { file: file.path, ...lost };
      this.#env.logger.error(
        fields,
        'the medium damaged commits of the journal, and their records are lost; replace the card soon',
      );
    }
    file.index = index;
    this.#indexed.push(file);
    if (this.#indexed.length > limits.fileIndexesMax) {
      const evicted = this.#indexed.shift();
      if (evicted !== undefined) evicted.index = undefined;
    }
    return index;
  }

  /**
   * What a frame holds of a partition from an offset on, copied in one step with finding it: the next reader may give its
   * memory back.
   */
  async #copyBatches(
    file: JournalFile,
    place: FramePlace,
    { key, offset }: { readonly key: string; readonly offset: number },
  ): Promise<StoredBatch[]> {
    const id = `${Buffer.from(file.header.salt).toString('hex')}@${place.position}`;
    const frame = this.#frames.get(id) ?? (await this.#decode(file, place));
    if (frame === undefined) return [];
    const copies = frame.batches
      .filter(({ partitionKey, lastOffset }) => partitionKey === key && lastOffset >= offset)
      .map((batch) => ({ ...batch, bytes: new Uint8Array(batch.bytes) }));
    this.#remember(id, frame);
    return copies;
  }

  /** Undefined if the medium damaged the frame, or if its file has left the journal. */
  async #decode(file: JournalFile, place: FramePlace): Promise<DecodedFrame | undefined> {
    const bytes = await this.#readBytes(file, place);
    const frame = bytes && decodeFrame(bytes, 0, file.header.salt);
    if (bytes === undefined || frame === undefined) {
      const fields = { file: file.path, position: place.position };
      if (!file.isGone)
        this.#env.logger.error(
          fields,
          'the medium damaged a commit of the journal, and its records are lost; replace the card soon',
        );
      return undefined;
    }
    const entries = frameEntries(frame);
    if (entries !== frame.stored) release(bytes);
    return { batches: batchesOf(entries), entries };
  }

  /** Undefined if the medium refuses, or if the file has left the journal. */
  async #readBytes(file: JournalFile, place: FramePlace): Promise<Uint8Array | undefined> {
    let handle: ReadableFile | undefined;
    try {
      handle = await this.#env.disk.open(file.path);
      const bytes = new Uint8Array(place.sizeBytes);
      await handle.readAt(bytes, place.position);
      return bytes;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return undefined;
    } finally {
      await handle?.close();
    }
  }

  #remember(id: string, frame: DecodedFrame): void {
    const known = this.#frames.get(id);
    if (known !== undefined) {
      // Two readers may have decoded it at once.
      if (known !== frame) release(frame.entries);
      return;
    }
    this.#frames.set(id, frame);
    this.#frameBytes += frame.entries.length;
    for (const [oldest, { entries }] of this.#frames) {
      if (this.#frameBytes <= limits.frameCacheBytesMax) break;
      this.#frames.delete(oldest);
      this.#frameBytes -= entries.length;
      release(entries);
    }
  }
}

/**
 * Whether another life wrote these offsets. Newer files say up to which commit a file counts; if the medium damages
 * the header that said so, a commit that nobody was told of would count again.
 */
function isStale(partition: Partition, { lastOffset, lifeOrdinal }: FramePlace): boolean {
  return (lifeAt(partition, lastOffset) ?? lifeOrdinal) !== lifeOrdinal;
}
