import { isOperatingError, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Qos2Id } from '../../core/qos2.ts';
import { type LogRecord, type NewRecord, payloadBytes } from '../../core/record.ts';
import { clockEpochEntry } from '../clock/clock-entry.ts';
import { type Stamping, stamped } from '../clock/stamping.ts';
import { batchHeaderBytes, encodeBatch } from '../encoding/batch.ts';
import {
  checkpointEntry,
  type Entry,
  type Memo,
  memoBytes,
  type PartitionId,
  partitionKey,
  recordBatchEntry,
} from '../state/entries.ts';
import { Qos2Plan } from '../state/qos2-ids.ts';
import { sayAgain } from '../state/say-again.ts';
import type { LogState } from '../state/state.ts';
import { checkedSize, type PlacedRecord, Placement, tooLarge } from './placement.ts';
import { TopicPlan, type TopicRequest } from './topic-plan.ts';

/** Where an appended record is. */
export interface Appended {
  readonly partition: number;
  readonly offset: number;
}

/** What upkeep wants to be committed: entries, and records that tell of them. */
export interface UpkeepPlan {
  readonly entries: readonly Entry[];
  readonly records: readonly NewRecord[];
}

/** One caller's wish; all of it goes into one frame, so it is atomic. */
export type Request =
  /** With `once`: nothing is appended if that id is open, else it is open from then on. Memos are saved with the records. */
  | {
      readonly kind: 'records';
      readonly records: readonly PlacedRecord[];
      readonly once?: Qos2Id;
      readonly memos?: readonly Memo[];
    }
  | { readonly kind: 'release'; readonly id: Qos2Id }
  | { readonly kind: 'release-all'; readonly client: string }
  | TopicRequest
  /** To be durable, and nothing else. */
  | { readonly kind: 'check' }
  /**
   * What it is depends on the state just before its commit, and on how that is stamped. The plan may throw an OperatingError, which refuses it.
   */
  | { readonly kind: 'upkeep'; readonly plan: (state: LogState, stamping: Stamping) => UpkeepPlan };

/** What becomes of each request if the entries become durable. */
export type Outcome = { readonly appended: readonly Appended[] } | { readonly refused: OperatingError };

// Two more: those of what the log itself tells.
const frameOverheadBytes = (limits.partitionsMax + 2) * (batchHeaderBytes + 16) + limits.journalBlockBytes;

/** Record bytes, as this product counts them, that certainly fit into one frame. */
export const requestBytesMax = limits.frameBytesMax - frameOverheadBytes;

/** How large records and memos of one append count together. @throws OperatingError `record-too-large` */
export function checkedRequestBytes(records: readonly NewRecord[], memos: readonly Memo[] = []): number {
  const bytes = records.reduce((sum, record) => sum + checkedSize(record), memoBytes(memos));
  if (bytes <= requestBytesMax) return bytes;
  throw tooLarge(`${records.length} records of ${bytes} bytes in one append; send fewer at a time`);
}

export interface CommitPlan {
  readonly entries: readonly Entry[];
  readonly outcomes: readonly Outcome[];
  /** Key, value and header bytes of the records in it. */
  readonly payloadBytes: number;
  /** MQTT clients whose QoS 2 ids this commit gives up to make room for newer ones. */
  readonly forgottenQos2Clients: readonly string[];
  /** Whether a clock epoch begins with it. */
  readonly beginsEpoch: boolean;
}

/**
 * Turns requests into the entries of one commit: offsets follow on in the order of the requests, and each
 * partition gets one batch. Pure: nothing is applied to the state.
 */
export function planCommit(state: LogState, requests: readonly Request[], stamping: Stamping): CommitPlan {
  const plan = new Planning(state, stamping);
  const outcomes = requests.map((request) => plan.take(request));
  const wished = plan.entries();
  // An epoch begins in the frame of the first records that are stamped by it: neither can be durable without the other.
  const begun = wished.length > 0 ? stamping.begun : null;
  const { payloadBytes, qos2 } = plan;
  return {
    entries: [
      ...(begun === null ? [] : [clockEpochEntry({ ...begun, starts: [] })]),
      ...(wished.length === 0 && plan.isChecked ? sayAgain(state) : wished),
    ],
    outcomes,
    payloadBytes,
    forgottenQos2Clients: qos2.forgotten,
    beginsEpoch: begun !== null,
  };
}

const nothing: Outcome = { appended: [] };

/** What a commit appends to a partition. */
interface Batch {
  readonly id: PartitionId;
  readonly baseOffset: number;
  readonly records: LogRecord[];
}

class Planning {
  readonly #state: LogState;
  readonly #stamping: Stamping;
  readonly #topics: TopicPlan;
  readonly qos2: Qos2Plan;
  payloadBytes = 0;
  /** Whether something durable is wanted of it, whatever it is. */
  isChecked = false;
  readonly #memos: Memo[] = [];
  readonly #upkeep: Entry[] = [];
  readonly #batches = new Map<string, Batch>();
  #newest: Batch | null = null;

  constructor(state: LogState, stamping: Stamping) {
    this.#state = state;
    this.#stamping = stamping;
    this.#topics = new TopicPlan(state);
    this.qos2 = new Qos2Plan(state.qos2Ids);
  }

  take(request: Request): Outcome {
    switch (request.kind) {
      case 'records':
        return this.#takeRecords(request);
      case 'release':
        this.qos2.release(request.id);
        return nothing;
      case 'release-all':
        this.qos2.releaseAll(request.client);
        return nothing;
      case 'topic':
      case 'topic-settings':
      case 'topic-deletion': {
        const refused = this.#topics.take(request);
        return refused === undefined ? nothing : { refused };
      }
      case 'upkeep':
        return this.#takeUpkeep(request);
      case 'check':
        this.isChecked = true;
        return nothing;
    }
  }

  entries(): readonly Entry[] {
    const { ordinal } = this.#stamping;
    return [
      ...this.#topics.entries,
      ...[...this.#batches.values()].map(({ id, baseOffset, records }) =>
        recordBatchEntry(id, encodeBatch(baseOffset, records, ordinal)),
      ),
      ...this.#memos.map(checkpointEntry),
      ...this.qos2.entries,
      ...this.#upkeep,
    ];
  }

  #takeRecords({ records, once, memos = [] }: Request & { kind: 'records' }): Outcome {
    // The topic was there when the records were offered.
    const gone = records.find(({ id }) => this.#topics.isDeleted(id.topicNumber));
    if (gone !== undefined)
      return { refused: new OperatingError('unknown-topic', 'the topic has been deleted meanwhile') };
    if (once !== undefined) {
      if (this.qos2.isOpen(once)) return nothing;
      this.qos2.open(once);
    }
    this.#memos.push(...memos);
    return { appended: records.map((record) => this.#append(record)) };
  }

  #takeUpkeep({ plan }: Request & { kind: 'upkeep' }): Outcome {
    try {
      const { entries, records } = plan(this.#state, this.#stamping);
      const placement = new Placement();
      const placed = records.map((record) => placement.place(this.#state, record));
      this.#upkeep.push(...entries);
      return { appended: placed.map((record) => this.#append(record)) };
    } catch (error) {
      if (!isOperatingError(error)) throw error;
      return { refused: error };
    }
  }

  #append({ record, id }: PlacedRecord): Appended {
    const batch = this.#batchOf(id);
    batch.records.push(stamped(this.#stamping, record));
    this.payloadBytes += payloadBytes(record);
    return { partition: id.partition, offset: batch.baseOffset + batch.records.length - 1 };
  }

  #batchOf(id: PartitionId): Batch {
    // Records of one partition often follow each other.
    const newest = this.#newest;
    if (newest?.id.topicNumber === id.topicNumber && newest.id.partition === id.partition) return newest;
    const key = partitionKey(id);
    const batch = this.#batches.get(key) ?? {
      id,
      baseOffset: this.#state.partitionById(id).nextOffset,
      records: [],
    };
    this.#batches.set(key, batch);
    this.#newest = batch;
    return batch;
  }
}
