import type { StampedRecord } from '../../src/core/record.ts';
import type { Readings } from './readings.ts';

/** A log under measurement: ours, or one that a plain engineer would write. */
export interface Contender {
  /** One commit: resolves when all of the records are durable. */
  append(records: readonly StampedRecord[]): Promise<void>;
  /** Reads these partitions from their beginning, in the order that suits it best; how many records they hold. */
  read(partitions: readonly number[]): Promise<number>;
  close(): Promise<void>;
}

const FILL_RECORDS_PER_COMMIT = 1000;

/** Appends readings with so many bytes of values. */
export async function fill(log: Contender, readings: Readings, payloadBytes: number): Promise<void> {
  const untilBytes = readings.payloadBytes + payloadBytes;
  while (readings.payloadBytes < untilBytes) await log.append(readings.next(FILL_RECORDS_PER_COMMIT));
}
