import type { OutgoingBatch } from './outgoing-batch.ts';

/**
 * The cluster, as the mirror sees it: one transactional session, one transaction at a time. A method makes one
 * attempt and says how it went; what follows is the mirror's to decide. After any failure but `busy` and `hidden`
 * the only way on is {@link Target.abort} or a new {@link Target.open}.
 */
export interface Target {
  /**
   * Starts a session, which ends any other session with this transactional id and aborts what it left open.
   * Missing topics are created, those with too few partitions grow. May be called again at any time.
   */
  open(session: SessionRequest): Promise<Failure | null>;
  /** The newest committed value of every key with one of the session's prefixes. */
  readCheckpoints(): Promise<CheckpointsRead>;
  /**
   * Adds batches to the transaction, beginning one if none is open; those of one partition arrive in their order.
   * After `busy` the same batches may be sent again: what was taken already counts once. Any other failure leaves
   * the transaction to be aborted: `unreachable` if some of it may still arrive, any other once nothing can.
   */
  send(batches: readonly PartitionBatch[]): Promise<Failure | null>;
  /** Commits. After a failure other than `busy` nobody knows whether it did, except the checkpoints. */
  commit(): Promise<Failure | null>;
  abort(): Promise<Failure | null>;
  /** About what a batch is to take at most, so that it holds up nobody on this link. */
  batchBytesMax(): number;
  /** Bytes that have gone to its sockets since it was made, whatever became of them. */
  linkBytesWritten(): number;
  /** Bytes that have come from them. */
  linkBytesRead(): number;
  /** Cuts all connections. Calls in flight fail soon; a later `open` starts afresh. */
  close(): Promise<void>;
}

/** Whether a record may arrive twice after a failure; with neither is any lost. */
export type Delivery = 'exactly-once' | 'at-least-once';

/** How topics are made that the cluster does not have. */
export interface TopicCreation {
  /** If not, somebody else has to make them, and to give them more partitions. */
  readonly allowed: boolean;
  /** Copies of each partition; undefined for what the cluster does by default. */
  readonly replication?: number | undefined;
  /** How long records are kept there, milliseconds; undefined for what the cluster does by default. Not for checkpoints. */
  readonly retention?: number | undefined;
}

/** A topic that records go to. */
export interface SessionTopic {
  /** The central topic, with at least so many partitions. */
  readonly name: string;
  readonly partitions: number;
  /** The topic of the log, and how many partitions it has there. */
  readonly source: string;
  readonly sourcePartitions: number;
  /** Each record goes to the partition of its key, instead of to the one which has its number. */
  readonly isByKey: boolean;
  /** Each record gets headers that say where it is from, because it may arrive twice. */
  readonly isIdentified: boolean;
  /** Partitions of the log of which nothing is sent: it does not matter how those are to which it would go. */
  readonly paused: ReadonlySet<number>;
}

export interface SessionRequest {
  readonly transactionalId: string;
  /** Ids of ours whose sessions are to end as well, and what they left open. */
  readonly othersToEnd: readonly string[];
  readonly topics: readonly SessionTopic[];
  readonly creation: TopicCreation;
  /** One partition, compacted. */
  readonly checkpointTopic: string;
  readonly checkpointKeyPrefixes: readonly string[];
}

export interface PartitionBatch {
  /** The central topic. */
  readonly topic: string;
  readonly partition: number;
  readonly batch: OutgoingBatch;
  /** Where its records are from; null for checkpoints. */
  readonly source: BatchSource | null;
}

/** Where the records of a batch are from in the log: from the first one to the one before `nextOffset`. */
export interface BatchSource {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly nextOffset: number;
  /** Of each record; null if they follow each other, or if nobody has looked. */
  readonly offsets: readonly number[] | null;
}

export type CheckpointsRead =
  | {
      readonly ok: true;
      /** The name that the cluster has given itself. */
      readonly clusterId: string;
      readonly values: ReadonlyMap<string, Uint8Array>;
    }
  | { readonly ok: false; readonly failure: Failure };

export interface Failure {
  readonly kind: FailureKind;
  /** One of a few words for what lies behind it, if there is more to say than the kind. */
  readonly cause?: string;
  /** What happened and what to do about it, in one sentence a person understands. */
  readonly message: string;
  /**
   * What exactly the cluster would not take, if it said so, and if it took a checkpoint at the same time: what is wrong with
   * all of it, such as our clock, is nobody's fault in particular.
   */
  readonly objections?: readonly Objection[];
}

/** What the cluster has against one topic, one partition, or one batch; in terms of the log. */
export type Objection = TopicObjection | PartitionObjection;

export interface TopicObjection {
  readonly topic: string;
  readonly partition: null;
  /** What happened and what to do about it. */
  readonly message: string;
}

export interface PartitionObjection {
  readonly topic: string;
  readonly partition: number;
  readonly verdict: Verdict;
  /** Kafka's name of the error. */
  readonly cause: string;
  /** The batch that it is about; null if it is about the partition. */
  readonly batch: RefusedBatch | null;
  /** What happened and what to do about it. */
  readonly message: string;
}

export interface RefusedBatch {
  readonly fromOffset: number;
  readonly nextOffset: number;
  readonly recordCount: number;
  /** Offsets of the log that the cluster named as the guilty ones; often none. */
  readonly badOffsets: readonly number[];
}

export type Verdict =
  /** Too large as it is. */
  | 'too-large'
  /** Something in it will not be taken, however often it is sent. */
  | 'bad'
  /** It may be the batch, but the broker or the link as well. */
  | 'doubtful'
  /** The partition cannot be written to at present, whatever is sent. */
  | 'unwell';

export type FailureKind =
  /** The same call will succeed soon, as if it were the first. */
  | 'busy'
  /** An open transaction, of another producer or of our other lane, hides the end of the checkpoint topic. */
  | 'hidden'
  /** No connection, or it was lost, or no answer came: anything may have happened. */
  | 'unreachable'
  /** A broker does not accept our login, and nobody knows what else has arrived meanwhile. */
  | 'unauthenticated'
  /** The transaction took too long, and nothing of it is under way. */
  | 'slow'
  /** Somebody else started a session with our identity. */
  | 'fenced'
  | 'forbidden'
  /** The cluster answered no, or something that we cannot read. */
  | 'refused';
