import type { Clock } from '../core/clock.ts';
import { assert, messageOf } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Random } from '../core/random.ts';
import type { MirroredLog, PartitionInfo } from '../log/types.ts';
import { AgeReader } from './age-reader.ts';
import { AtLeastOnceTarget } from './at-least-once-target.ts';
import { encodeCheckpoint, type PartitionName, type Position } from './checkpoint.ts';
import { sourcesOf } from './checkpoint-sources.ts';
import { openAccess, type ReadAccess } from './cluster-access.ts';
import { type Flush, readFlush } from './flush.ts';
import { isHeld, settleHolds } from './holds.ts';
import { KafkaTarget, type KafkaTargetOptions } from './kafka-target.ts';
import { initialState, type MirrorState, step } from './mirror.ts';
import type { MirrorStanding } from './mirror-forwarding.ts';
import { MirrorMemory } from './mirror-memory.ts';
import type { MirrorCommand, MirrorEvent, PartitionCopy } from './mirror-steps.ts';
import { checkpointKey } from './names.ts';
import { type Aside, type AsideRange, isPaused, type Pause, type ReadPosition } from './objections.ts';
import { type WaitingRange, waitingRange } from './oldest-waiting.ts';
import { buildBatch } from './outgoing-batch.ts';
import { isWaiting, Progress } from './progress.ts';
import type { OnCheckpointLost, ResumedPartition } from './resume.ts';
import { isLaidOutAnew, nextSession } from './session.ts';
import { type ForwarderStatus, pauseNotes } from './status.ts';
import type { Delivery, Failure, SessionRequest, Target, TopicCreation } from './target.ts';
import type { TopicMapping } from './topic-mapping.ts';

export interface ForwarderOptions {
  readonly log: MirroredLog;
  /** `host:port` of some brokers of the cluster; the others are found through them. */
  readonly brokers: readonly string[];
  /** TLS and login; without it, neither. */
  readonly readAccess?: ReadAccess;
  /** Which topics are sent, and what they are called there. */
  readonly mapping: TopicMapping;
  /** How missing topics are made there; by default as the cluster does it. */
  readonly creation?: TopicCreation | undefined;
  /** How long the first new record waits for others, milliseconds. */
  readonly lingerMs: number;
  /** How many bytes of records may leave a second on the average; without it as many as the link takes. */
  readonly bytesPerSecond?: number | undefined;
  /** By default exactly once, for which the cluster must have transactions. */
  readonly delivery?: Delivery | undefined;
  /** What to do when the cluster no longer knows what it had confirmed. */
  readonly onCheckpointLost: OnCheckpointLost;
  /** The serial number of the board, or null: on another board, the folder must not pass for itself. */
  readonly board: string | null;
  /** How much one transaction takes at most; less than the default in tests only. */
  readonly transactionBytesMax?: number;
  /** The cluster; default is the Kafka behind `brokers`. */
  readonly target?: Target;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Carries every record of the log to central Kafka, exactly once and in partition order (design §6). It only does
 * what the mirror's `step` commands; what happens in which order is decided there.
 */
export class Forwarder implements MirrorStanding {
  readonly #options: ForwarderOptions;
  readonly #target: Target;
  readonly #memory: MirrorMemory;
  readonly #progress: Progress;
  readonly #ages: AgeReader;
  readonly #stop = new AbortController();
  #state: MirrorState;
  #session: SessionRequest | null = null;
  #flush: Flush | null = null;
  #run: Promise<void> | null = null;
  #news: () => void = () => {};
  #identityWarning: string | null = null;
  #recordsSetAside = 0;
  /** When the transaction in hand was begun, by the monotonic clock. */
  #begunAtMs = 0;
  /** Since when something is paused, by the monotonic clock. */
  #pausedAtMs = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    const { brokers, readAccess = openAccess, clock, bytesPerSecond } = options;
    this.#target = options.target ?? kafka({ brokers, readAccess, clock, bytesPerSecond }, options.delivery);
    this.#memory = new MirrorMemory(options.log, options.board);
    const { log, lingerMs, onCheckpointLost, transactionBytesMax = limits.transactionBytesMax } = options;
    this.#progress = new Progress({
      ...options,
      storedBytes: ({ topic, partition, fromOffset }) => log.storedBytes(topic, partition, fromOffset),
      linkBytes: () => this.#target.linkBytesWritten(),
    });
    const waiting = (): readonly WaitingRange[] => this.#waiting();
    this.#ages = new AgeReader({ log, progress: this.#progress, waiting, signal: this.#stop.signal });
    const pacedBytes = ((bytesPerSecond ?? Number.POSITIVE_INFINITY) * limits.transactionMsWanted) / 1000;
    this.#state = initialState(lingerMs, onCheckpointLost, Math.min(transactionBytesMax, pacedBytes));
  }

  /** Starts; to be called once. Whatever the cluster does is told by {@link status}, never thrown. */
  start(): void {
    assert(this.#run === null, 'a forwarder is started once');
    this.#run = this.#carryOn();
  }

  /** Finishes or aborts the transaction in hand, within a bound, and resolves when all is closed. */
  async stop(): Promise<void> {
    if (this.#run === null || this.#stop.signal.aborted) return;
    this.#state = step(this.#state, { type: 'stop' }).state;
    this.#stop.abort();
    this.#news();
    const finished = new AbortController();
    const ended = this.#run.finally(() => finished.abort());
    await Promise.race([ended, this.#options.clock.sleep(limits.forwarderStopMs, finished.signal)]);
    // After the bound the calls in flight are cut, so that the loop ends; before it there is nothing left to cut.
    await this.#target.close();
    await ended;
    await this.#ages.settled();
  }

  status(): ForwarderStatus {
    return {
      ...this.#progress.status(this.#state, this.#waiting()),
      delivery: this.#options.delivery ?? 'exactly-once',
      warnings: [
        this.#identityWarning,
        this.#state.warning,
        this.#recordsSetAside === 0 ? null : refusedNote(this.#recordsSetAside),
        ...pauseNotes(this.#state),
      ].filter((warning) => warning !== null),
    };
  }

  standing(topic: string, partition: number): ReturnType<MirrorStanding['standing']> {
    const { positions, flush } = this.#state;
    const isIt = (one: Position): boolean => one.topic === topic && one.partition === partition;
    const confirmed = positions.find(isIt)?.nextOffset;
    if (confirmed === undefined) return null;
    return { confirmed, undecided: Math.max(confirmed, flush.find(isIt)?.nextOffset ?? 0) };
  }

  async #carryOn(): Promise<void> {
    const unsubscribe = this.#options.log.onCommit(() => {
      this.#ages.look();
      this.#news();
    });
    this.#ages.look();
    try {
      let event: MirrorEvent = { type: 'start' };
      for (;;) {
        const before = this.#state;
        const { state, commands } = step(this.#state, event);
        this.#state = state;
        if (state.care.pauses.length > before.care.pauses.length)
          this.#pausedAtMs = this.#options.clock.monotonicMs();
        if (event.type === 'committed') this.#flush = null;
        this.#progress.stepped(event, before, state, this.#waiting());
        if (state.positions !== before.positions) this.#ages.look();
        let answer: MirrorEvent | null = null;
        for (const command of commands) answer = await this.#carryOut(command);
        if (answer === null) return;
        event = answer;
      }
    } finally {
      unsubscribe();
    }
  }

  /** Does it, and says what came of it; null for commands without an answer. */
  async #carryOut(command: MirrorCommand): Promise<MirrorEvent | null> {
    switch (command.type) {
      case 'open':
        return this.#open(command.pauses);
      case 'read-checkpoints':
        return this.#readCheckpoints();
      case 'mint':
        return this.#mint(command.life);
      case 'read':
        return this.#read(command.positions, command.bytesMax);
      case 'remember':
        return this.#remember(command.copies);
      case 'send':
        this.#begunAtMs = this.#options.clock.monotonicMs();
        return this.#answer(await this.#send(command.checkpoints), { type: 'sent' });
      case 'commit':
        return this.#commit();
      case 'abort':
        return this.#answer(await this.#target.abort(), { type: 'aborted', jitter: this.#jitter() });
      case 'set-aside':
        return this.#setAside(command.known, command.ranges);
      case 'wait':
        return this.#wait();
      case 'sleep':
        await this.#options.clock.sleep(command.ms, this.#stop.signal);
        return { type: 'woke' };
      case 'close':
        await this.#target.close();
        return null;
      case 'stop':
        return null;
    }
  }

  async #open(pauses: readonly Pause[]): Promise<MirrorEvent> {
    const { failure, isMinted } = await this.#memory.settleIdentity();
    if (failure !== null) return this.#failed(failure);
    if (isMinted) this.#warnOfNewIdentity('this data folder runs on another board than before');
    this.#session = nextSession(this.#options, this.#memory.identity, pauses);
    return this.#answer(await this.#target.open(this.#session), { type: 'opened' });
  }

  async #mint(life: string): Promise<MirrorEvent> {
    const failure = await this.#memory.mint(life);
    if (failure !== null) return this.#failed(failure);
    this.#warnOfNewIdentity(
      `the cluster has records of a past (life ${life}) that this data folder does not know`,
    );
    return { type: 'minted' };
  }

  #warnOfNewIdentity(why: string): void {
    const message =
      `${why}: it is a copy, was restored, or its disk lost records. The mirror goes on under the identity ` +
      `${this.#memory.identity.logId}; records that the other past has sent may arrive twice, none is skipped`;
    this.#identityWarning = message;
    this.#options.logger.warn({}, message);
  }

  async #readCheckpoints(): Promise<MirrorEvent> {
    const read = await this.#target.readCheckpoints();
    if (!read.ok) return this.#failed(read.failure);
    const partitions: ResumedPartition[] = [];
    for (const info of this.#partitions()) {
      // What was created since the session was opened is noticed by the next read, and opened then.
      if (!this.#isOpened(info)) continue;
      const sources = sourcesOf(info, read.values, this.#memory, this.#options.mapping);
      if ('failure' in sources) return this.#failed(sources.failure);
      partitions.push({ ...info, lives: this.#options.log.lives(info.topic, info.partition), ...sources });
    }
    return { type: 'checkpoints', clusterId: read.clusterId, partitions };
  }

  async #read(positions: readonly ReadPosition[], bytesMax: number): Promise<MirrorEvent> {
    if (this.#pauseLeftMs() <= 0) return { type: 'pause-over' };
    if (this.#hasNewPartition()) return { type: 'new-partition' };
    if (this.#hasMoved()) return { type: 'log-start-moved', partitions: this.#partitions() };
    try {
      const { log, clock } = this.#options;
      this.#flush = await readFlush(log, this.#session?.topics ?? [], positions, bytesMax, clock);
    } catch (error) {
      const message = `the log could not be read: ${messageOf(error)}`;
      return this.#failed({ kind: 'refused', message });
    }
    this.#progress.read(this.#flush);
    return { type: 'read', ranges: this.#flush.ranges, backlog: this.#flush.backlog };
  }

  async #remember(copies: readonly PartitionCopy[]): Promise<MirrorEvent> {
    const failure = await this.#memory.remember(copies);
    if (failure !== null) return this.#failed(failure);
    // From here on the log keeps what the copies call undecided; what it dropped before is told as lost, so it must not
    // arrive.
    const starts = new Map(this.#partitions().map((info) => [nameOf(info), info.logStartOffset]));
    const isOvertaken = this.#flush?.ranges.some(
      (range) => range.fromOffset < (starts.get(nameOf(range)) ?? 0),
    );
    return { type: isOvertaken === true ? 'overtaken' : 'remembered' };
  }

  async #send(checkpoints: readonly Position[]): Promise<Failure | null> {
    const { mapping, clock } = this.#options;
    assert(this.#flush !== null, 'something was read before it is sent');
    const records = checkpoints.map(({ topic, partition, nextOffset, lives }) => ({
      key: Buffer.from(checkpointKey(this.#memory.identity.logId, topic, partition), 'utf8'),
      value: encodeCheckpoint({ nextOffset, lives }),
      timestampMs: clock.wallMs(),
      headers: [],
    }));
    const batch = await buildBatch(records);
    // First, so that it is in the first request to its leader: it tells whether it is the records that are refused.
    return this.#target.send([
      { topic: mapping.checkpointTopic, partition: 0, batch, source: null },
      ...this.#flush.batches,
    ]);
  }

  async #commit(): Promise<MirrorEvent> {
    const failure = await this.#target.commit();
    const elapsedMs = this.#options.clock.monotonicMs() - this.#begunAtMs;
    return this.#answer(failure, { type: 'committed', elapsedMs });
  }

  async #setAside(known: readonly Aside[], ranges: readonly AsideRange[]): Promise<MirrorEvent> {
    const failure = await this.#memory.setAside(known, ranges);
    if (failure !== null) return this.#failed(failure);
    for (const { fromOffset, nextOffset } of ranges) this.#recordsSetAside += nextOffset - fromOffset;
    return { type: 'set-aside', jitter: this.#jitter() };
  }

  async #wait(): Promise<MirrorEvent> {
    while (!this.#stop.signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#news = resolve;
      if (this.#hasWork()) return { type: 'wrote' };
      const waited = new AbortController();
      const pauseEnd = this.#pauseLeftMs();
      const { clock } = this.#options;
      await (pauseEnd === Number.POSITIVE_INFINITY
        ? promise
        : Promise.race([promise, clock.sleep(pauseEnd, waited.signal)]));
      waited.abort();
    }
    return { type: 'woke' };
  }

  #hasWork(): boolean {
    const { care, holds } = this.#state;
    // What is held waits for `gaps`, and for nothing else.
    const isFree = (of: PartitionName): boolean => !isPaused(care.pauses, of) && !isHeld(holds, of);
    return (
      this.#waiting().some((range) => isWaiting(range) && isFree(range)) ||
      this.#hasNewPartition() ||
      this.#hasMoved() ||
      this.#pauseLeftMs() <= 0
    );
  }

  /** Whether positions or holds change by where the log begins now. */
  #hasMoved(): boolean {
    return settleHolds(this.#state, this.#partitions(), this.#state.care.asides) !== null;
  }

  /** How long what is paused stays so, milliseconds; infinity if nothing is. */
  #pauseLeftMs(): number {
    if (this.#state.care.pauses.length === 0) return Number.POSITIVE_INFINITY;
    return this.#pausedAtMs + limits.pauseMs - this.#options.clock.monotonicMs();
  }

  /** What the log has and the cluster has not acknowledged, of all mirrored partitions. */
  #waiting(): readonly WaitingRange[] {
    const positions = this.#nextOffsets();
    // Before the first session, what the gateway remembers is the best that is known.
    return this.#partitions().map((info) =>
      waitingRange(info, positions.get(nameOf(info)) ?? this.#memory.offsetOf(info.topic, info.partition)),
    );
  }

  /** Or an old one, of which the records are to go elsewhere from now on. */
  #hasNewPartition(): boolean {
    if (this.#session !== null && isLaidOutAnew(this.#session, this.#options.log.topics())) return true;
    const positions = this.#nextOffsets();
    const { pauses } = this.#state.care;
    return this.#partitions().some((info) => !positions.has(nameOf(info)) && !isPaused(pauses, info));
  }

  /** The next offset to send of each partition of the session. */
  #nextOffsets(): ReadonlyMap<string, number> {
    return new Map(this.#state.positions.map((position) => [nameOf(position), position.nextOffset]));
  }

  #isOpened({ topic, partition }: PartitionInfo): boolean {
    const opened = this.#session?.topics.find(({ source }) => source === topic);
    return opened !== undefined && partition < opened.sourcePartitions;
  }

  #partitions(): readonly PartitionInfo[] {
    return this.#options.log.partitions().filter(({ topic }) => this.#isMirrored(topic));
  }

  #isMirrored(topic: string): boolean {
    return this.#options.mapping.isMirrored(topic);
  }

  #answer(failure: Failure | null, success: MirrorEvent): MirrorEvent {
    return failure === null ? success : this.#failed(failure);
  }

  #failed(failure: Failure): MirrorEvent {
    return { type: 'failed', failure, jitter: this.#jitter() };
  }

  #jitter(): number {
    return this.#options.random.next();
  }
}

const kafka = (options: KafkaTargetOptions, delivery: Delivery | undefined): Target => {
  const target = new KafkaTarget(options);
  return delivery === 'at-least-once' ? new AtLeastOnceTarget(target, options.clock) : target;
};

const refusedNote = (records: number): string =>
  `the cluster refused ${records} records since the start; the topic gaps says which, and they stay here for now`;

const nameOf = (of: { readonly topic: string; readonly partition: number }): string =>
  `${of.topic}/${of.partition}`;
