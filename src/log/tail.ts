import { limits } from '../core/limits.ts';
import type { PartitionBatch } from './journal/file-index.ts';
import type { StoredBatch } from './types.ts';

/** The most recent durable batches in memory, bounded in bytes, so that live readers never touch the disk. */
export class Tail {
  readonly #order: PartitionBatch[] = [];
  readonly #batches = new Map<string, PartitionBatch[]>();
  #bytes = 0;

  /** Takes the batches of a commit; the oldest ones leave when there is no room. */
  add(batches: readonly PartitionBatch[]): void {
    for (const batch of batches) {
      const ofPartition = this.#batches.get(batch.partitionKey) ?? [];
      ofPartition.push(batch);
      this.#batches.set(batch.partitionKey, ofPartition);
      this.#order.push(batch);
      this.#bytes += batch.bytes.length;
    }
    let drop = 0;
    for (; this.#bytes > limits.tailBytesMax; drop += 1) {
      const oldest = this.#order[drop];
      if (oldest === undefined) break;
      this.#bytes -= oldest.bytes.length;
      this.#batches.get(oldest.partitionKey)?.shift();
    }
    this.#order.splice(0, drop);
  }

  /** Batches from the one that holds `offset` on, or undefined if the tail does not reach back so far. */
  read(partitionKey: string, offset: number, bytesMax: number): readonly StoredBatch[] | undefined {
    const batches = this.#batches.get(partitionKey) ?? [];
    const [oldest] = batches;
    if (oldest === undefined || oldest.baseOffset > offset) return undefined;
    const first = batches.findIndex((batch) => batch.lastOffset >= offset);
    return first < 0 ? undefined : takeBytes(batches, first, bytesMax);
  }
}

function takeBytes(batches: readonly StoredBatch[], first: number, bytesMax: number): StoredBatch[] {
  const taken: StoredBatch[] = [];
  let bytes = 0;
  for (let index = first; index < batches.length && (bytes < bytesMax || taken.length === 0); index += 1) {
    const batch = batches[index] as StoredBatch;
    taken.push(batch);
    bytes += batch.bytes.length;
  }
  return taken;
}
