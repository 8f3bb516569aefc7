import { OperatingError } from '../../src/core/errors.ts';
import type { NewRecord } from '../../src/core/record.ts';
import { encodeBatch } from '../../src/log/encoding/batch.ts';
import type {
  LifeStart,
  LogReader,
  PartitionInfo,
  StoredBatch,
  TopicInfo,
  TopicSettings,
} from '../../src/log/types.ts';

/**
 * A log in memory, for what reads and appends: one batch for each record, nothing durable, faults on request. Stamps are when records
 * were received, by the monotonic clock.
 */
export class MemoryLog implements LogReader {
  readonly logId = '00112233445566778899aabbccddeeff';
  available = true;
  unavailableReason: string | null = null;
  /** How often somebody has read. */
  reads = 0;
  /** Thrown by the next read. */
  readError: Error | null = null;
  readonly #topics = new Map<string, StoredBatch[][]>();
  readonly #settings = new Map<string, TopicSettings>();
  readonly #logStarts = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  topics(): readonly TopicInfo[] {
    return [...this.#topics].map(([name, partitions]) => ({
      name,
      partitions: partitions.length,
      settings: this.#settings.get(name) ?? {},
    }));
  }

  partitions(): readonly PartitionInfo[] {
    return [...this.#topics].flatMap(([topic, partitions]) =>
      partitions.map((batches, partition) => ({
        topic,
        partition,
        logStartOffset: this.#logStarts.get(`${topic}-${partition}`) ?? 0,
        highWatermark: batches.length,
      })),
    );
  }

  lives(): readonly LifeStart[] {
    return [];
  }

  giveBack(): void {}

  async read(
    topic: string,
    partition: number,
    offset: number,
    bytesMax: number,
  ): Promise<readonly StoredBatch[]> {
    this.reads += 1;
    if (this.readError !== null) throw this.readError;
    const found: StoredBatch[] = [];
    let bytes = 0;
    for (const batch of this.#partition(topic, partition).slice(offset)) {
      if (found.length > 0 && bytes + batch.bytes.length > bytesMax) break;
      found.push(batch);
      bytes += batch.bytes.length;
    }
    return await Promise.resolve(found);
  }

  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async append(records: readonly NewRecord[]): Promise<readonly { partition: number; offset: number }[]> {
    if (!this.available) throw new OperatingError('log-unavailable', 'the disk does not answer');
    const appended = records.map((record) => {
      const partition = record.partition ?? 0;
      const batches = this.#partition(record.topic, partition);
      const offset = batches.length;
      const timestampMs = record.timestampMs ?? Math.round(record.receivedMs);
      const bytes = encodeBatch(offset, [{ ...record, timestampMs }]);
      batches.push({
        baseOffset: offset,
        lastOffset: offset,
        maxTimestampMs: timestampMs,
        sealed: false,
        bytes,
      });
      return { partition, offset };
    });
    this.commit();
    return await Promise.resolve(appended);
  }

  async createTopic(name: string, partitions: number, settings: TopicSettings = {}): Promise<void> {
    if (this.#topics.has(name)) throw new OperatingError('topic-exists', `topic ${name} exists`);
    await this.growTopic(name, partitions);
    this.#settings.set(name, settings);
  }

  async setTopic(name: string, settings: TopicSettings): Promise<void> {
    if (!this.#topics.has(name)) throw new OperatingError('unknown-topic', `there is no topic ${name}`);
    this.#settings.set(name, settings);
    await Promise.resolve();
  }

  /** Unlike the real one, it forgets the offsets. */
  async deleteTopic(name: string): Promise<void> {
    if (!this.#topics.delete(name)) throw new OperatingError('unknown-topic', `there is no topic ${name}`);
    this.#settings.delete(name);
    this.commit();
    await Promise.resolve();
  }

  /** By the timestamps of the batches, which hold one record each. */
  async offsetForTime(topic: string, partition: number, timestampMs: number): Promise<number> {
    const batches = this.#partition(topic, partition);
    const first = batches.find(({ maxTimestampMs }) => maxTimestampMs >= timestampMs);
    return await Promise.resolve(first?.baseOffset ?? batches.length);
  }

  async growTopic(name: string, partitions: number): Promise<void> {
    const present = this.#topics.get(name) ?? [];
    while (present.length < partitions) present.push([]);
    this.#topics.set(name, present);
    await Promise.resolve();
  }

  /** As retention does. */
  moveLogStart(topic: string, partition: number, offset: number): void {
    this.#logStarts.set(`${topic}-${partition}`, offset);
  }

  /** Tells the readers that there is something new. */
  commit(): void {
    for (const listener of this.#listeners) listener();
  }

  #partition(topic: string, partition: number): StoredBatch[] {
    const partitions = this.#topics.get(topic);
    if (partitions === undefined) throw new OperatingError('unknown-topic', `there is no topic ${topic}`);
    const batches = partitions[partition];
    if (batches === undefined) throw new OperatingError('illegal-partition', `no partition ${partition}`);
    return batches;
  }
}
