import type { StoredRecord } from '../../core/record.ts';
import type { LifeStart } from '../../log/types.ts';

/*
 * Headers by which a consumer knows a record that arrives again. An offset alone would not do: a disk that lies may lose
 * records that were sent, and others then take their offsets, in another life.
 */
const sourceHeader = 'headwater.source';
const lifeHeader = 'headwater.life';
const offsetHeader = 'headwater.offset';

/** A partition of a log, and the lives of its records. */
export interface Origin {
  readonly source: string;
  lives(): readonly LifeStart[];
}

/** How a partition is called in the headers of its records: `log id/topic/partition`. */
export const sourceName = (logId: string, topic: string, partition: number): string =>
  `${logId}/${topic}/${partition}`;

/** The record with headers, after its own, that say where it is from; each value is text. */
export function withOrigin(record: StoredRecord, { source, lives }: Origin): StoredRecord {
  const life = lives().findLast(({ firstOffset }) => firstOffset <= record.offset)?.life ?? '';
  const headers = [
    ...record.headers,
    { name: sourceHeader, value: Buffer.from(source) },
    { name: lifeHeader, value: Buffer.from(life) },
    { name: offsetHeader, value: Buffer.from(`${record.offset}`) },
  ];
  return { ...record, headers };
}
