import { OperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { LogRecord, NewRecord } from '../core/record.ts';
import { batchHeaderBytes, encodeBatch } from './batch.ts';
import {
  type Entry,
  type PartitionId,
  recordBatchEntry,
  type TopicSetting,
  topicSettingEntry,
} from './entries.ts';
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
  | { readonly kind: 'records'; readonly records: readonly PlacedRecord[] }
  | { readonly kind: 'topic'; readonly name: string; readonly partitions: number; readonly grow: boolean };

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

/**
 * Turns requests into the entries of one commit: offsets follow on in the order of the requests, and each
 * partition gets one batch. Pure: nothing is applied to the state.
 */
export function planCommit(
  state: LogState,
  requests: readonly Request[],
): { entries: readonly Entry[]; outcomes: readonly Outcome[] } {
  const topics: TopicSetting[] = [];
  const batches = new Map<string, { id: PartitionId; baseOffset: number; records: LogRecord[] }>();
  const outcomes = requests.map((request): Outcome => {
    if (request.kind === 'topic') return planTopic(state, topics, request);
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
  ];
  return { entries, outcomes };
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
  planned.push({ topicNumber: number, name, partitions });
  return { appended: [] };
}

const refuse = (code: 'topic-exists' | 'too-many-partitions', message: string): Outcome => ({
  refused: new OperatingError(code, message),
});
