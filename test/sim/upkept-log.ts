import { decodeBatch, encodeBatch } from '../../src/log/encoding/batch.ts';
import type { Log } from '../../src/log/log.ts';
import { BatchMerger } from '../../src/log/segments/batch-merger.ts';
import type {
  LedgerRange,
  LifeStart,
  MirroredLog,
  PartitionInfo,
  StoredBatch,
  TopicInfo,
  Unsettled,
} from '../../src/log/types.ts';
import { spoil } from '../support/log-with-lives.ts';

/** What upkeep has done so far, by `topic/partition`: it stays when the process ends. */
export interface Upkept {
  /** Where the log of the partition begins: what lies below is gone, its lives too. */
  readonly starts: Map<string, number>;
  /** Below this offset the partition is served in sealed batches. */
  readonly sealedEnds: Map<string, number>;
}

export const nothingUpkept = (): Upkept => ({ starts: new Map(), sealedEnds: new Map() });

export const forkUpkept = ({ starts, sealedEnds }: Upkept): Upkept => ({
  starts: new Map(starts),
  sealedEnds: new Map(sealedEnds),
});

/** As few as that, so that short runs have many sealed batches, and positions within them. */
const sealedBatchRecords = 4;

/** A log whose upkeep is in the hands of the scenario: sealing, retention, and dropping what was not sent. */
export class UpkeptLog implements MirroredLog {
  readonly #log: Log;
  readonly #upkept: Upkept;

  constructor(log: Log, upkept: Upkept) {
    this.#log = log;
    this.#upkept = upkept;
  }

  get logId(): string {
    return this.#log.logId;
  }

  topics(): readonly TopicInfo[] {
    return this.#log.topics();
  }

  partitions(): readonly PartitionInfo[] {
    return this.#log.partitions().map((info) => {
      const start = this.#upkept.starts.get(`${info.topic}/${info.partition}`) ?? 0;
      return { ...info, logStartOffset: Math.min(start, info.highWatermark) };
    });
  }

  partition(topic: string, partition: number): PartitionInfo {
    const info = this.partitions().find((one) => one.topic === topic && one.partition === partition);
    return info ?? { topic, partition, logStartOffset: 0, highWatermark: 0 };
  }

  get unsettled(): Unsettled {
    return this.#log.unsettled;
  }

  lives(topic: string, partition: number): readonly LifeStart[] {
    const lives = this.#log.lives(topic, partition);
    const { logStartOffset, highWatermark } = this.partition(topic, partition);
    return lives.filter((_, index) => (lives[index + 1]?.firstOffset ?? highWatermark) > logStartOffset);
  }

  async read(
    topic: string,
    partition: number,
    offset: number,
    bytesMax: number,
  ): Promise<readonly StoredBatch[]> {
    const sealedEnd = this.#upkept.sealedEnds.get(`${topic}/${partition}`) ?? 0;
    if (offset >= sealedEnd) return this.#log.read(topic, partition, offset, bytesMax);
    const lives = this.#log.lives(topic, partition);
    const from = offset - (offset % sealedBatchRecords);
    const stored: StoredBatch[] = [];
    // What lies before the offset is there to have a batch that begins before it.
    for (let next = from; next <= offset; next = (stored.at(-1)?.lastOffset ?? offset) + 1) {
      const piece = await this.#log.read(topic, partition, next, bytesMax);
      if (piece.length === 0) break;
      stored.push(...piece);
    }
    const merger = new BatchMerger('zstd');
    const merged = stored
      .flatMap(({ bytes }) => decodeBatch(bytes))
      .filter((record) => record.offset >= from && record.offset < sealedEnd)
      .flatMap((record) => {
        const done = record.offset % sealedBatchRecords === 0 ? merger.flush() : [];
        const ordinal = lives.findLastIndex(({ firstOffset }) => firstOffset <= record.offset);
        return [...done, ...merger.add(encodeBatch(record.offset, [record]), ordinal, record.offset)];
      });
    const sealed = [...merged, ...merger.flush()]
      .map(({ endOffset, ...batch }) => ({ ...batch, lastOffset: endOffset - 1, sealed: true }))
      .filter(({ lastOffset }) => lastOffset >= offset);
    // A disk that lies may have lost the last sealed ones.
    const { highWatermark } = this.partition(topic, partition);
    if (sealed.length > 0 || sealedEnd >= highWatermark) return sealed;
    return this.#log.read(topic, partition, sealedEnd, bytesMax);
  }

  storedBytes(topic: string, partition: number, offset: number): number {
    return this.#log.storedBytes(topic, partition, offset);
  }

  giveBack(batches: readonly StoredBatch[]): void {
    // The sealed ones were made for the reader.
    spoil(batches.filter(({ sealed }) => sealed));
    this.#log.giveBack(batches);
  }

  onCommit(listener: () => void): () => void {
    return this.#log.onCommit(listener);
  }

  memos(): ReadonlyMap<string, Uint8Array> {
    return this.#log.memos();
  }

  saveMemos(memos: ReadonlyMap<string, Uint8Array>): Promise<void> {
    return this.#log.saveMemos(memos);
  }

  enterInLedger(ranges: readonly LedgerRange[], memos: ReadonlyMap<string, Uint8Array>): Promise<void> {
    return this.#log.enterInLedger(ranges, memos);
  }
}
