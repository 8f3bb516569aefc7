import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { NewRecord } from '../../core/record.ts';
import type { PartitionId } from '../state/entries.ts';
import type { LogState, Partition } from '../state/state.ts';
import type { PartitionInfo, TopicInfo } from '../types.ts';
import { partitionForKey } from './partitioner.ts';

/** A record whose partition is decided. */
export interface PlacedRecord {
  readonly record: NewRecord;
  readonly id: PartitionId;
}

// Generous bounds of what Kafka's varints and our entry framing add.
const recordOverheadBytes = 48;
const headerOverheadBytes = 16;
/** How large a record counts: at least what it takes in a frame. */
export function recordSizeBytes(record: Pick<NewRecord, 'key' | 'value' | 'headers'>): number {
  const headers = record.headers.reduce(
    (sum, header) => sum + Buffer.byteLength(header.name) + header.value.length + headerOverheadBytes,
    0,
  );
  return recordOverheadBytes + (record.key?.length ?? 0) + (record.value?.length ?? 0) + headers;
}

/** Decides which partition a record goes to. */
export class Placement {
  readonly #keylessTurns = new Map<string, number>();

  /** @throws OperatingError `unknown-topic`, `illegal-partition` */
  place(state: LogState, record: NewRecord): PlacedRecord {
    const { topic, partition } = record;
    const setting = state.topic(topic);
    if (setting === undefined)
      throw new OperatingError('unknown-topic', `there is no topic ${topic}; create it first`);
    const chosen = partition ?? this.#choose(record.key, topic, setting.partitions);
    return { record, id: findPartition(state, topic, chosen).id };
  }

  /** Kafka's rule for keyed records; those without a key take turns. */
  #choose(key: Uint8Array | null, topic: string, partitions: number): number {
    if (key !== null) return partitionForKey(key, partitions);
    const turn = (this.#keylessTurns.get(topic) ?? 0) % partitions;
    this.#keylessTurns.set(topic, turn + 1);
    return turn;
  }
}

/** @throws OperatingError `unknown-topic`, `illegal-partition` */
export function findPartition(state: LogState, topic: string, partition: number): Partition {
  const found = state.partition(topic, partition);
  if (found !== undefined) return found;
  const setting = state.topic(topic);
  if (setting === undefined) throw new OperatingError('unknown-topic', `there is no topic ${topic}`);
  const message = `topic ${topic} has ${setting.partitions} partitions, numbered from 0; ${partition} is none of them`;
  throw new OperatingError('illegal-partition', message);
}

/** All topics, with their settings. */
export const topicInfos = (state: LogState): readonly TopicInfo[] =>
  state.topics().map(({ name, partitions, settings }) => ({ name, partitions, settings }));

/** All partitions, with how far they reach. */
export const partitionInfos = (state: LogState): readonly PartitionInfo[] =>
  state.partitions().map(({ topic, id, logStartOffset, nextOffset }) => ({
    topic,
    partition: id.partition,
    logStartOffset,
    highWatermark: nextOffset,
  }));

/** @throws OperatingError `offset-out-of-range` */
export function checkOffset({ topic, id, logStartOffset, nextOffset }: Partition, offset: number): void {
  if (Number.isSafeInteger(offset) && offset >= logStartOffset && offset <= nextOffset) return;
  throw new OperatingError(
    'offset-out-of-range',
    `${topic}-${id.partition} holds offsets ${logStartOffset} to ${nextOffset}; ${offset} is not among them`,
  );
}

/** How large a record counts. @throws OperatingError `record-too-large` */
export function checkedSize(record: NewRecord): number {
  const size = recordSizeBytes(record);
  if (record.headers.length > limits.headersPerRecordMax) {
    throw tooLarge(
      `a record with ${record.headers.length} headers; ${limits.headersPerRecordMax} are allowed`,
    );
  }
  if (size > limits.recordBytesMax) {
    throw tooLarge(`a record of ${size} bytes; ${limits.recordBytesMax} are allowed`);
  }
  return size;
}

/** The error for what does not fit; `message` says what and how large it may be. */
export const tooLarge = (message: string): OperatingError => new OperatingError('record-too-large', message);
