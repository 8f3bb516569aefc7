import { assert, OperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { readBatchHeader } from './batch.ts';
import {
  checkpointEntry,
  decodeEntries,
  type Entry,
  encodeEntries,
  entryKinds,
  lifeEntry,
  type PartitionId,
  partitionStateEntry,
  readCheckpointEntry,
  readLifeEntry,
  readPartitionStateEntry,
  readQos2Entry,
  readRecordBatchEntry,
  readTopicSettingEntry,
  type TopicSetting,
  topicSettingEntry,
} from './entries.ts';
import { OpenQos2Ids } from './qos2-ids.ts';
import type { LifeStart } from './types.ts';

/** A life, as the file header and the snapshot name it. */
export interface Life {
  readonly ordinal: number;
  /** 32 hex digits. */
  readonly lifeId: string;
}

/** A partition in memory. */
export interface Partition {
  readonly id: PartitionId;
  topic: string;
  logStartOffset: number;
  sealedOffset: number;
  nextOffset: number;
  /** The lives that wrote here, oldest first, each with its first offset. */
  readonly lives: { readonly ordinal: number; readonly firstOffset: number }[];
}

/**
 * Everything that the journal says, except the records themselves: a pure fold over its entries. Replaying the
 * snapshot of a file and then its frames gives the same state as having lived through them.
 */
export class LogState {
  readonly #topics = new Map<number, TopicSetting>();
  readonly #topicNumbers = new Map<string, number>();
  readonly #partitions = new Map<string, Partition>();
  readonly #lifeIds = new Map<number, string>();
  readonly #memos = new Map<string, Uint8Array>();
  readonly qos2Ids = new OpenQos2Ids();
  #lifeStarts = 0;

  /** @throws OperatingError `unreadable-format` for an entry of a kind that only `writer`'s version knows. */
  static fromSnapshot(snapshot: Uint8Array, writer: string): LogState {
    const state = new LogState();
    for (const entry of decodeEntries(snapshot)) state.apply(entry, undefined, writer);
    return state;
  }

  /** Entries which, applied to an empty state, give this one. */
  snapshot(): Uint8Array {
    const lives = [...this.#lifeIds].map(([ordinal, lifeId]) => ({ ordinal, lifeId }));
    const entries: Entry[] = [
      ...[...this.#topics.values()].map(topicSettingEntry),
      ...[...this.#partitions.values()].map(partitionStateEntry),
      ...lives.map((life) => lifeEntry({ ...life, starts: this.#startsOf(life.ordinal) })),
      ...[...this.#memos].map(([key, value]) => checkpointEntry({ key, value })),
      ...this.qos2Ids.entries(),
    ];
    return encodeEntries(entries);
  }

  /**
   * Takes one durable entry in. `life` is the life of its frame; entries of a snapshot have none.
   * @throws OperatingError `unreadable-format` for a kind that this version does not know.
   */
  apply(entry: Entry, life: Life | undefined, writer: string): void {
    switch (entry.kind) {
      case entryKinds.recordBatch:
        assert(life !== undefined, 'record batches are in frames');
        this.#applyBatch(entry, life);
        break;
      case entryKinds.topicSetting:
        this.#applyTopic(readTopicSettingEntry(entry));
        break;
      case entryKinds.partitionState: {
        const { id, ...offsets } = readPartitionStateEntry(entry);
        Object.assign(this.partitionById(id), offsets);
        break;
      }
      case entryKinds.life:
        this.#applyLife(entry);
        break;
      case entryKinds.qos2Id:
        this.qos2Ids.open(readQos2Entry(entry));
        break;
      case entryKinds.qos2Release:
        this.qos2Ids.release(readQos2Entry(entry));
        break;
      case entryKinds.checkpoint: {
        const { key, value } = readCheckpointEntry(entry);
        if (value.length > 0) this.#memos.set(key, value);
        else this.#memos.delete(key);
        break;
      }
      default:
        throw new OperatingError(
          'unreadable-format',
          `the data folder was written by Headwater ${writer} and holds entries of kind ${entry.kind}, which this ` +
            'version does not know: start that version or a later one',
        );
    }
  }

  topics(): readonly TopicSetting[] {
    return [...this.#topics.values()];
  }

  topic(name: string): TopicSetting | undefined {
    return this.#topics.get(this.#topicNumbers.get(name) ?? -1);
  }

  /** A number that no topic of this log ever had. */
  nextTopicNumber(): number {
    return Math.max(0, ...this.#topics.keys()) + 1;
  }

  partitions(): readonly Partition[] {
    return [...this.#partitions.values()];
  }

  partition(topic: string, partition: number): Partition | undefined {
    const topicNumber = this.#topicNumbers.get(topic);
    return topicNumber === undefined
      ? undefined
      : this.#partitions.get(partitionKey({ topicNumber, partition }));
  }

  partitionById(id: PartitionId): Partition {
    const partition = this.#partitions.get(partitionKey(id));
    assert(partition !== undefined, `the journal names partition ${partitionKey(id)} before its topic`);
    return partition;
  }

  /** The lives of a partition with their ids, oldest first. */
  lives(partition: Partition): readonly LifeStart[] {
    return partition.lives.map(({ ordinal, firstOffset }) => ({
      life: this.#lifeIds.get(ordinal) ?? '',
      firstOffset,
    }));
  }

  /** What the mirror keeps, by key. */
  memos(): ReadonlyMap<string, Uint8Array> {
    return this.#memos;
  }

  #applyBatch(entry: Entry, life: Life): void {
    const { id, batch } = readRecordBatchEntry(entry);
    const { baseOffset, lastOffset } = readBatchHeader(batch);
    if (!this.#partitions.has(partitionKey(id))) this.#applyTopic(this.#topicOfOrphan(id));
    const partition = this.partitionById(id);
    assert(baseOffset >= partition.nextOffset, `offset ${baseOffset} of ${partitionKey(id)} is used already`);
    if (partition.lives.at(-1)?.ordinal !== life.ordinal) {
      this.#addLifeStart(partition, life, baseOffset);
    }
    partition.nextOffset = lastOffset + 1;
  }

  /** The medium took the commit that made this partition, not its records: they stay, if need be under a name of ours. */
  #topicOfOrphan({ topicNumber, partition }: PartitionId): TopicSetting {
    const name = this.#topics.get(topicNumber)?.name ?? `lost-name-${topicNumber}`;
    return { topicNumber, name, partitions: partition + 1, settings: {} };
  }

  #applyTopic(setting: TopicSetting): void {
    this.#topicNumbers.delete(this.#topics.get(setting.topicNumber)?.name ?? '');
    this.#topics.set(setting.topicNumber, setting);
    this.#topicNumbers.set(setting.name, setting.topicNumber);
    for (let partition = 0; partition < setting.partitions; partition += 1) {
      const id = { topicNumber: setting.topicNumber, partition };
      const known = this.#partitions.get(partitionKey(id));
      if (known !== undefined) {
        known.topic = setting.name;
        continue;
      }
      const fresh = { logStartOffset: 0, sealedOffset: 0, nextOffset: 0, lives: [] };
      this.#partitions.set(partitionKey(id), { id, topic: setting.name, ...fresh });
    }
  }

  #applyLife(entry: Entry): void {
    const { ordinal, lifeId, starts } = readLifeEntry(entry);
    for (const { id, firstOffset } of starts) {
      this.#addLifeStart(this.partitionById(id), { ordinal, lifeId }, firstOffset);
    }
  }

  #addLifeStart(partition: Partition, life: Life, firstOffset: number): void {
    this.#lifeIds.set(life.ordinal, life.lifeId);
    partition.lives.push({ ordinal: life.ordinal, firstOffset });
    this.#lifeStarts += 1;
    while (this.#lifeStarts > limits.lifeStartsMax) this.#forgetOldestLife();
  }

  #forgetOldestLife(): void {
    const oldest = Math.min(...this.#lifeIds.keys());
    this.#lifeIds.delete(oldest);
    for (const { lives } of this.#partitions.values()) {
      if (lives[0]?.ordinal !== oldest) continue;
      lives.shift();
      this.#lifeStarts -= 1;
    }
  }

  #startsOf(ordinal: number): { id: PartitionId; firstOffset: number }[] {
    return [...this.#partitions.values()].flatMap(({ id, lives }) =>
      lives.filter((life) => life.ordinal === ordinal).map(({ firstOffset }) => ({ id, firstOffset })),
    );
  }
}

/** The ordinal of the life that wrote an offset, or undefined if the table has forgotten it. */
export const lifeAt = (partition: Partition, offset: number): number | undefined =>
  partition.lives.findLast(({ firstOffset }) => firstOffset <= offset)?.ordinal;

/** A partition as the key of a map. */
export const partitionKey = (id: PartitionId): string => `${id.topicNumber}/${id.partition}`;
