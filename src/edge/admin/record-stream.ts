import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { StoredRecord } from '../../core/record.ts';
import { decodeBatch } from '../../log/encoding/batch.ts';
import type { LogReader, PartitionInfo } from '../../log/types.ts';

/** What reading records asks of the log. */
export interface RecordLog extends LogReader {
  offsetForTime(topic: string, partition: number, timestampMs: number): Promise<number>;
}

/** What a reader of `GET /api/records` asks for. */
export interface RecordQuery {
  readonly topic: string;
  /** Absent: all partitions. */
  readonly partition?: number;
  /** Absent: the log start. Needs a partition. */
  readonly offset?: number;
  /**
   * Instead of an offset: in each partition, from the first record with this timestamp (milliseconds since 1970 UTC)
   * or a later one on. What comes after it in the partition is read, whatever its timestamp.
   */
  readonly fromTimeMs?: number;
  /** Whether to wait for further records at the end. */
  readonly follow: boolean;
  /** Absent: no limit. */
  readonly limit?: number;
}

/** Some records of one partition, in order. */
export interface RecordChunk {
  readonly partition: number;
  readonly records: readonly StoredRecord[];
}

interface Position {
  next: number;
  /** The high watermark at the start, or infinity for a follower. */
  readonly end: number;
}

/**
 * Checks the question and answers with what reads the records, a chunk at a time and only when asked: each
 * partition in order, up to the high watermark as it was at the start, or until the topic is deleted or `signal` is aborted.
 * @throws OperatingError `unknown-topic`, `illegal-partition`, `offset-out-of-range`
 */
export function readRecords(
  log: RecordLog,
  query: RecordQuery,
  signal: AbortSignal,
): AsyncIterable<RecordChunk> {
  const partitions = partitionsOf(log, query);
  if (partitions.length === 0) throw notThere(log, query);
  const positions = new Map<number, Position>();
  for (const { partition, logStartOffset, highWatermark } of partitions) {
    const next = query.offset ?? logStartOffset;
    if (next < logStartOffset || next > highWatermark) {
      throw new OperatingError(
        'offset-out-of-range',
        `partition ${partition} of ${query.topic} holds offsets ${logStartOffset} to ${highWatermark} ` +
          `(exclusive); there is no ${next}`,
      );
    }
    positions.set(partition, { next, end: query.follow ? Number.POSITIVE_INFINITY : highWatermark });
  }
  return chunks(log, query, positions, signal);
}

async function* chunks(
  log: RecordLog,
  query: RecordQuery,
  positions: Map<number, Position>,
  signal: AbortSignal,
): AsyncGenerator<RecordChunk> {
  const commits = new CommitWatch(log, signal);
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  try {
    await moveToTime(log, query, positions);
    while (!signal.aborted) {
      let readSome = false;
      const partitions = partitionsOf(log, query);
      for (const { partition } of partitions) {
        const records = (await readAhead(log, { ...query, partition }, positions)).slice(0, left);
        if (signal.aborted) return;
        if (records.length === 0) continue;
        readSome = true;
        left -= records.length;
        yield { partition, records };
        if (left === 0) return;
      }
      if (readSome) continue;
      const isDeleted = partitions.length === 0;
      if (!query.follow || isDeleted) return;
      await commits.next();
    }
  } finally {
    commits.stop();
  }
}

async function moveToTime(
  log: RecordLog,
  { topic, fromTimeMs }: RecordQuery,
  positions: ReadonlyMap<number, Position>,
): Promise<void> {
  if (fromTimeMs === undefined) return;
  for (const [partition, position] of positions)
    position.next = await log.offsetForTime(topic, partition, fromTimeMs);
}

/** The next records of a partition, and its position moved past them; none at its end, or if it is deleted. */
async function readAhead(
  log: RecordLog,
  query: RecordQuery & { readonly partition: number },
  positions: Map<number, Position>,
): Promise<readonly StoredRecord[]> {
  const { topic, partition, follow } = query;
  for (;;) {
    // Looked up each time: a slow client leaves time for a topic to be deleted, or its oldest records.
    const [info] = partitionsOf(log, query);
    if (info === undefined) return [];
    let position = positions.get(partition);
    if (position === undefined) {
      // The topic has grown since the start.
      if (!follow) return [];
      position = { next: info.logStartOffset, end: Number.POSITIVE_INFINITY };
      positions.set(partition, position);
    }
    // What was deleted meanwhile is passed over, as Kafka's `auto.offset.reset=earliest` does.
    const from = Math.max(position.next, info.logStartOffset);
    const end = Math.min(position.end, info.highWatermark);
    if (from >= end) return [];
    const batches = await log.read(topic, partition, from, limits.adminReadBytesMax);
    position.next = Math.min((batches.at(-1)?.lastOffset ?? end) + 1, end);
    const records = batches
      .flatMap((batch) => decodeBatch(batch.bytes))
      .filter(({ offset }) => offset >= from && offset < end);
    if (records.length > 0) return records;
  }
}

function partitionsOf(log: RecordLog, { topic, partition }: RecordQuery): readonly PartitionInfo[] {
  return log
    .partitions()
    .filter((info) => info.topic === topic && (partition === undefined || info.partition === partition));
}

function notThere(log: RecordLog, { topic, partition }: RecordQuery): Error {
  const info = log.topics().find(({ name }) => name === topic);
  return info === undefined
    ? new OperatingError('unknown-topic', `there is no topic "${topic}"; GET /api/topics lists them`)
    : new OperatingError(
        'illegal-partition',
        `${topic} has partitions 0 to ${info.partitions - 1}, no ${partition}`,
      );
}

/** Waits for commits without missing one that happened while its owner was reading. */
class CommitWatch {
  readonly #stopListening: () => void;
  readonly #signal: AbortSignal;
  #happened = false;
  #wake: (() => void) | null = null;

  constructor(log: RecordLog, signal: AbortSignal) {
    this.#signal = signal;
    this.#stopListening = log.onCommit(this.#notice);
    signal.addEventListener('abort', this.#notice);
  }

  readonly #notice = (): void => {
    this.#happened = true;
    this.#wake?.();
  };

  /** Resolves once there was a commit, or the abort, since the last call. */
  async next(): Promise<void> {
    if (!this.#happened) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    this.#happened = false;
  }

  stop(): void {
    this.#stopListening();
    this.#signal.removeEventListener('abort', this.#notice);
  }
}
