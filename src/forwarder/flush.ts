import { isOperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { LogReader, PartitionInfo } from '../log/types.ts';
import type { Position } from './checkpoint.ts';
import type { ReadRange } from './mirror.ts';
import { centralTopic } from './names.ts';
import type { OutgoingBatch } from './outgoing-batch.ts';
import { PartitionFlush, type TimeSpan } from './partition-flush.ts';
import { livesWithin } from './resume.ts';
import type { PartitionBatch } from './target.ts';

/** What one transaction carries, checkpoints excepted. */
export interface Flush {
  readonly ranges: readonly ReadRange[];
  /** Those of one partition follow each other. */
  readonly batches: readonly PartitionBatch[];
  readonly recordCount: number;
  /** Of the first and the last record of each partition; null without records. */
  readonly times: TimeSpan | null;
  /** Some partition has more than this flush took. */
  readonly backlog: boolean;
}

/**
 * Reads what stands behind the positions, in their order: about `bytesMax` bytes in all, shared among the partitions
 * that have something, so memory does not depend on the backlog. A partition whose records are removed meanwhile is
 * left for the next flush.
 * @throws OperatingError if the log cannot be read.
 */
export async function readFlush(
  log: LogReader,
  gateway: string,
  positions: readonly Position[],
  bytesMax: number,
): Promise<Flush> {
  const waiting = waitingBehind(positions, log.partitions());
  const share = Math.max(Math.floor(bytesMax / waiting.length), limits.forwardBatchBytesMax);
  const ranges: ReadRange[] = [];
  const batches: PartitionBatch[] = [];
  const spans: TimeSpan[] = [];
  let bytesLeft = bytesMax;
  let recordCount = 0;
  let backlog = false;
  for (const { topic, partition, nextOffset: fromOffset, end } of waiting) {
    if (bytesLeft < Math.min(bytesMax, limits.forwardBatchBytesMax)) {
      backlog = true;
      break;
    }
    const from = { topic, partition, fromOffset, end };
    const taken = await readPartition(log, from, Math.min(share, bytesLeft)).catch(nullIfRemoved);
    if (taken === null) {
      backlog = true;
      continue;
    }
    const { nextOffset, lives } = taken;
    ranges.push({ topic, partition, fromOffset, nextOffset, lives });
    for (const batch of taken.batches)
      batches.push({ topic: centralTopic(gateway, topic), partition, batch });
    if (taken.times !== null) spans.push(taken.times);
    bytesLeft -= taken.bytes;
    recordCount += taken.recordCount;
    backlog ||= nextOffset < end;
  }
  return { ranges, batches, recordCount, times: union(spans), backlog };
}

interface TakenOfPartition
  extends Pick<PartitionFlush, 'bytes' | 'recordCount' | 'times'>,
    Pick<ReadRange, 'nextOffset' | 'lives'> {
  readonly batches: readonly OutgoingBatch[];
}

interface Waiting extends Position {
  /** The high watermark. */
  readonly end: number;
}

function waitingBehind(
  positions: readonly Position[],
  partitions: readonly PartitionInfo[],
): readonly Waiting[] {
  const ends = new Map(
    partitions.map((info) => [`${info.topic}/${info.partition}`, info.highWatermark] as const),
  );
  return positions
    .map((position) => ({ ...position, end: ends.get(`${position.topic}/${position.partition}`) ?? 0 }))
    .filter(({ nextOffset, end }) => nextOffset < end);
}

/** What a transaction takes of one partition. */
async function readPartition(
  log: LogReader,
  from: Pick<ReadRange, 'topic' | 'partition' | 'fromOffset'> & { readonly end: number },
  bytesMax: number,
): Promise<TakenOfPartition> {
  const { topic, partition, fromOffset, end } = from;
  const taken = new PartitionFlush(fromOffset, bytesMax);
  const pieceBytes = Math.min(bytesMax, limits.forwardBatchBytesMax);
  let hasRoom = true;
  while (hasRoom && taken.nextOffset < end) {
    const stored = await log.read(topic, partition, taken.nextOffset, pieceBytes);
    // Nothing up to the end: the medium took it all. The checkpoint passes it, or the mirror would stand still.
    if (stored.length === 0) taken.passTo(end);
    const isVerbatim = stored.every(({ sealed, baseOffset }) => sealed && baseOffset >= taken.nextOffset);
    for (const batch of stored) hasRoom &&= taken.add(batch);
    // Of such batches it has taken copies.
    if (isVerbatim) log.giveBack(stored);
    // Decoding one piece after the other would keep everybody else waiting.
    await taken.compressed();
  }
  const { nextOffset, bytes, recordCount, times } = taken;
  const lives = livesWithin(log.lives(topic, partition), fromOffset, nextOffset);
  return { nextOffset, bytes, recordCount, times, lives, batches: await taken.finish() };
}

/** The topic, or what was to be read, may be removed at any time. */
function nullIfRemoved(error: unknown): null {
  if (isOperatingError(error) && removals.has(error.code)) return null;
  throw error;
}

const removals: ReadonlySet<string> = new Set(['unknown-topic', 'illegal-partition', 'offset-out-of-range']);

function union(spans: readonly TimeSpan[]): TimeSpan | null {
  if (spans.length === 0) return null;
  return {
    oldestMs: Math.min(...spans.map(({ oldestMs }) => oldestMs)),
    newestMs: Math.max(...spans.map(({ newestMs }) => newestMs)),
  };
}
