import { limits } from '../../core/limits.ts';
import { type PartitionId, partitionKey } from './entries.ts';

interface Seen {
  records: number;
  bytes: number;
}

/**
 * What a record of each partition takes in the journal, on the average of those that were seen lately. It is an estimate
 * beside the state, not a part of it: a start knows only what the newest file of the journal tells.
 */
export class RecordSizes {
  readonly #seen = new Map<string, Seen>();

  /** A batch of so many records and bytes was made durable. */
  saw(id: PartitionId, records: number, bytes: number): void {
    const key = partitionKey(id);
    const seen = this.#seen.get(key) ?? { records: 0, bytes: 0 };
    seen.records += records;
    seen.bytes += bytes;
    // What was seen long ago fades: devices change what they send.
    if (seen.bytes > limits.recordSizesBytesMax) {
      seen.records /= 2;
      seen.bytes /= 2;
    }
    this.#seen.set(key, seen);
  }

  /** Bytes of a record, its share of the batch included; undefined if none was seen. */
  of(id: PartitionId): number | undefined {
    const seen = this.#seen.get(partitionKey(id));
    return seen && seen.bytes / seen.records;
  }
}
