import { createHash } from 'node:crypto';
import type { Memos, PartitionInfo } from '../../log/types.ts';
import type { PartitionSeries, SeriesTable } from '../series/series-table.ts';

/** How far a partition has been read. */
export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly series: PartitionSeries;
  /** The offset of the record to read next. */
  next: number;
  /** What was found in records below this offset is told already, and durable: read again, they are only learned. */
  told: number;
  /** The cursor in the log; null before it is there. */
  saved: number | null;
  /** The durable end, as it was when partitions were last looked at. */
  end: number;
}

/** Whether all is read that there is. */
export const isCaughtUp = ({ next, end }: Position): boolean => next >= end;

const cursorPrefix = 'anomaly/cursor/';
const topicsKey = 'anomaly/topics';
const memoKey = ({ topic, partition }: Pick<Position, 'topic' | 'partition'>): string =>
  `${cursorPrefix}${topic}/${partition}`;

/** The cursor of a partition in the log; null if it was never read. */
export function cursorIn(memos: Memos, topic: string, partition: number): number | null {
  const bytes = memos.get(memoKey({ topic, partition }));
  return bytes === undefined ? null : Number(Buffer.from(bytes).toString());
}

/** How far each partition has been read, and the cursors that say so in the log. */
export class Positions {
  readonly #table: SeriesTable;
  readonly #isRead: (topic: string) => boolean;
  readonly #topics: Uint8Array;
  readonly #positions = new Map<string, Position>();
  /** Whether other topics were read here before, or none: then what is there already of new ones is not news. */
  readonly #readsOthers: boolean;

  /** `isRead` says which topics are read, `topics` by what that is decided. */
  constructor(
    table: SeriesTable,
    isRead: (topic: string) => boolean,
    topics: readonly (string | null)[],
    memos: Memos,
  ) {
    this.#table = table;
    this.#isRead = isRead;
    this.#topics = createHash('sha256').update(JSON.stringify(topics)).digest();
    this.#readsOthers = Buffer.compare(memos.get(topicsKey) ?? new Uint8Array(), this.#topics) !== 0;
  }

  /** Takes in which partitions there are; a new one begins at its cursor. */
  follow(partitions: readonly PartitionInfo[], memos: Memos, isStart: boolean): void {
    const there = new Set<string>();
    for (const info of partitions) {
      const key = memoKey(info);
      if (!this.#isRead(info.topic)) continue;
      there.add(key);
      const position = this.#positions.get(key) ?? this.#begin(info, memos, isStart);
      position.next = Math.max(position.next, info.logStartOffset);
      position.end = info.highWatermark;
    }
    for (const [key, position] of this.#positions) {
      if (there.has(key)) continue;
      this.#positions.delete(key);
      this.#table.remove(position.series);
    }
  }

  #begin(info: PartitionInfo, memos: Memos, isStart: boolean): Position {
    const { topic, partition, logStartOffset, highWatermark } = info;
    const unread = this.#readsOthers && isStart ? highWatermark : logStartOffset;
    const saved = cursorIn(memos, topic, partition);
    const told = saved ?? unread;
    const series = this.#table.of(topic, partition);
    const position = { topic, partition, series, next: told, told, saved, end: highWatermark };
    this.#positions.set(memoKey(info), position);
    return position;
  }

  [Symbol.iterator](): IterableIterator<Position> {
    return this.#positions.values();
  }

  of(topic: string, partition: number): Position | undefined {
    return this.#positions.get(memoKey({ topic, partition }));
  }

  /** The cursors that are not saved yet, and those of partitions that are gone, to be forgotten. */
  memos(inLog: Memos): Memos {
    const changed = new Map<string, Uint8Array>();
    const isKnown = Buffer.compare(inLog.get(topicsKey) ?? new Uint8Array(), this.#topics) === 0;
    if (!isKnown) changed.set(topicsKey, this.#topics);
    for (const position of this.#positions.values()) {
      const reached = Math.max(position.next, position.told);
      if (reached !== position.saved) changed.set(memoKey(position), Buffer.from(`${reached}`));
    }
    for (const key of inLog.keys())
      if (key.startsWith(cursorPrefix) && !this.#positions.has(key)) changed.set(key, new Uint8Array());
    return changed;
  }

  /** These memos are durable. */
  saved(memos: Memos): void {
    for (const position of this.#positions.values()) {
      const bytes = memos.get(memoKey(position));
      if (bytes === undefined) continue;
      position.saved = Number(Buffer.from(bytes).toString());
      position.told = Math.max(position.told, position.saved);
    }
  }
}
