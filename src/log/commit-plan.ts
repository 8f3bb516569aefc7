import { OperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Qos2Id } from '../core/qos2.ts';
import type { LogRecord, NewRecord } from '../core/record.ts';
import { batchHeaderBytes, encodeBatch } from './batch.ts';
import {
  checkpointEntry,
  type Entry,
  type MirrorMemo,
  type PartitionId,
  recordBatchEntry,
  type TopicSetting,
  topicSettingEntry,
} from './entries.ts';
import { Qos2Plan } from './qos2-ids.ts';
import { type LogState, partitionKey } from './state.ts';

/** Where an appended record is. */
export interface Appended {
  readonly partition: number;
  readonly offset: number;
}

/** A record whose partition is decided. */
export interface PlacedRecord extends LogRecord {
  readonly id: PartitionId;
}

/** One caller's wish; all of it goes into one frame, so it is atomic. */
export type Request =
  /** With `once`: nothing is appended if that id is open, else it is open from then on. */
  | { readonly kind: 'records'; readonly records: readonly PlacedRecord[]; readonly once?: Qos2Id }
  | { readonly kind: 'release'; readonly id: Qos2Id }
  | { readonly kind: 'release-all'; readonly client: string }
  | { readonly kind: 'topic'; readonly name: string; readonly partitions: number; readonly grow: boolean }
  | { readonly kind: 'memos'; readonly memos: readonly MirrorMemo[] };

/** What becomes of each request if the entries become durable. */
export type Outcome = { readonly appended: readonly Appended[] } | { readonly refused: OperatingError };

// Generous bounds of what Kafka's varints and our entry framing add.
const recordOverheadBytes = 48;
const headerOverheadBytes = 16;
const frameOverheadBytes = limits.partitionsMax * (batchHeaderBytes + 16) + limits.journalBlockBytes;

/** Record bytes, as this product counts them, that certainly fit into one frame. */
export const requestBytesMax = limits.frameBytesMax - frameOverheadBytes;

/** How large a record counts: at least what it takes in a frame. */
export function recordSizeBytes(record: Pick<NewRecord, 'key' | 'value' | 'headers'>): number {
  const headers = record.headers.reduce(
    (sum, header) => sum + Buffer.byteLength(header.name) + header.value.length + headerOverheadBytes,
    0,
  );
  return recordOverheadBytes + (record.key?.length ?? 0) + (record.value?.length ?? 0) + headers;
}

export interface CommitPlan {
  readonly entries: readonly Entry[];
  readonly outcomes: readonly Outcome[];
  /** MQTT clients whose QoS 2 ids this commit gives up to make room for newer ones. */
  readonly forgottenQos2Clients: readonly string[];
}

/**
 * Turns requests into the entries of one commit: offsets follow on in the order of the requests, and each
 * partition gets one batch. Pure: nothing is applied to the state.
 */
export function planCommit(state: LogState, requests: readonly Request[]): CommitPlan {
  const topics: TopicSetting[] = [];
  const qos2 = new Qos2Plan(state.qos2Ids);
  const memos: MirrorMemo[] = [];
  const batches = new Map<string, { id: PartitionId; baseOffset: number; records: LogRecord[] }>();
  const outcomes = requests.map((request): Outcome => {
    if (request.kind === 'topic') return planTopic(state, topics, request);
    if (request.kind === 'memos') {
      memos.push(...request.memos);
      return { appended: [] };
    }
    if (request.kind === 'release' || request.kind === 'release-all') {
      if (request.kind === 'release') qos2.release(request.id);
      else qos2.releaseAll(request.client);
      return { appended: [] };
    }
    if (request.once !== undefined) {
      if (qos2.isOpen(request.once)) return { appended: [] };
      qos2.open(request.once);
    }
    const appended = request.records.map(({ id, ...record }) => {
      const key = partitionKey(id);
      const batch = batches.get(key) ?? { id, baseOffset: state.partitionById(id).nextOffset, records: [] };
      batches.set(key, batch);
      batch.records.push(record);
      return { partition: id.partition, offset: batch.baseOffset + batch.records.length - 1 };
    });
    return { appended };
  });
  const entries = [
    ...topics.map(topicSettingEntry),
    ...[...batches.values()].map(({ id, baseOffset, records }) =>
      recordBatchEntry(id, encodeBatch(baseOffset, records)),
    ),
    ...memos.map(checkpointEntry),
    ...qos2.entries,
  ];
  return { entries, outcomes, forgottenQos2Clients: qos2.forgotten };
}

function planTopic(state: LogState, planned: TopicSetting[], request: Request & { kind: 'topic' }): Outcome {
  const { name, partitions, grow } = request;
  const known = planned.findLast((topic) => topic.name === name) ?? state.topic(name);
  if (known !== undefined && !grow) {
    return refuse('topic-exists', `topic ${name} exists already; choose another name`);
  }
  if (known !== undefined && partitions <= known.partitions) return { appended: [] };
  // What is planned already in this commit comes last, so it overrides what the state says.
  const counts = new Map([...state.topics(), ...planned].map((topic) => [topic.name, topic.partitions]));
  const total = counts
    .set(name, partitions)
    .values()
    .reduce((sum, count) => sum + count, 0);
  if (total > limits.partitionsMax) {
    return refuse(
      'too-many-partitions',
      `${name} would bring the gateway to ${total} partitions, above its limit of ${limits.partitionsMax}; ` +
        'use fewer partitions',
    );
  }
  const number = known?.topicNumber ?? state.nextTopicNumber() + planned.length;
  planned.push({ topicNumber: number, name, partitions, settings: known?.settings ?? {} });
  return { appended: [] };
}

const refuse = (code: 'topic-exists' | 'too-many-partitions', message: string): Outcome => ({
  refused: new OperatingError(code, message),
});
