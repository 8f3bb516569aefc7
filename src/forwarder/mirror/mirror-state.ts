import { limits } from '../../core/limits.ts';
import type { Failure } from '../cluster/target.ts';
import type { Position } from './checkpoint.ts';
import { type FlushSize, firstFlushSize } from './flush-size.ts';
import type { Hold } from './holds.ts';
import type { MirrorCommand } from './mirror-steps.ts';
import { type Care, noCare } from './objections.ts';
import type { OnCheckpointLost } from './resume.ts';

/* What the mirror knows between two events. */

export type Phase =
  | 'opening'
  | 'resuming'
  | 'minting'
  | 'telling'
  | 'reading'
  | 'remembering'
  | 'sending'
  | 'committing'
  | 'aborting'
  | 'setting-aside'
  | 'waiting'
  | 'lingering'
  | 'backing-off'
  /** Without a session, as long as the configuration wants it. */
  | 'resting'
  | 'stopped';

export interface MirrorState {
  readonly phase: Phase;
  readonly lingerMs: number;
  readonly onCheckpointLost: OnCheckpointLost;
  readonly stopping: boolean;
  /** The cluster of this session. */
  readonly clusterId: string;
  /** All that the cluster has acknowledged, one for each partition of the session. */
  readonly positions: readonly Position[];
  /** Of these positions nothing is sent for now. */
  readonly holds: readonly Hold[];
  /** What the cluster would not take, and what is done about it. */
  readonly care: Care;
  /** The position that the next flush begins with, so that none starves. */
  readonly turn: number;
  /**
   * What becomes of some positions once the transaction in hand is committed. After a failure it stays until the
   * cluster has said whether it arrived.
   */
  readonly flush: readonly Position[];
  readonly flushSize: FlushSize;
  /** Confirmed, but the gateway's own copy does not say so yet. */
  readonly unremembered: readonly Position[];
  /** Of these the cluster has no checkpoint under our identity: the next transaction gives it one. */
  readonly unannounced: readonly Position[];
  /** More was waiting than the flush could take: no linger. */
  readonly backlog: boolean;
  /** `busy` and `hidden` answers in a row. */
  readonly repeats: number;
  /** Failed sessions in a row. */
  readonly failures: number;
  /** Why it waits, backs off or stopped; null while all is well. */
  readonly failure: Failure | null;
  /** What a person should know, though the mirror goes on; null if nothing. */
  readonly warning: string | null;
}

export interface Step {
  readonly state: MirrorState;
  readonly commands: readonly MirrorCommand[];
}

/** The state before `start`. */
export const initialState = (
  lingerMs: number,
  onCheckpointLost: OnCheckpointLost,
  flushBytesMax: number = limits.transactionBytesMax,
): MirrorState => ({
  phase: 'stopped',
  lingerMs,
  onCheckpointLost,
  stopping: false,
  clusterId: '',
  positions: [],
  holds: [],
  care: noCare,
  turn: 0,
  flush: [],
  flushSize: firstFlushSize(flushBytesMax),
  unremembered: [],
  unannounced: [],
  backlog: false,
  repeats: 0,
  failures: 0,
  failure: null,
  warning: null,
});
