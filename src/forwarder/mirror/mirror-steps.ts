import type { LifeStart, PartitionInfo } from '../../log/types.ts';
import type { Failure } from '../cluster/target.ts';
import type { CheckpointCopy, Position } from './checkpoint.ts';
import type { DoubtfulRange } from './doubtful.ts';
import type { Aside, AsideRange, Pause, ReadPosition } from './objections.ts';
import type { ResumedPartition } from './resume.ts';

/* What the mirror hears, and what it commands. */

/** Records read for one partition, not yet sent. */
export interface ReadRange {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly nextOffset: number;
  /** The lives of these records. */
  readonly lives: readonly LifeStart[];
}

/** What the gateway is to remember of a partition. */
export interface PartitionCopy extends CheckpointCopy {
  readonly topic: string;
  readonly partition: number;
}

/** `jitter` is a random number in [0, 1), `atMs` the time by the monotonic clock. */
export type MirrorEvent =
  | { readonly type: 'start' }
  | { readonly type: 'opened' }
  | {
      readonly type: 'checkpoints';
      readonly clusterId: string;
      readonly partitions: readonly ResumedPartition[];
      /** Those of the other lane: what the cluster says of them can tell of another past as well. */
      readonly others: readonly ResumedPartition[];
      /** How far the loss ledger is confirmed, if the other lane sends it. */
      readonly ledger: readonly Position[];
    }
  | { readonly type: 'minted' }
  /** It is durable what may arrive twice, and that this was told. */
  | { readonly type: 'told' }
  | { readonly type: 'read'; readonly ranges: readonly ReadRange[]; readonly backlog: boolean }
  /** Topics are in other lanes, or the identity is another one, than when the session was opened. */
  | { readonly type: 'reassigned' }
  /** By the configuration nothing is to be sent for now, and no session is to be open. */
  | { readonly type: 'rest-due' }
  | { readonly type: 'rested' }
  /** The log has a partition that this session has not opened, or sends a topic elsewhere from here on. */
  | { readonly type: 'new-partition' }
  /** The log begins elsewhere, or the loss ledger has told more: `settleHolds` says that something changes by that. */
  | {
      readonly type: 'log-start-moved';
      readonly partitions: readonly PartitionInfo[];
      /** How far the loss ledger is confirmed, if the other lane sends it. */
      readonly ledger: readonly Position[];
    }
  | { readonly type: 'remembered' }
  /** The copies are durable, but meanwhile the log has dropped something of what was read. */
  | { readonly type: 'overtaken' }
  | { readonly type: 'sent' }
  /** So long after the transaction was begun. */
  | { readonly type: 'committed'; readonly elapsedMs: number }
  | { readonly type: 'aborted'; readonly atMs: number; readonly jitter: number }
  /** It is durable that these records are passed, and told. */
  | { readonly type: 'set-aside'; readonly jitter: number }
  /** What was left out is to be tried again. */
  | { readonly type: 'pause-over' }
  /** The log has records that were not sent. */
  | { readonly type: 'wrote' }
  | { readonly type: 'woke' }
  | {
      readonly type: 'failed';
      readonly failure: Failure;
      /** So long after the transaction in hand was begun; 0 without one. */
      readonly elapsedMs: number;
      readonly atMs: number;
      readonly jitter: number;
    }
  | { readonly type: 'stop' };

export type MirrorCommand =
  /** Start a session without what is paused. */
  | { readonly type: 'open'; readonly pauses: readonly Pause[] }
  | { readonly type: 'read-checkpoints' }
  /** Take a new identity, derived from this life, and tell in the loss ledger what may arrive twice; durably, in one. */
  | { readonly type: 'mint'; readonly life: string; readonly doubtful: readonly DoubtfulRange[] }
  /** Tell in the loss ledger what may arrive twice because the checkpoint is lost, and make these copies durable; in one. */
  | {
      readonly type: 'tell';
      readonly doubtful: readonly DoubtfulRange[];
      readonly copies: readonly PartitionCopy[];
    }
  /** Read from the log in this order, about so many bytes. */
  | { readonly type: 'read'; readonly positions: readonly ReadPosition[]; readonly bytesMax: number }
  /** Make these copies durable. */
  | { readonly type: 'remember'; readonly copies: readonly PartitionCopy[] }
  /** Send what was read last, and with it these checkpoints. */
  | { readonly type: 'send'; readonly checkpoints: readonly Position[] }
  | { readonly type: 'commit' }
  | { readonly type: 'abort' }
  /** Make it durable that `ranges` are passed as well as what is `known`, and tell of them in the loss ledger. */
  | {
      readonly type: 'set-aside';
      readonly known: readonly Aside[];
      readonly ranges: readonly AsideRange[];
    }
  /** Wait until the log has something to send. */
  | { readonly type: 'wait' }
  | { readonly type: 'sleep'; readonly ms: number }
  /** Wait until the configuration allows to send. */
  | { readonly type: 'rest' }
  /** Cut the connections; no answer. */
  | { readonly type: 'close' }
  /** The end; no answer. */
  | { readonly type: 'stop' };
