import type { Log } from '../../src/log/log.ts';
import type { LifeStart, MirroredLog, PartitionInfo, StoredBatch, TopicInfo } from '../../src/log/types.ts';

/** Where the log of each partition begins, by `topic/partition`. */
export type Trims = Map<string, number>;

/** A log with retention, which the log itself does not have yet: what lies below the trims is gone, its lives too. */
export class TrimmedLog implements MirroredLog {
  readonly #log: Log;
  readonly #trims: Trims;

  constructor(log: Log, trims: Trims) {
    this.#log = log;
    this.#trims = trims;
  }

  get logId(): string {
    return this.#log.logId;
  }

  topics(): readonly TopicInfo[] {
    return this.#log.topics();
  }

  partitions(): readonly PartitionInfo[] {
    return this.#log.partitions().map((info) => {
      const trimmed = this.#trims.get(`${info.topic}/${info.partition}`) ?? 0;
      return { ...info, logStartOffset: Math.min(trimmed, info.highWatermark) };
    });
  }

  lives(topic: string, partition: number): readonly LifeStart[] {
    const lives = this.#log.lives(topic, partition);
    const info = this.partitions().find((one) => one.topic === topic && one.partition === partition);
    return lives.filter(
      (_, index) => (lives[index + 1]?.firstOffset ?? info?.highWatermark ?? 0) > (info?.logStartOffset ?? 0),
    );
  }

  read(topic: string, partition: number, offset: number, bytesMax: number): Promise<readonly StoredBatch[]> {
    return this.#log.read(topic, partition, offset, bytesMax);
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
}
