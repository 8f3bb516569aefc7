import { OperatingError } from '../../src/core/errors.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { gapsTopicName } from '../../src/core/topic-name.ts';
import { encodeBatch } from '../../src/log/encoding/batch.ts';
import { gapRecord } from '../../src/log/retention/loss-ledger.ts';
import { BatchMerger } from '../../src/log/segments/batch-merger.ts';
import type {
  Compression,
  LedgerRange,
  LifeStart,
  MirroredLog,
  PartitionInfo,
  StoredBatch,
  TopicInfo,
  TopicSettings,
} from '../../src/log/types.ts';

interface Partition {
  readonly topic: string;
  readonly partition: number;
  logStartOffset: number;
  highWatermark: number;
  batches: StoredBatch[];
  lives: LifeStart[];
}

/** A log in memory that goes through lives: restarts, lost tails, retention. */
export class LogWithLives implements MirroredLog {
  readonly logId: string;
  /** Its clock is always set. */
  readonly unsettled = { from: () => null, sinceMs: () => null };
  #life: string;
  #lifeCount = 1;
  readonly #partitions: Partition[] = [];
  readonly #deleted: Partition[] = [];
  readonly #settings = new Map<string, TopicSettings>();
  readonly #listeners = new Set<() => void>();
  readonly #memos = new Map<string, Uint8Array>();
  /** Thrown by the next save. */
  saveError: Error | null = null;

  constructor(logId = '00112233445566778899aabbccddeeff') {
    this.logId = logId;
    this.#life = lifeId(1);
  }

  get life(): string {
    return this.#life;
  }

  createTopic(topic: string, partitions: number, settings: TopicSettings = {}): void {
    this.#settings.set(topic, settings);
    for (let partition = 0; partition < partitions; partition += 1) {
      const deleted = this.#deleted.find((one) => one.topic === topic && one.partition === partition);
      const offsets = { logStartOffset: 0, highWatermark: 0 };
      this.#partitions.push(deleted ?? { topic, partition, ...offsets, batches: [], lives: [] });
    }
    this.#changed();
  }

  setTopic(topic: string, settings: TopicSettings): void {
    this.#settings.set(topic, settings);
    this.#changed();
  }

  /** One batch; the offset of its first record. */
  append(topic: string, partition: number, records: readonly LogRecord[]): number {
    const stored = this.#find(topic, partition);
    const baseOffset = stored.highWatermark;
    if (stored.lives.at(-1)?.life !== this.#life)
      stored.lives.push({ life: this.#life, firstOffset: baseOffset });
    stored.batches.push({
      baseOffset,
      lastOffset: baseOffset + records.length - 1,
      sealed: false,
      maxTimestampMs: Math.max(...records.map(({ timestampMs }) => timestampMs)),
      bytes: encodeBatch(baseOffset, records),
    });
    stored.highWatermark = baseOffset + records.length;
    this.#changed();
    return baseOffset;
  }

  /** The daemon starts again. */
  startLife(): void {
    this.#lifeCount += 1;
    this.#life = lifeId(this.#lifeCount);
  }

  /** What a disk that lied about a sync does at the next power cut: the batches from this offset on are gone. */
  loseTail(topic: string, partition: number, fromOffset: number): void {
    const stored = this.#find(topic, partition);
    stored.batches = stored.batches.filter(({ lastOffset }) => lastOffset < fromOffset);
    stored.highWatermark = (stored.batches.at(-1)?.lastOffset ?? stored.logStartOffset - 1) + 1;
    stored.lives = stored.lives.filter(({ firstOffset }) => firstOffset < stored.highWatermark);
  }

  /** What the log does with whole journal files: the batches of the partition so far become few, large, compressed ones. */
  seal(topic: string, partition: number, compression: Compression = 'zstd'): void {
    const stored = this.#find(topic, partition);
    const merger = new BatchMerger(compression);
    const ordinalAt = (offset: number): number =>
      stored.lives.findLastIndex(({ firstOffset }) => firstOffset <= offset);
    const merged = stored.batches
      .filter(({ sealed }) => !sealed)
      .flatMap(({ bytes, baseOffset }) => merger.add(bytes, ordinalAt(baseOffset), baseOffset));
    const sealed = [...merged, ...merger.flush()].map(({ endOffset, ...batch }) => ({
      ...batch,
      lastOffset: endOffset - 1,
      sealed: true,
    }));
    stored.batches = [...stored.batches.filter((batch) => batch.sealed), ...sealed];
  }

  /** Everything below is gone: by retention, or dropped under a full budget. */
  moveLogStart(topic: string, partition: number, offset: number): void {
    const stored = this.#find(topic, partition);
    stored.logStartOffset = offset;
    stored.batches = stored.batches.filter(({ lastOffset }) => lastOffset >= offset);
    stored.lives = stored.lives.filter(
      (_, index) => (stored.lives[index + 1]?.firstOffset ?? Number.POSITIVE_INFINITY) > offset,
    );
    this.#changed();
  }

  /** The topic is gone with its records; created again it goes on with its offsets. */
  deleteTopic(topic: string): void {
    for (const stored of this.#partitions.filter((one) => one.topic === topic)) {
      this.moveLogStart(topic, stored.partition, stored.highWatermark);
      this.#partitions.splice(this.#partitions.indexOf(stored), 1);
      this.#deleted.push(stored);
    }
    this.#changed();
  }

  /** Offsets that damage took out of the middle. */
  loseBatch(topic: string, partition: number, offset: number): void {
    const stored = this.#find(topic, partition);
    stored.batches = stored.batches.filter(
      ({ baseOffset, lastOffset }) => offset < baseOffset || offset > lastOffset,
    );
  }

  topics(): readonly TopicInfo[] {
    const names = [...new Set(this.#partitions.map(({ topic }) => topic))];
    return names.map((name) => ({
      name,
      partitions: this.#partitions.filter(({ topic }) => topic === name).length,
      settings: this.#settings.get(name) ?? {},
    }));
  }

  partitions(): readonly PartitionInfo[] {
    return this.#partitions.map(({ topic, partition, logStartOffset, highWatermark }) => ({
      topic,
      partition,
      logStartOffset,
      highWatermark,
    }));
  }

  lives(topic: string, partition: number): readonly LifeStart[] {
    return [...this.#find(topic, partition).lives];
  }

  async read(
    topic: string,
    partition: number,
    offset: number,
    bytesMax: number,
  ): Promise<readonly StoredBatch[]> {
    const stored = this.#find(topic, partition);
    if (offset < stored.logStartOffset || offset > stored.highWatermark)
      throw new OperatingError('offset-out-of-range', `${topic}-${partition} has no offset ${offset}`);
    const found: StoredBatch[] = [];
    let bytes = 0;
    for (const batch of stored.batches) {
      if (batch.lastOffset < offset) continue;
      if (found.length > 0 && bytes + batch.bytes.length > bytesMax) break;
      found.push({ ...batch, bytes: Uint8Array.from(batch.bytes) });
      bytes += batch.bytes.length;
    }
    return await Promise.resolve(found);
  }

  /** Exact between batches. */
  storedBytes(topic: string, partition: number, offset: number): number {
    const waiting = this.#find(topic, partition).batches.filter(({ baseOffset }) => baseOffset >= offset);
    return waiting.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  giveBack(batches: readonly StoredBatch[]): void {
    spoil(batches);
  }

  memos(): ReadonlyMap<string, Uint8Array> {
    return this.#memos;
  }

  async saveMemos(memos: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const error = this.saveError;
    this.saveError = null;
    if (error !== null) throw error;
    for (const [key, value] of memos) {
      if (value.length > 0) this.#memos.set(key, value);
      else this.#memos.delete(key);
    }
    await Promise.resolve();
  }

  async enterInLedger(ranges: readonly LedgerRange[], memos: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await this.saveMemos(memos);
    if (ranges.length === 0) return;
    if (!this.topics().some(({ name }) => name === gapsTopicName)) this.createTopic(gapsTopicName, 1);
    // A real cluster would soon delete what is stamped long ago.
    for (const range of ranges) this.append(gapsTopicName, 0, [gapRecord(range, Date.now())]);
  }

  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #find(topic: string, partition: number): Partition {
    const found = this.#partitions.find((one) => one.topic === topic && one.partition === partition);
    if (found === undefined) throw new OperatingError('unknown-topic', `there is no ${topic}-${partition}`);
    return found;
  }
}

const lifeId = (number: number): string => number.toString(16).padStart(32, '0');

/** What batches look like to somebody who has given them back and looks at them all the same. */
export function spoil(batches: readonly StoredBatch[]): void {
  for (const { bytes } of batches) bytes.fill(0xee);
}
