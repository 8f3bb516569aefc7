import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { StoredRecord } from '../../core/record.ts';
import { decodeBatch } from '../../log/batch.ts';
import type { LogReader, PartitionInfo } from '../../log/types.ts';

/** What a reader of `GET /api/records` asks for. */
export interface RecordQuery {
  readonly topic: string;
  /** Absent: all partitions. */
  readonly partition?: number;
  /** Absent: the log start. Needs a partition. */
  readonly offset?: number;
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
 * partition in order, up to the high watermark as it was at the start, or until `signal` is aborted.
 * @throws OperatingError `unknown-topic`, `illegal-partition`, `offset-out-of-range`
 */
export function readRecords(
  log: LogReader,
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
  log: LogReader,
  query: RecordQuery,
  positions: Map<number, Position>,
  signal: AbortSignal,
): AsyncGenerator<RecordChunk> {
  const commits = new CommitWatch(log, signal);
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  try {
    while (!signal.aborted) {
      let readSome = false;
      for (const info of partitionsOf(log, query)) {
        const records = (await readAhead(log, info, positions, query.follow)).slice(0, left);
        if (signal.aborted) return;
        if (records.length === 0) continue;
        readSome = true;
        left -= records.length;
        yield { partition: info.partition, records };
        if (left === 0) return;
      }
      if (readSome) continue;
      if (!query.follow) return;
      await commits.next();
    }
  } finally {
    commits.stop();
  }
}

/** The next records of a partition, and its position moved past them; none at its end. */
async function readAhead(
  log: LogReader,
  { topic, partition, logStartOffset, highWatermark }: PartitionInfo,
  positions: Map<number, Position>,
  follow: boolean,
): Promise<readonly StoredRecord[]> {
  let position = positions.get(partition);
  if (position === undefined) {
    // The topic has grown since the start.
    if (!follow) return [];
    position = { next: logStartOffset, end: Number.POSITIVE_INFINITY };
    positions.set(partition, position);
  }
  // What was deleted meanwhile is passed over, as Kafka's `auto.offset.reset=earliest` does.
  position.next = Math.max(position.next, logStartOffset);
  const end = Math.min(position.end, highWatermark);
  while (position.next < end) {
    const from = position.next;
    const batches = await log.read(topic, partition, from, limits.adminReadBytesMax);
    position.next = Math.min((batches.at(-1)?.lastOffset ?? end) + 1, end);
    const records = batches
      .flatMap((batch) => decodeBatch(batch.bytes))
      .filter(({ offset }) => offset >= from && offset < end);
    if (records.length > 0) return records;
  }
  return [];
}

function partitionsOf(log: LogReader, { topic, partition }: RecordQuery): readonly PartitionInfo[] {
  return log
    .partitions()
    .filter((info) => info.topic === topic && (partition === undefined || info.partition === partition));
}

function notThere(log: LogReader, { topic, partition }: RecordQuery): Error {
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

  constructor(log: LogReader, signal: AbortSignal) {
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
