import type { NewRecord } from '../../src/core/record.ts';

/** A log under measurement: ours, or one that a plain engineer would write. */
export interface Contender {
  /** One commit: resolves when all of the records are durable. */
  append(records: readonly NewRecord[]): Promise<void>;
  /** Reads a partition from its beginning; how many records it holds. */
  read(partition: number): Promise<number>;
  close(): Promise<void>;
}

/** Opens a contender in a folder that is its own. */
export type OpenContender = (partitions: number) => Promise<Contender>;
