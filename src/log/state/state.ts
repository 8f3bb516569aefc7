import { assert, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { readClockEpochEntry } from '../clock/clock-entry.ts';
import { ClockEpochs } from '../clock/clock-epochs.ts';
import { readBatchHeader } from '../encoding/batch.ts';
import type { LifeStart } from '../types.ts';
import { dropSegmentsBelow, enterSegment, partitionFolder, type Segment, segmentPath } from './catalog.ts';
import {
  checkpointEntry,
  decodeEntries,
  type Entry,
  encodeEntries,
  entryKinds,
  lifeEntry,
  type PartitionId,
  partitionKey,
  partitionStateEntry,
  readCheckpointEntry,
  readLifeEntry,
  readLogStartMoveEntry,
  readPartitionStateEntry,
  readQos2Entry,
  readRecordBatchEntry,
  readSealedOffsetEntry,
  readSegmentEntry,
  readTopicDeletionEntry,
  readTopicSettingEntry,
  segmentEntry,
  type TopicSetting,
  topicDeletionEntry,
  topicSettingEntry,
} from './entries.ts';
import { OpenQos2Ids } from './qos2-ids.ts';
import { RecordSizes } from './record-sizes.ts';

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
  /** Everything below is in segments, or gone. */
  sealedOffset: number;
  nextOffset: number;
  /** Oldest first. */
  readonly segments: Segment[];
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
  readonly #deletedTopics = new Set<number>();
  readonly #partitions = new Map<string, Partition>();
  readonly #lifeIds = new Map<number, string>();
  readonly #memos = new Map<string, Uint8Array>();
  readonly clockEpochs = new ClockEpochs();
  readonly qos2Ids = new OpenQos2Ids();
  readonly recordSizes = new RecordSizes();
  #lifeStarts = 0;
  #segmentBytes = 0;
  readonly #dropped = new Map<string, number>();
  #droppedBytes = 0;

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
      ...[...this.#deletedTopics].map(topicDeletionEntry),
      ...[...this.#partitions.values()].flatMap(({ id, segments }) =>
        segments.map((segment) => segmentEntry({ ...segment, id })),
      ),
      ...lives.map((life) => lifeEntry({ ...life, starts: this.#startsOf(life.ordinal) })),
      ...this.clockEpochs.entries(),
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
        Object.assign(this.#ensurePartition(id), offsets);
        break;
      }
      case entryKinds.segment: {
        const { id, ...segment } = readSegmentEntry(entry);
        this.#segmentBytes += enterSegment(this.partitionById(id).segments, segment);
        break;
      }
      case entryKinds.sealedOffset: {
        const { id, sealedOffset } = readSealedOffsetEntry(entry);
        this.partitionById(id).sealedOffset = sealedOffset;
        break;
      }
      case entryKinds.logStartMove: {
        const { id, logStartOffset } = readLogStartMoveEntry(entry);
        this.#moveLogStart(this.partitionById(id), logStartOffset);
        break;
      }
      case entryKinds.topicDeletion:
        this.#applyDeletion(readTopicDeletionEntry(entry));
        break;
      case entryKinds.life:
        this.#applyLife(entry);
        break;
      case entryKinds.clockEpoch:
        this.clockEpochs.enter(readClockEpochEntry(entry));
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

  /** Without deleted ones. */
  topics(): readonly TopicSetting[] {
    return [...this.#topics.values()].filter(({ topicNumber }) => !this.#deletedTopics.has(topicNumber));
  }

  /** Undefined also for a topic that was deleted. */
  topic(name: string): TopicSetting | undefined {
    const topic = this.#topics.get(this.#topicNumbers.get(name) ?? -1);
    return topic === undefined || this.#deletedTopics.has(topic.topicNumber) ? undefined : topic;
  }

  /** Undefined also for a topic that was deleted. */
  topicByNumber(topicNumber: number): TopicSetting | undefined {
    return this.#deletedTopics.has(topicNumber) ? undefined : this.#topics.get(topicNumber);
  }

  /** How many topics were deleted and are remembered for their offsets. */
  get deletedTopics(): number {
    return this.#deletedTopics.size;
  }

  /** What the segments in the catalog take. */
  get segmentBytes(): number {
    return this.#segmentBytes;
  }

  /** The number that a topic of this name has or had. */
  topicNumber(name: string): number | undefined {
    return this.#topicNumbers.get(name);
  }

  /** A number that no topic of this log ever had. */
  nextTopicNumber(): number {
    return Math.max(0, ...this.#topics.keys()) + 1;
  }

  /** Of all topics that are not deleted. */
  partitions(): readonly Partition[] {
    return [...this.#partitions.values()].filter(({ id }) => this.#isThere(id));
  }

  /** Also of deleted topics, and those that a topic had before it was deleted and created again with fewer. */
  everyPartition(): readonly Partition[] {
    return [...this.#partitions.values()];
  }

  partition(topic: string, partition: number): Partition | undefined {
    const id = { topicNumber: this.#topicNumbers.get(topic) ?? -1, partition };
    return this.#isThere(id) ? this.#partitions.get(partitionKey(id)) : undefined;
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

  /** The files of segments that have left the catalog: nobody needs them any more. */
  droppedPaths(): readonly string[] {
    return [...this.#dropped.keys()];
  }

  /** What the files of {@link LogState.droppedPaths} take. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  /** A dropped file has been removed. */
  forgetDropped(path: string): void {
    this.#droppedBytes -= this.#dropped.get(path) ?? 0;
    this.#dropped.delete(path);
  }

  /** What the mirror keeps, by key. */
  memos(): ReadonlyMap<string, Uint8Array> {
    return this.#memos;
  }

  #applyBatch(entry: Entry, life: Life): void {
    const { id, batch } = readRecordBatchEntry(entry);
    const { baseOffset, lastOffset, sizeBytes, leaderEpoch } = readBatchHeader(batch);
    if (!this.#partitions.has(partitionKey(id))) this.#applyTopic(this.#topicOfOrphan(id));
    const partition = this.partitionById(id);
    assert(baseOffset >= partition.nextOffset, `offset ${baseOffset} of ${partitionKey(id)} is used already`);
    if (partition.lives.at(-1)?.ordinal !== life.ordinal) {
      this.#addLifeStart(partition, life, baseOffset);
    }
    this.clockEpochs.saw(id, leaderEpoch, baseOffset);
    partition.nextOffset = lastOffset + 1;
    this.recordSizes.saw(id, lastOffset + 1 - baseOffset, sizeBytes);
    // Of a deleted topic nothing may come back when it is created again.
    if (!this.#isThere(id)) this.#moveLogStart(partition, partition.nextOffset);
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
    this.#deletedTopics.delete(setting.topicNumber);
    for (let partition = 0; partition < setting.partitions; partition += 1) {
      this.#ensurePartition({ topicNumber: setting.topicNumber, partition }).topic = setting.name;
    }
  }

  #ensurePartition(id: PartitionId): Partition {
    const known = this.#partitions.get(partitionKey(id));
    if (known !== undefined) return known;
    const topic = this.#topics.get(id.topicNumber)?.name;
    assert(topic !== undefined, `the journal names partition ${partitionKey(id)} before its topic`);
    const offsets = { logStartOffset: 0, sealedOffset: 0, nextOffset: 0 };
    const fresh = { id, topic, ...offsets, segments: [], lives: [] };
    this.#partitions.set(partitionKey(id), fresh);
    return fresh;
  }

  #isThere({ topicNumber, partition }: PartitionId): boolean {
    const count = this.#topics.get(topicNumber)?.partitions ?? 0;
    return partition < count && !this.#deletedTopics.has(topicNumber);
  }

  #applyDeletion(topicNumber: number): void {
    this.#deletedTopics.add(topicNumber);
    for (const partition of this.#partitions.values())
      if (partition.id.topicNumber === topicNumber) this.#moveLogStart(partition, partition.nextOffset);
  }

  #moveLogStart(partition: Partition, offset: number): void {
    partition.logStartOffset = Math.max(partition.logStartOffset, offset);
    partition.sealedOffset = Math.max(partition.sealedOffset, partition.logStartOffset);
    const folder = partitionFolder(partition.topic, partition.id.partition);
    for (const { baseOffset, sizeBytes } of dropSegmentsBelow(partition.segments, partition.logStartOffset)) {
      this.#dropped.set(segmentPath(folder, baseOffset), sizeBytes);
      this.#droppedBytes += sizeBytes;
      this.#segmentBytes -= sizeBytes;
    }
    this.clockEpochs.moveLogStart(partition.id, partition.logStartOffset);
    const { lives } = partition;
    while ((lives[1]?.firstOffset ?? Number.POSITIVE_INFINITY) <= partition.logStartOffset) {
      const [ended] = lives.splice(0, 1);
      this.#lifeStarts -= 1;
      if (this.#startsOf(ended?.ordinal ?? -1).length === 0) this.#lifeIds.delete(ended?.ordinal ?? -1);
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
export const lifeAt = (partition: Pick<Partition, 'lives'>, offset: number): number | undefined =>
  partition.lives.findLast(({ firstOffset }) => firstOffset <= offset)?.ordinal;
