import { limits } from '../../core/limits.ts';
import { ByteReader, ByteWriter } from '../encoding/bytes.ts';
import type { TopicSettings } from '../types.ts';

/**
 * What a frame or a snapshot is made of. All numbers are reserved from the start, so that a later version's kind
 * is recognised as such and refuses the start instead of being read as something else (design §4).
 */
export const entryKinds = {
  recordBatch: 1,
  cursor: 2,
  qos2Id: 3,
  qos2Release: 4,
  topicSetting: 5,
  topicDeletion: 6,
  logStartMove: 7,
  clockEpoch: 8,
  checkpoint: 9,
  producerState: 10,
  alertState: 11,
  segment: 12,
  sealedOffset: 13,
  /** In snapshots, and where a recovery takes segments over: where a partition stands. */
  partitionState: 32,
  /** Likewise: a life and the first offset it wrote in each partition. */
  life: 33,
} as const;

/** One thing that a commit makes durable. */
export interface Entry {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

/** A partition inside the journal: topics by number, because names can be used again. */
export interface PartitionId {
  readonly topicNumber: number;
  readonly partition: number;
}

/** A partition as the key of a map. */
export const partitionKey = ({ topicNumber, partition }: PartitionId): string =>
  `${topicNumber}/${partition}`;

/** As (kind uint8, length uint32, bytes), one after the other. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  const sizeBytes = entries.reduce((sum, entry) => sum + entry.bytes.length + 5, 0);
  // Views of it stay in memory for long: in a pool that small buffers share, each would keep all of the pool.
  const writer = new ByteWriter(sizeBytes, Buffer.allocUnsafeSlow);
  for (const entry of entries) {
    writer.uint8(entry.kind);
    writer.block(entry.bytes);
  }
  return writer.bytes();
}

/** The reverse of {@link encodeEntries}; the bytes of the entries are views. */
export function decodeEntries(bytes: Uint8Array): Entry[] {
  const reader = new ByteReader(bytes, 'frame');
  const entries: Entry[] = [];
  while (reader.remaining > 0) entries.push({ kind: reader.uint8(), bytes: reader.block() });
  return entries;
}

/** A Kafka record batch of one partition. */
export function recordBatchEntry(id: PartitionId, batch: Uint8Array): Entry {
  const writer = new ByteWriter(batch.length + 8);
  writePartitionId(writer, id);
  writer.raw(batch);
  return { kind: entryKinds.recordBatch, bytes: writer.bytes() };
}

/** The reverse of {@link recordBatchEntry}; the batch is a view. */
export function readRecordBatchEntry(entry: Entry): { id: PartitionId; batch: Uint8Array } {
  const reader = new ByteReader(entry.bytes, 'record batch entry');
  return { id: readPartitionId(reader), batch: reader.raw(reader.remaining) };
}

/** A topic as it is from now on. */
export interface TopicSetting {
  readonly topicNumber: number;
  readonly name: string;
  readonly partitions: number;
  readonly settings: TopicSettings;
}

/** A topic as it is from the commit of this entry on; its settings follow the fixed fields as JSON, if it has any. */
export function topicSettingEntry(setting: TopicSetting): Entry {
  const writer = new ByteWriter();
  writer.uint32(setting.topicNumber);
  writer.text(setting.name);
  writer.uint32(setting.partitions);
  if (Object.keys(setting.settings).length > 0) writer.text(JSON.stringify(setting.settings));
  return { kind: entryKinds.topicSetting, bytes: writer.bytes() };
}

/** The reverse of {@link topicSettingEntry}. */
export function readTopicSettingEntry(entry: Entry): TopicSetting {
  const reader = new ByteReader(entry.bytes, 'topic setting');
  const fixed = { topicNumber: reader.uint32(), name: reader.text(), partitions: reader.uint32() };
  const settings = reader.remaining > 0 ? (JSON.parse(reader.text()) as TopicSettings) : {};
  return { ...fixed, settings };
}

export interface PartitionState {
  readonly id: PartitionId;
  readonly logStartOffset: number;
  /** Everything below is in segments. */
  readonly sealedOffset: number;
  readonly nextOffset: number;
}

/** Where a partition stands at a snapshot. */
export function partitionStateEntry(state: PartitionState): Entry {
  const writer = new ByteWriter(32);
  writePartitionId(writer, state.id);
  writer.int64(state.logStartOffset);
  writer.int64(state.sealedOffset);
  writer.int64(state.nextOffset);
  return { kind: entryKinds.partitionState, bytes: writer.bytes() };
}

/** The reverse of {@link partitionStateEntry}. */
export function readPartitionStateEntry(entry: Entry): PartitionState {
  const reader = new ByteReader(entry.bytes, 'partition state');
  return {
    id: readPartitionId(reader),
    logStartOffset: reader.int64(),
    sealedOffset: reader.int64(),
    nextOffset: reader.int64(),
  };
}

/** A segment of a partition, as the catalog has it. */
export interface SegmentEntry {
  readonly id: PartitionId;
  readonly baseOffset: number;
  /** The offset after its last record. */
  readonly endOffset: number;
  /** So many bytes of its file count. */
  readonly sizeBytes: number;
  readonly maxTimestampMs: number;
}

/** A segment that is new in the catalog, or longer than it was there: from the commit of this entry on its bytes count. */
export function segmentEntry(segment: SegmentEntry): Entry {
  const writer = new ByteWriter(48);
  writePartitionId(writer, segment.id);
  writer.int64(segment.baseOffset);
  writer.int64(segment.endOffset);
  writer.uint32(segment.sizeBytes);
  writer.int64(segment.maxTimestampMs);
  return { kind: entryKinds.segment, bytes: writer.bytes() };
}

/** The reverse of {@link segmentEntry}. */
export function readSegmentEntry(entry: Entry): SegmentEntry {
  const reader = new ByteReader(entry.bytes, 'segment entry');
  return {
    id: readPartitionId(reader),
    baseOffset: reader.int64(),
    endOffset: reader.int64(),
    sizeBytes: reader.uint32(),
    maxTimestampMs: reader.int64(),
  };
}

/** A partition of which everything below `sealedOffset` is in segments from the commit of this entry on, or lost. */
export interface SealedOffset {
  readonly id: PartitionId;
  readonly sealedOffset: number;
}

/** Says that everything of the partition below `sealedOffset` is in segments, or gone. */
export function sealedOffsetEntry({ id, sealedOffset }: SealedOffset): Entry {
  const writer = new ByteWriter(16);
  writePartitionId(writer, id);
  writer.int64(sealedOffset);
  return { kind: entryKinds.sealedOffset, bytes: writer.bytes() };
}

/** The reverse of {@link sealedOffsetEntry}. */
export function readSealedOffsetEntry(entry: Entry): SealedOffset {
  const reader = new ByteReader(entry.bytes, 'sealed offset');
  return { id: readPartitionId(reader), sealedOffset: reader.int64() };
}

/** A partition whose records below this offset are gone from the commit of this entry on. */
export interface LogStartMove {
  readonly id: PartitionId;
  readonly logStartOffset: number;
}

/** What retention, the disk budget or a deletion did to a partition. */
export function logStartMoveEntry({ id, logStartOffset }: LogStartMove): Entry {
  const writer = new ByteWriter(16);
  writePartitionId(writer, id);
  writer.int64(logStartOffset);
  return { kind: entryKinds.logStartMove, bytes: writer.bytes() };
}

/** The reverse of {@link logStartMoveEntry}. */
export function readLogStartMoveEntry(entry: Entry): LogStartMove {
  const reader = new ByteReader(entry.bytes, 'log start move');
  return { id: readPartitionId(reader), logStartOffset: reader.int64() };
}

/** The end of a topic: its records are gone; its number and its offsets are kept for a topic of the same name. */
export function topicDeletionEntry(topicNumber: number): Entry {
  const writer = new ByteWriter(4);
  writer.uint32(topicNumber);
  return { kind: entryKinds.topicDeletion, bytes: writer.bytes() };
}

/** The reverse of {@link topicDeletionEntry}. */
export const readTopicDeletionEntry = (entry: Entry): number =>
  new ByteReader(entry.bytes, 'topic deletion').uint32();

/** Something that a reader keeps, under a key of its own; no bytes: it keeps that no longer. */
export interface Memo {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Memos by their keys, as rows. */
export const memoRows = (memos: ReadonlyMap<string, Uint8Array>): readonly Memo[] =>
  [...memos].map(([key, value]) => ({ key, value }));

/** What these memos count for in a commit. */
export const memoBytes = (memos: readonly Memo[]): number =>
  memos.reduce((sum, { key, value }) => sum + key.length + value.length + limits.memoOverheadBytes, 0);

/** A memo of a reader; what it means is the reader's affair. The mirror's are its checkpoints, after which the kind is called. */
export function checkpointEntry({ key, value }: Memo): Entry {
  const writer = new ByteWriter(key.length + value.length + 16);
  writer.text(key);
  writer.block(value);
  return { kind: entryKinds.checkpoint, bytes: writer.bytes() };
}

/** The reverse of {@link checkpointEntry}; the value is a copy. */
export function readCheckpointEntry(entry: Entry): Memo {
  const reader = new ByteReader(entry.bytes, 'checkpoint');
  return { key: reader.text(), value: Uint8Array.from(reader.block()) };
}

/** Packet ids of one MQTT client. */
export interface Qos2Ids {
  readonly client: string;
  readonly packetIds: readonly number[];
}

/** QoS 2 ids that are open from the commit of this entry on. */
export const qos2IdEntry = (ids: Qos2Ids): Entry => qos2Entry(entryKinds.qos2Id, ids);

/** QoS 2 ids that are released; without packet ids, all of the client. */
export const qos2ReleaseEntry = (ids: Qos2Ids): Entry => qos2Entry(entryKinds.qos2Release, ids);

function qos2Entry(kind: number, { client, packetIds }: Qos2Ids): Entry {
  const writer = new ByteWriter(client.length + 2 * packetIds.length + 8);
  writer.text(client);
  for (const packetId of packetIds) writer.uint16(packetId);
  return { kind, bytes: writer.bytes() };
}

/** The reverse of {@link qos2IdEntry} and of {@link qos2ReleaseEntry}. */
export function readQos2Entry(entry: Entry): Qos2Ids {
  const reader = new ByteReader(entry.bytes, 'QoS 2 entry');
  const client = reader.text();
  const packetIds: number[] = [];
  while (reader.remaining > 0) packetIds.push(reader.uint16());
  return { client, packetIds };
}

/** One life: its ordinal, its random id, and where it began in each partition that it wrote to. */
export interface LifeEntry {
  readonly ordinal: number;
  readonly lifeId: string;
  readonly starts: readonly { readonly id: PartitionId; readonly firstOffset: number }[];
}

/** A life in the table of a snapshot. */
export function lifeEntry(life: LifeEntry): Entry {
  const writer = new ByteWriter(64);
  writer.int32(life.ordinal);
  writer.raw(Buffer.from(life.lifeId, 'hex'));
  writer.uint32(life.starts.length);
  for (const start of life.starts) {
    writePartitionId(writer, start.id);
    writer.int64(start.firstOffset);
  }
  return { kind: entryKinds.life, bytes: writer.bytes() };
}

/** The reverse of {@link lifeEntry}. */
export function readLifeEntry(entry: Entry): LifeEntry {
  const reader = new ByteReader(entry.bytes, 'life');
  const ordinal = reader.int32();
  const lifeId = reader.raw(16).toString('hex');
  const count = reader.uint32();
  const starts: LifeEntry['starts'][number][] = [];
  for (let index = 0; index < count; index += 1) {
    starts.push({ id: readPartitionId(reader), firstOffset: reader.int64() });
  }
  return { ordinal, lifeId, starts };
}

/** A partition within an entry. */
export function writePartitionId(writer: ByteWriter, id: PartitionId): void {
  writer.uint32(id.topicNumber);
  writer.uint32(id.partition);
}

/** The reverse of {@link writePartitionId}. */
export const readPartitionId = (reader: ByteReader): PartitionId => ({
  topicNumber: reader.uint32(),
  partition: reader.uint32(),
});
