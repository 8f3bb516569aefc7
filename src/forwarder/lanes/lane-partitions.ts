import { gapsTopicName } from '../../core/topic-name.ts';
import type { LaneName, MirroredLog, PartitionInfo } from '../../log/types.ts';
import type { SessionRequest } from '../cluster/target.ts';
import type { TopicMapping } from '../cluster/topic-mapping.ts';
import type { PartitionName, Position } from '../mirror/checkpoint.ts';
import { isHeld, settleHolds } from '../mirror/holds.ts';
import type { MirrorMemory } from '../mirror/mirror-memory.ts';
import type { MirrorState } from '../mirror/mirror-state.ts';
import { isPaused } from '../mirror/objections.ts';
import { type WaitingRange, waitingRange } from '../progress/oldest-waiting.ts';
import { isWaiting } from '../progress/progress.ts';
import type { ClockWait } from './clock-wait.ts';
import type { LaneAssignment } from './lane-assignment.ts';
import { isLaidOutAnew } from './session.ts';

export interface LanePartitionsOptions {
  readonly name: LaneName;
  readonly log: MirroredLog;
  readonly mapping: TopicMapping;
  readonly memory: MirrorMemory;
  readonly assignment: LaneAssignment;
  readonly clockWait: Pick<ClockWait, 'endOf'>;
}

/** What of the log a lane has to do with, as it is now. */
export class LanePartitions {
  readonly #options: LanePartitionsOptions;

  constructor(options: LanePartitionsOptions) {
    this.#options = options;
  }

  /** Those that it mirrors. */
  own(): readonly PartitionInfo[] {
    return this.#mirrored().filter(({ topic }) => this.#isOwn(topic));
  }

  /** Those that the other lane mirrors. */
  others(): readonly PartitionInfo[] {
    return this.#mirrored().filter(({ topic }) => !this.#isOwn(topic));
  }

  /** Those that say where its positions may go on: its own, and the loss ledger. */
  concerned(): readonly PartitionInfo[] {
    return this.#mirrored().filter(({ topic }) => this.#isOwn(topic) || topic === gapsTopicName);
  }

  /** How far the loss ledger is confirmed, if the other lane sends it. */
  ledger(clusterId: string): readonly Position[] {
    return this.#isOwn(gapsTopicName) ? [] : this.#options.assignment.ledgerIn(clusterId);
  }

  /** What the log has and the cluster has not acknowledged, also where nothing waits. */
  waiting({ positions }: MirrorState): readonly WaitingRange[] {
    const offsets = nextOffsets(positions);
    // Before the first session, what the gateway remembers is the best that is known.
    return this.own().map((info) =>
      waitingRange(
        info,
        offsets.get(nameOf(info)) ?? this.#options.memory.offsetOf(info.topic, info.partition),
      ),
    );
  }

  /** Whether there are partitions that the session has not opened, or of which records are to go elsewhere from now on. */
  hasNew({ positions, care }: MirrorState, session: SessionRequest | null): boolean {
    if (session !== null && isLaidOutAnew(session, this.#options.log.topics())) return true;
    const offsets = nextOffsets(positions);
    return this.own().some((info) => !offsets.has(nameOf(info)) && !isPaused(care.pauses, info));
  }

  /** Whether positions or holds change by where the log begins now, or by what the loss ledger has told. */
  hasMoved(state: MirrorState): boolean {
    return settleHolds(state, this.concerned(), state.care.asides, this.ledger(state.clusterId)) !== null;
  }

  /** Whether the state has something to do. */
  hasWork(state: MirrorState, session: SessionRequest | null): boolean {
    const { care, holds } = state;
    const { clockWait } = this.#options;
    // What is held waits for `gaps`, and for nothing else.
    const isFree = (of: WaitingRange): boolean =>
      !isPaused(care.pauses, of) && !isHeld(holds, of) && of.fromOffset < clockWait.endOf(of);
    return (
      this.waiting(state).some((range) => isWaiting(range) && isFree(range)) ||
      this.hasNew(state, session) ||
      this.hasMoved(state) ||
      this.#options.assignment.isOver
    );
  }

  #mirrored(): readonly PartitionInfo[] {
    const { log, mapping } = this.#options;
    return log.partitions().filter(({ topic }) => mapping.isMirrored(topic));
  }

  #isOwn(topic: string): boolean {
    return this.#options.assignment.laneOf(topic) === this.#options.name;
  }
}

/** The next offset to send of each partition of the session. */
const nextOffsets = (positions: readonly Position[]): ReadonlyMap<string, number> =>
  new Map(positions.map((position) => [nameOf(position), position.nextOffset]));

/** A partition as a key of maps. */
export const nameOf = (of: PartitionName): string => `${of.topic}/${of.partition}`;
