import type { Clock } from '../../core/clock.ts';
import { assert, isOperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { LogReader, PartitionInfo } from '../../log/types.ts';
import type { PartitionBatch, SessionTopic } from '../cluster/target.ts';
import type { ReadRange } from '../mirror/mirror-steps.ts';
import type { ReadPosition } from '../mirror/objections.ts';
import { livesWithin } from '../mirror/resume.ts';
import { type FlushedBatch, PartitionFlush, type TimeSpan } from './partition-flush.ts';
import { sourceName } from './record-origin.ts';

/** What it carries of one partition. */
export interface FlushRange extends ReadRange {
  /** Of its first and its last record; null without records. */
  readonly times: TimeSpan | null;
}

/** What one transaction carries, checkpoints excepted. */
export interface Flush {
  readonly ranges: readonly FlushRange[];
  /** Those of one partition, here or there, in their order. */
  readonly batches: readonly PartitionBatch[];
  readonly recordCount: number;
  /** Some partition has more than this flush took. */
  readonly backlog: boolean;
}

/**
 * Reads what stands behind the positions, in their order: about `bytesMax` bytes in all, shared among the partitions
 * that have something, so memory does not depend on the backlog. A partition whose records are removed meanwhile is
 * left for the next flush. All positions are of these topics.
 * @throws OperatingError if the log cannot be read.
 */
export async function readFlush(
  log: LogReader,
  topics: readonly SessionTopic[],
  positions: readonly ReadPosition[],
  bytesMax: number,
  clock: Pick<Clock, 'sleep'>,
): Promise<Flush> {
  const waiting = waitingBehind(positions, log.partitions());
  const share = Math.max(Math.floor(bytesMax / waiting.length), limits.forwardBatchBytesMax);
  const ranges: FlushRange[] = [];
  const batches: PartitionBatch[] = [];
  let bytesLeft = bytesMax;
  let recordCount = 0;
  let backlog = false;
  for (const position of waiting) {
    const { topic, partition, nextOffset: fromOffset, end } = position;
    if (bytesLeft < Math.min(bytesMax, limits.forwardBatchBytesMax)) {
      backlog = true;
      break;
    }
    const to = topics.find(({ source }) => source === topic);
    assert(to !== undefined, `${topic} is read, but not of this session`);
    const own = Math.min(share, bytesLeft);
    const taken = await readPartition(log, to, position, own, clock).catch(nullIfRemoved);
    if (taken === null) {
      backlog = true;
      continue;
    }
    const { nextOffset, lives, times } = taken;
    ranges.push({ topic, partition, fromOffset, nextOffset, lives, times });
    for (const { batch, to: central, ...range } of taken.batches) {
      const source = { topic, partition, ...range };
      batches.push({ topic: to.name, partition: central, batch, source });
    }
    bytesLeft -= taken.bytes;
    recordCount += taken.recordCount;
    backlog ||= nextOffset < end;
  }
  return { ranges, batches, recordCount, backlog };
}

interface TakenOfPartition
  extends Pick<PartitionFlush, 'bytes' | 'recordCount' | 'times'>,
    Pick<ReadRange, 'nextOffset' | 'lives'> {
  readonly batches: readonly FlushedBatch[];
}

interface Waiting extends ReadPosition {
  /** The high watermark, or where something is set aside. */
  readonly end: number;
}

function waitingBehind(
  positions: readonly ReadPosition[],
  partitions: readonly PartitionInfo[],
): readonly Waiting[] {
  const ends = new Map(
    partitions.map((info) => [`${info.topic}/${info.partition}`, info.highWatermark] as const),
  );
  return positions
    .map((position) => {
      const highWatermark = ends.get(`${position.topic}/${position.partition}`) ?? 0;
      return { ...position, end: Math.min(highWatermark, position.untilOffset ?? highWatermark) };
    })
    .filter(({ nextOffset, end }) => nextOffset < end);
}

/** What a transaction takes of one partition. */
async function readPartition(
  log: LogReader,
  to: SessionTopic,
  position: Waiting,
  bytesMax: number,
  clock: Pick<Clock, 'sleep'>,
): Promise<TakenOfPartition> {
  const { topic, partition, nextOffset: fromOffset, end } = position;
  const source = sourceName(log.logId, topic, partition);
  const origin = { source, lives: () => log.lives(topic, partition) };
  const taken = new PartitionFlush(to, position, bytesMax, to.isIdentified ? origin : null);
  const isDecoded = to.isByKey || to.isIdentified;
  const pieceBytes = Math.min(
    bytesMax,
    isDecoded ? limits.decodedPieceBytesMax : limits.forwardBatchBytesMax,
  );
  let hasRoom = true;
  while (hasRoom && taken.nextOffset < end) {
    const stored = await log.read(topic, partition, taken.nextOffset, pieceBytes);
    // Nothing up to the end: the medium took it all. The checkpoint passes it, or the mirror would stand still.
    if ((stored[0]?.baseOffset ?? end) >= end) taken.passTo(end);
    const isVerbatim = stored.every((batch) => taken.isVerbatim(batch));
    for (const batch of stored) hasRoom &&= taken.add(batch);
    // Of such batches it has taken copies.
    if (isVerbatim) log.giveBack(stored);
    // Decoding one piece after the other would keep everybody else waiting.
    await taken.compressed();
    if (isDecoded) await clock.sleep(0);
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
