import { assert } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { gapsTopicName } from '../../core/topic-name.ts';
import { topicDefaults } from '../../log/state/topic-defaults.ts';
import type { LaneName, MirroredLog } from '../../log/types.ts';
import type { Failure } from '../cluster/target.ts';
import type { TopicMapping } from '../cluster/topic-mapping.ts';
import type { Position } from '../mirror/checkpoint.ts';
import type { Identity } from '../mirror/identity.ts';
import type { MirrorMemory } from '../mirror/mirror-memory.ts';
import type { MirrorCommand } from '../mirror/mirror-steps.ts';

export interface LaneAssignmentOptions {
  readonly log: Pick<MirroredLog, 'topics' | 'partitions'>;
  readonly mapping: TopicMapping;
  readonly memory: MirrorMemory;
  readonly logger: Logger;
}

type MintCommand = Extract<MirrorCommand, { readonly type: 'mint' }>;

/**
 * What both lanes work by: our identity, and which topic belongs to which lane. A lane holds it from before it opens a session until it has
 * closed it or is about to open another. When a topic is moved, or the identity is another one, each lane lets go before it
 * reads again; the next one to open waits until nobody holds it any more, and begins it anew, which includes that the
 * transactional ids of both lanes are initialised. So whatever transaction is open, from an earlier process or in the other
 * lane, is over before anybody reads checkpoints or sends, and no lane fences a session of the other.
 */
export class LaneAssignment {
  readonly #options: LaneAssignmentOptions;
  readonly #holders = new Set<LaneName>();
  readonly #listeners = new Set<() => void>();
  /** Which lane has last learnt from the cluster where a topic stands. */
  readonly #informed = new Map<string, LaneName>();
  #identity: Identity | null = null;
  /** Of all topics seen since it was begun, also those that were deleted meanwhile. */
  #lanes = new Map<string, LaneName>();
  #isInitialised = false;
  #ledger: { readonly clusterId: string; readonly positions: readonly Position[] } | null = null;
  #turn: Promise<Failure | null> = Promise.resolve(null);
  #warning: string | null = null;

  constructor(options: LaneAssignmentOptions) {
    this.#options = options;
  }

  /** Who we are, for whoever holds it. */
  get identity(): Identity {
    assert(this.#identity !== null, 'it is held by whoever asks the cluster for anything');
    return this.#identity;
  }

  /** Whether the holder has to have the other lane's transactional id initialised before it does anything else. */
  get isToInitialise(): boolean {
    return !this.#isInitialised;
  }

  /** What a person should know of the identity; null if nothing. */
  get warning(): string | null {
    return this.#warning;
  }

  /** Calls back whenever something here has changed that may be waited for. Returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The lane that the topic belongs to for now. */
  laneOf(topic: string): LaneName {
    return this.#lanes.get(topic) ?? this.#wanted().get(topic) ?? topicDefaults.lane;
  }

  /** Whether the lane has something to do by the settings of now. With no topics at all, bulk looks after the link. */
  isNeeded(lane: LaneName): boolean {
    const needed = new Set(this.#wanted().values());
    return needed.has(lane) || (needed.size === 0 && lane === 'bulk');
  }

  /** Whether whoever holds it must let go before anything more is read. */
  get isOver(): boolean {
    if (this.#identity === null || this.#identity !== this.#options.memory.identity) return true;
    return this.#wanted()
      .entries()
      .some(([topic, lane]) => (this.#lanes.get(topic) ?? lane) !== lane);
  }

  /** Holds it for the lane, begun anew if it was over; false if the other lane has to do something first. */
  hold(lane: LaneName): boolean {
    const isAlone = [...this.#holders].every((holder) => holder === lane);
    if (this.isOver && isAlone) {
      this.#identity = this.#options.memory.identity;
      this.#lanes = new Map();
      this.#isInitialised = false;
      this.#ledger = null;
    }
    if (this.isOver || !(isAlone || this.#isInitialised)) return false;
    for (const [topic, wanted] of this.#wanted()) if (!this.#lanes.has(topic)) this.#lanes.set(topic, wanted);
    this.#holders.add(lane);
    return true;
  }

  release(lane: LaneName): void {
    if (this.#holders.delete(lane)) this.#changed();
  }

  /** The holder has a session, and both transactional ids are initialised. */
  initialised(): void {
    this.#isInitialised = true;
    this.#changed();
  }

  /** Finds out who we are on this board, and makes it durable. */
  settleIdentity(): Promise<Failure | null> {
    return this.#inTurn(async () => {
      const { log, mapping, memory } = this.#options;
      const mirrored = log.partitions().filter(({ topic }) => mapping.isMirrored(topic));
      const { failure, isMinted } = await memory.settleIdentity(mirrored);
      if (isMinted) this.#warnOfNewIdentity('this data folder runs on another board than before');
      return failure;
    });
  }

  /** Takes a new identity, durably, because somebody else has written under ours; once, if both lanes have seen it. */
  mint({ life, doubtful }: MintCommand): Promise<Failure | null> {
    const { memory } = this.#options;
    const before = this.identity;
    return this.#inTurn(async () => {
      if (memory.identity !== before) return null;
      const failure = await memory.mint(life, doubtful);
      if (failure !== null) return failure;
      this.#warnOfNewIdentity(
        `the cluster has records of a past (life ${life}) that this data folder does not know`,
      );
      this.#changed();
      return null;
    });
  }

  /** The lane has learnt from the cluster where these stand, or has moved them. */
  moved(lane: LaneName, clusterId: string, positions: readonly Position[]): void {
    for (const { topic } of positions) this.#informed.set(topic, lane);
    const ledger = positions.filter(({ topic }) => topic === gapsTopicName);
    if (ledger.length === 0) return;
    this.#ledger = { clusterId, positions: ledger };
    this.#changed();
  }

  /** The lane that knows best where the topic stands; undefined before any does. */
  informedOf(topic: string): LaneName | undefined {
    return this.#informed.get(topic);
  }

  /** How far the loss ledger is confirmed by this cluster, as the lane that sends it has said; empty if it has not. */
  ledgerIn(clusterId: string): readonly Position[] {
    return this.#ledger?.clusterId === clusterId ? this.#ledger.positions : [];
  }

  #wanted(): ReadonlyMap<string, LaneName> {
    const { log, mapping } = this.#options;
    const mirrored = log.topics().filter(({ name }) => mapping.isMirrored(name));
    return new Map(mirrored.map(({ name, settings }) => [name, settings.lane ?? topicDefaults.lane]));
  }

  #inTurn(what: () => Promise<Failure | null>): Promise<Failure | null> {
    this.#turn = this.#turn.then(what);
    return this.#turn;
  }

  #warnOfNewIdentity(why: string): void {
    const { memory, logger } = this.#options;
    this.#warning =
      `${why}: it is a copy, was restored, or its disk lost records. The mirror goes on under the identity ` +
      `${memory.identity?.logId}; records that the other past has sent may arrive twice (the topic ${gapsTopicName} says which), none is skipped`;
    logger.warn({}, this.#warning);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
