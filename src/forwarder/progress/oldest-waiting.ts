import type { PartitionInfo } from '../../log/types.ts';
import type { FlushRange } from '../flush/flush.ts';

/** What waits in one partition: from the first offset up to, not including, the second. Nothing if they are equal. */
export interface WaitingRange {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly endOffset: number;
}

/** What waits in a partition of which the cluster has everything below `nextOffset`; what was dropped does not. */
export function waitingRange(
  { topic, partition, logStartOffset, highWatermark: endOffset }: PartitionInfo,
  nextOffset: number,
): WaitingRange {
  const fromOffset = Math.min(Math.max(nextOffset, logStartOffset), endOffset);
  return { topic, partition, fromOffset, endOffset };
}

/** Both clocks at one moment, milliseconds. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** The oldest record that waits in a partition. */
interface Oldest {
  /** Where it is, or where the next one will be if none waits. */
  readonly offset: number;
  readonly isThere: boolean;
  /** Where the partition ended when it was looked at last. */
  endOffset: number;
  /** When it was noticed, by the monotonic clock. */
  readonly noticedMs: number;
  /** Its stamp, or that of the one before it. Null: it was committed when it was noticed, or nobody has read it yet. */
  readonly timestampMs: number | null;
  readonly isUnread: boolean;
}

/**
 * How long the oldest record of each partition has waited for the cluster. One that is committed before our eyes waits from
 * then on, whatever becomes of the wall clock; of others, such as those of earlier runs, the stamp counts, which somebody
 * has to read: until then they count from when they were noticed.
 */
export class OldestWaiting {
  readonly #oldest = new Map<string, Oldest>();

  /**
   * What waits now, in all mirrored partitions; others are forgotten. Returns how many records have arrived since it was called
   * last: what was there when a partition was seen first has not. It is called with each commit, so it is to be quick.
   */
  update(ranges: readonly WaitingRange[], { monotonicMs: noticedMs }: Moment): number {
    let arrived = 0;
    for (const range of ranges) {
      const name = nameOf(range);
      const known = this.#oldest.get(name);
      const { fromOffset: offset, endOffset } = range;
      if (known !== undefined) {
        arrived += Math.max(0, endOffset - known.endOffset);
        known.endOffset = endOffset;
      }
      const isThere = offset < endOffset;
      if (known?.isThere === isThere && known.offset === offset) continue;
      const isNew = known?.isThere === false && known.offset <= offset;
      const isUnread = isThere && !isNew;
      this.#oldest.set(name, { offset, isThere, endOffset, noticedMs, timestampMs: null, isUnread });
    }
    if (this.#oldest.size !== ranges.length) this.#forgetAllBut(new Set(ranges.map(nameOf)));
    return arrived;
  }

  /** One of the partitions of which the oldest record has to be read; undefined if there is none. */
  unread(ranges: readonly WaitingRange[]): WaitingRange | undefined {
    return ranges.find((range) => this.#oldest.get(nameOf(range))?.isUnread === true);
  }

  /** The stamp of the record at the beginning of the range; null if it cannot be read. */
  learn(range: WaitingRange, timestampMs: number | null): void {
    const known = this.#oldest.get(nameOf(range));
    if (known?.offset !== range.fromOffset || !known.isUnread) return;
    this.#oldest.set(nameOf(range), { ...known, timestampMs, isUnread: false });
  }

  /** These were read to be sent. */
  read(ranges: readonly FlushRange[]): void {
    for (const range of ranges) {
      const known = this.#oldest.get(nameOf(range));
      const isAGuess = known !== undefined && (known.isUnread || known.timestampMs !== null);
      if (range.times === null || !isAGuess || known.offset !== range.fromOffset) continue;
      this.#oldest.set(nameOf(range), { ...known, timestampMs: range.times.oldestMs, isUnread: false });
    }
  }

  /** The cluster has acknowledged these: what follows on them is no older than their last record. */
  acknowledged(ranges: readonly FlushRange[], { monotonicMs: noticedMs }: Moment): void {
    for (const range of ranges) {
      const timestampMs = range.times?.newestMs ?? null;
      const { nextOffset: offset } = range;
      const endOffset = this.#oldest.get(nameOf(range))?.endOffset ?? offset;
      const next = { offset, isThere: true, endOffset, noticedMs, timestampMs, isUnread: false };
      this.#oldest.set(nameOf(range), next);
    }
  }

  /** Seconds that the oldest record of these partitions has waited; 0 if none does. A wall clock that was set back counts as 0. */
  ageSeconds(ranges: readonly WaitingRange[], { monotonicMs, wallMs }: Moment): number {
    let ageMs = 0;
    for (const range of ranges) {
      const known = this.#oldest.get(nameOf(range));
      if (known?.isThere !== true || range.fromOffset >= range.endOffset) continue;
      const { timestampMs, noticedMs } = known;
      ageMs = Math.max(ageMs, timestampMs === null ? monotonicMs - noticedMs : wallMs - timestampMs);
    }
    return ageMs / 1000;
  }

  #forgetAllBut(names: ReadonlySet<string>): void {
    for (const name of this.#oldest.keys()) if (!names.has(name)) this.#oldest.delete(name);
  }
}

const nameOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${topic}/${partition}`;
