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
  /** Cuts all connections. Calls in flight fail soon; a later `open` starts afresh. */
  close(): Promise<void>;
}

export interface SessionRequest {
  readonly transactionalId: string;
  /** Central topics that records go to, with at least so many partitions. */
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
  /** One partition, compacted. */
  readonly checkpointTopic: string;
  readonly checkpointKeyPrefixes: readonly string[];
}

export interface PartitionBatch {
  /** The central topic. */
  readonly topic: string;
  readonly partition: number;
  readonly batch: OutgoingBatch;
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
  /** What happened and what to do about it, in one sentence a person understands. */
  readonly message: string;
}

export type FailureKind =
  /** The same call will succeed soon, as if it were the first. */
  | 'busy'
  /** Another producer's open transaction hides the end of the checkpoint topic. */
  | 'hidden'
  /** No connection, or it was lost, or no answer came: anything may have happened. */
  | 'unreachable'
  /** Somebody else started a session with our identity. */
  | 'fenced'
  | 'forbidden'
  /** The cluster answered no, or something that we cannot read. */
  | 'refused';
