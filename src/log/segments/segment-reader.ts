import type { ReadableDisk, ReadableFile } from '../../core/disk.ts';
import { isSystemError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { type BatchHeader, batchHeaderBytes, isIntactBatch, peekBatchHeader } from '../encoding/batch.ts';
import { release } from '../encoding/bytes.ts';
import { type ReadEnvironment, readOverDamage } from '../journal/journal-files.ts';
import type { Loss } from '../retention/loss-ledger.ts';
import { partitionFolder, type Segment, segmentIndexAt, segmentPath } from '../state/catalog.ts';
import { lifeAt, type Partition } from '../state/state.ts';
import type { StoredBatch } from '../types.ts';
import { searchBatch } from './segment-search.ts';
import { type SegmentPlace, SegmentTable } from './segment-table.ts';

/** One segment as it is read: what the catalog says, and the file. */
interface OpenSegment {
  readonly path: string;
  readonly partition: Partition;
  readonly segment: Segment;
  readonly table: SegmentTable;
  readonly file: ReadableFile;
}

/**
 * Reads batches back from segments, as they are. Each is checked before it is handed out: its checksum, that it begins
 * where the one before it ended, and that it is of the life that wrote these offsets. Memory is bounded: sparse tables
 * of some segments, shared by all readers.
 */
export class SegmentReader {
  readonly #env: ReadEnvironment;
  readonly #onLoss: (loss: Loss) => void;
  readonly #tables = new Map<string, SegmentTable>();
  /** Places that were told, so that each is told once. */
  readonly #told = new Set<string>();

  constructor(env: ReadEnvironment, onLoss: (loss: Loss) => void) {
    this.#env = env;
    this.#onLoss = onLoss;
  }

  /** Batches of the partition from `offset` on, about `bytesMax` bytes of them but at least one if there is one. */
  async read(partition: Partition, offset: number, bytesMax: number): Promise<readonly StoredBatch[]> {
    const { segments, topic, id } = partition;
    for (const segment of segments.slice(segmentIndexAt(segments, offset))) {
      const path = segmentPath(partitionFolder(topic, id.partition), segment.baseOffset);
      const batches = await this.#readSegment({ path, partition, segment }, offset, bytesMax);
      if (batches.length > 0) return batches;
    }
    return [];
  }

  async #readSegment(
    of: Pick<OpenSegment, 'path' | 'partition' | 'segment'>,
    offset: number,
    bytesMax: number,
  ): Promise<readonly StoredBatch[]> {
    const table = this.#table(of.path, of.segment);
    try {
      const file = await this.#env.disk.open(of.path);
      try {
        return await this.#readOpen({ ...of, table, file }, offset, bytesMax);
      } finally {
        await file.close();
      }
    } catch (error) {
      // A file that is gone or cannot be read is damage, and readers go on behind it; unless retention has removed it.
      if (!isSystemError(error)) throw error;
      const { baseOffset } = of.segment;
      if (!of.partition.segments.some((one) => one.baseOffset === baseOffset)) return [];
      this.#report(
        of,
        { position: 0, baseOffset: of.segment.baseOffset },
        of.segment.endOffset,
        error.message,
      );
      return [];
    }
  }

  async #readOpen(of: OpenSegment, offset: number, bytesMax: number): Promise<readonly StoredBatch[]> {
    let place = await walk(of, offset);
    while (place.position < of.segment.sizeBytes) {
      const batches = await readBatches(of, place, bytesMax);
      if (batches.length > 0) return batches;
      const next = await findIntact(of, place);
      this.#report(of, place, next.baseOffset, 'its checksum or its offsets are wrong');
      of.table.enter(place.position, next.position, next.baseOffset);
      place = next.baseOffset > offset ? next : await walk(of, offset);
    }
    return [];
  }

  #table(path: string, { baseOffset }: Segment): SegmentTable {
    const table = this.#tables.get(path) ?? new SegmentTable(baseOffset);
    // The one that was used last is the last one to go.
    this.#tables.delete(path);
    this.#tables.set(path, table);
    const [oldest] = this.#tables.keys();
    if (this.#tables.size > limits.segmentTablesMax && oldest !== undefined) this.#tables.delete(oldest);
    return table;
  }

  #report(
    { path, partition }: Pick<OpenSegment, 'path' | 'partition'>,
    { position, baseOffset }: SegmentPlace,
    endOffset: number,
    why: string,
  ): void {
    const place = `${path}@${position}`;
    if (this.#told.has(place) || this.#told.size >= limits.notedLossesMax) return;
    this.#told.add(place);
    const { topic, id, logStartOffset } = partition;
    const firstOffset = Math.max(baseOffset, logStartOffset);
    const loss = { topic, partition: id.partition, firstOffset, endOffset, reason: 'damage' } as const;
    this.#env.logger.error(
      { file: path, position, ...loss, why },
      'the medium damaged a segment: the topic gaps says which records are lost; replace the card soon',
    );
    if (firstOffset < endOffset) this.#onLoss(loss);
  }
}

/** A good batch of a segment, or a stretch without one: its records are lost. */
export interface SegmentPiece extends SegmentPlace {
  readonly endPosition: number;
  readonly endOffset: number;
  readonly isIntact: boolean;
}

/**
 * Everything in a segment, in order, judged as readers judge it. A part that the medium refuses to read is damage.
 * @throws an error of the operating system if the file cannot be opened, as one that is missing
 */
export async function* walkSegment(
  disk: ReadableDisk,
  partition: Partition,
  segment: Segment,
): AsyncGenerator<SegmentPiece> {
  const path = segmentPath(partitionFolder(partition.topic, partition.id.partition), segment.baseOffset);
  const file = await disk.open(path);
  try {
    const of = { path, partition, segment, file, table: new SegmentTable(segment.baseOffset) };
    for (let place = of.table.placeOf(0); place.position < segment.sizeBytes; ) {
      const batches = await readBatches(of, place, limits.segmentReadBytesMin);
      for (const { bytes, lastOffset } of batches) {
        const end = { position: place.position + bytes.length, baseOffset: lastOffset + 1 };
        yield { ...place, endPosition: end.position, endOffset: end.baseOffset, isIntact: true };
        place = end;
      }
      if (batches[0] !== undefined) {
        release(batches[0].bytes);
        continue;
      }
      const next = await findIntact(of, place);
      yield { ...place, endPosition: next.position, endOffset: next.baseOffset, isIntact: false };
      place = next;
    }
  } finally {
    await file.close();
  }
}

/** Goes from header to header to the batch that holds `offset`, or to the first one that cannot be one. */
async function walk({ table, segment, file }: OpenSegment, offset: number): Promise<SegmentPlace> {
  let place = table.placeOf(offset);
  while (place.position < segment.sizeBytes) {
    const header = peekBatchHeader(await readOverDamage(file, place.position, batchHeaderBytes));
    if (header === undefined || !fits(header, place, segment) || header.lastOffset >= offset) return place;
    const next = { position: place.position + header.sizeBytes, baseOffset: header.lastOffset + 1 };
    table.enter(place.position, next.position, next.baseOffset);
    place = next;
  }
  return place;
}

/** The good batches at a place, one after the other; none if the first one is not good. */
async function readBatches(of: OpenSegment, from: SegmentPlace, bytesMax: number): Promise<StoredBatch[]> {
  const bytes = await readChunk(of, from.position, bytesMax);
  const batches: StoredBatch[] = [];
  let { position, baseOffset } = from;
  for (let taken = 0; taken < bytesMax || batches.length === 0; ) {
    const view = bytes.subarray(position - from.position);
    const header = peekBatchHeader(view);
    if (header === undefined || header.sizeBytes > view.length) break;
    const batch = view.subarray(0, header.sizeBytes);
    if (!fits(header, { position, baseOffset }, of.segment) || !isGood(of.partition, header, batch)) break;
    const { lastOffset, maxTimestampMs } = header;
    batches.push({ baseOffset, lastOffset, maxTimestampMs, sealed: true, bytes: batch });
    of.table.enter(position, position + header.sizeBytes, lastOffset + 1);
    taken += header.sizeBytes;
    position += header.sizeBytes;
    baseOffset = lastOffset + 1;
  }
  return batches;
}

/** So many bytes from a position on as hold `bytesMax`, or the one batch that is there. */
async function readChunk(
  { segment, file }: OpenSegment,
  position: number,
  bytesMax: number,
): Promise<Buffer> {
  const left = segment.sizeBytes - position;
  const wanted = Math.min(left, Math.max(bytesMax, limits.segmentReadBytesMin), limits.readBytesMax);
  const bytes = await readOverDamage(file, position, wanted);
  const first = peekBatchHeader(bytes)?.sizeBytes ?? 0;
  if (first <= bytes.length || first > Math.min(left, limits.frameBytesMax)) return bytes;
  return await readOverDamage(file, position, first);
}

/**
 * The next batch behind a damaged place that is certainly one: the batch behind it, or the end of the segment, begins
 * where it ends. Without one, the end of the segment.
 */
async function findIntact(of: OpenSegment, damaged: SegmentPlace): Promise<SegmentPlace> {
  const { segment, partition, file } = of;
  const range = { start: damaged.position + 1, end: segment.sizeBytes };
  const found = await searchBatch(file, range, (header, position, view) => {
    const place = { position, baseOffset: header.baseOffset };
    if (header.baseOffset <= damaged.baseOffset || !fits(header, place, segment)) return false;
    const next = peekBatchHeader(view.subarray(header.sizeBytes));
    const follows = next?.baseOffset ?? segment.endOffset;
    return follows === header.lastOffset + 1 && isGood(partition, header, view.subarray(0, header.sizeBytes));
  });
  return found ?? { position: segment.sizeBytes, baseOffset: segment.endOffset };
}

const fits = (header: BatchHeader, { position, baseOffset }: SegmentPlace, segment: Segment): boolean =>
  header.baseOffset === baseOffset &&
  header.lastOffset >= baseOffset &&
  header.lastOffset < segment.endOffset &&
  position + header.sizeBytes <= segment.sizeBytes;

const isGood = (partition: Partition, { baseOffset, leaderEpoch }: BatchHeader, batch: Uint8Array): boolean =>
  (lifeAt(partition, baseOffset) ?? leaderEpoch) === leaderEpoch && isIntactBatch(batch);
