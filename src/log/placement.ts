import { OperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { NewRecord } from '../core/record.ts';
import { type PlacedRecord, recordSizeBytes } from './commit-plan.ts';
import { partitionForKey } from './partitioner.ts';
import type { LogState, Partition } from './state.ts';

/** Decides which partition a record goes to. */
export class Placement {
  readonly #keylessTurns = new Map<string, number>();

  /** @throws OperatingError `unknown-topic`, `illegal-partition` */
  place(state: LogState, { topic, partition, ...record }: NewRecord): PlacedRecord {
    const setting = state.topic(topic);
    if (setting === undefined)
      throw new OperatingError('unknown-topic', `there is no topic ${topic}; create it first`);
    const chosen = partition ?? this.#choose(record.key, topic, setting.partitions);
    return { ...record, id: findPartition(state, topic, chosen).id };
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
