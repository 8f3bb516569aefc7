import { assert, messageOf } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { LaneName, PartitionInfo } from '../../log/types.ts';
import { buildBatch } from '../cluster/outgoing-batch.ts';
import type { Failure, SessionRequest, Target } from '../cluster/target.ts';
import { type Flush, readFlush } from '../flush/flush.ts';
import { checkpointRecord, type Position } from '../mirror/checkpoint.ts';
import { sourcesOf } from '../mirror/checkpoint-sources.ts';
import { pacedBytesMax, sizeWithin } from '../mirror/flush-size.ts';
import { step } from '../mirror/mirror.ts';
import type { MirrorStanding } from '../mirror/mirror-forwarding.ts';
import type { MirrorMemory } from '../mirror/mirror-memory.ts';
import { initialState, type MirrorState } from '../mirror/mirror-state.ts';
import type { MirrorCommand, MirrorEvent, PartitionCopy } from '../mirror/mirror-steps.ts';
import type { Aside, AsideRange, Pause, ReadPosition } from '../mirror/objections.ts';
import type { ResumedPartition } from '../mirror/resume.ts';
import { AgeReader } from '../progress/age-reader.ts';
import { restText } from '../progress/link-status.ts';
import type { WaitingRange } from '../progress/oldest-waiting.ts';
import { Progress } from '../progress/progress.ts';
import { type LaneStatus, notesOf } from '../progress/status.ts';
import { ClockWait } from './clock-wait.ts';
import type { LaneAssignment } from './lane-assignment.ts';
import type { LaneOptions } from './lane-options.ts';
import { LanePartitions, nameOf } from './lane-partitions.ts';
import type { LinkPlan } from './link-plan.ts';
import { News } from './news.ts';
import { nextSession } from './session.ts';

/**
 * Carries records of the log to central Kafka, by one mirror in one transactional stream. It only does what the mirror's `step`
 * commands; what happens in which order is decided there.
 */
export class Lane implements MirrorStanding {
  readonly name: LaneName;
  readonly #options: LaneOptions;
  readonly #target: Target;
  readonly #memory: MirrorMemory;
  readonly #assignment: LaneAssignment;
  readonly #plan: LinkPlan;
  readonly #partitions: LanePartitions;
  readonly #progress: Progress;
  readonly #ages: AgeReader;
  readonly #clockWait: ClockWait;
  readonly #stop = new AbortController();
  #state: MirrorState;
  #session: SessionRequest | null = null;
  #flush: Flush | null = null;
  #run: Promise<void> | null = null;
  readonly #news = new News();
  #recordsSetAside = 0;
  /** When the transaction in hand was begun, by the monotonic clock; null without one. */
  #begunAtMs: number | null = null;
  /** Since when something is paused, by the monotonic clock. */
  #pausedAtMs = 0;

  constructor(name: LaneName, options: LaneOptions, target: Target) {
    this.name = name;
    this.#options = options;
    this.#target = target;
    this.#memory = options.memory;
    this.#assignment = options.assignment;
    this.#plan = options.plan;
    this.#plan.watch(name, () => target.linkBytesWritten() + target.linkBytesRead());
    this.#clockWait = new ClockWait(options);
    this.#partitions = new LanePartitions({ ...options, name, clockWait: this.#clockWait });
    const { log, bytesPerSecond, onCheckpointLost } = options;
    const lingerMs =
      name === 'alarm' ? Math.min(options.lingerMs, limits.alarmLingerMsMax) : options.lingerMs;
    const { transactionBytesMax = limits.transactionBytesMax } = options;
    this.#progress = new Progress({
      ...options,
      lingerMs,
      storedBytes: ({ topic, partition, fromOffset }) => log.storedBytes(topic, partition, fromOffset),
      linkBytes: () => this.#target.linkBytesWritten(),
    });
    const waiting = (): readonly WaitingRange[] => this.#partitions.waiting(this.#state);
    this.#ages = new AgeReader({ log, progress: this.#progress, waiting, signal: this.#stop.signal });
    this.#state = initialState(
      lingerMs,
      onCheckpointLost,
      pacedBytesMax(bytesPerSecond, transactionBytesMax),
    );
  }

  /** What the link may be used for has changed; so many bytes of records may leave a second. */
  linkChanged(bytesPerSecond: number | undefined): void {
    const { transactionBytesMax = limits.transactionBytesMax } = this.#options;
    const flushSize = sizeWithin(this.#state.flushSize, pacedBytesMax(bytesPerSecond, transactionBytesMax));
    this.#state = { ...this.#state, flushSize };
    this.#news.tell();
  }

  /** Starts; to be called once. Whatever the cluster does is told by {@link status}, never thrown. */
  start(): void {
    assert(this.#run === null, 'a lane is started once');
    this.#run = this.#carryOn();
  }

  /** Finishes or aborts the transaction in hand, within a bound, and resolves when all is closed. */
  async stop(): Promise<void> {
    if (this.#run === null || this.#stop.signal.aborted) return;
    this.#state = step(this.#state, { type: 'stop' }).state;
    this.#stop.abort();
    this.#news.tell();
    const finished = new AbortController();
    const ended = this.#run.finally(() => finished.abort());
    await Promise.race([ended, this.#options.clock.sleep(limits.forwarderStopMs, finished.signal)]);
    // After the bound the calls in flight are cut, so that the loop ends; before it there is nothing left to cut.
    await this.#target.close();
    await ended;
    await this.#ages.settled();
  }

  /** Whether it has topics, or is to have some, or looks after the link. */
  get isInUse(): boolean {
    return this.#assignment.isNeeded(this.name) || this.#partitions.own().length > 0;
  }

  status(): LaneStatus {
    const status = this.#progress.status(this.#state, this.#partitions.waiting(this.#state));
    return {
      ...this.#plan.told(this.name, this.#clockWait.told(status)),
      warnings: [this.#clockWait.note(), ...notesOf(this.#state, this.#recordsSetAside)].filter(
        (warning) => warning !== null,
      ),
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
      this.#news.tell();
    });
    const unlisten = this.#assignment.onChange(() => this.#news.tell());
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
        this.#progress.stepped(event, before, state, this.#partitions.waiting(state));
        if (state.positions !== before.positions) {
          this.#assignment.moved(this.name, state.clusterId, state.positions);
          this.#ages.look();
        }
        let answer: MirrorEvent | null = null;
        for (const command of commands) answer = await this.#carryOut(command);
        if (answer === null) return;
        event = answer;
      }
    } finally {
      unsubscribe();
      unlisten();
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
        return this.#answer(await this.#assignment.mint(command), { type: 'minted' });
      case 'tell':
        return this.#answer(await this.#memory.tell(command), { type: 'told' });
      case 'read':
        return this.#read(command.positions, command.bytesMax);
      case 'remember':
        return this.#remember(command.copies);
      case 'send':
        this.#begunAtMs ??= this.#options.clock.monotonicMs();
        return this.#answer(await this.#send(command.checkpoints), { type: 'sent' });
      case 'commit':
        return this.#commit();
      case 'abort':
        return this.#answer(await this.#target.abort(), { type: 'aborted', ...this.#moment() });
      case 'set-aside':
        return this.#setAside(command.known, command.ranges);
      case 'wait':
        return this.#wait();
      case 'rest':
        return this.#rest();
      case 'sleep':
        await this.#options.clock.sleep(command.ms, this.#stop.signal);
        return { type: 'woke' };
      case 'close':
        this.#begunAtMs = null;
        await this.#target.close();
        this.#plan.closed(this.name);
        this.#assignment.release(this.name);
        return null;
      case 'stop':
        return null;
    }
  }

  async #open(pauses: readonly Pause[]): Promise<MirrorEvent> {
    const unsettled = await this.#assignment.settleIdentity();
    if (unsettled !== null) return this.#failed(unsettled);
    this.#plan.closed(this.name);
    this.#assignment.release(this.name);
    await this.#untilItMayOpen();
    if (this.#stop.signal.aborted) return { type: 'woke' };
    if (this.#plan.rest(this.name) !== null) return { type: 'rest-due' };
    const unnoted = await this.#plan.opening(this.name);
    if (unnoted !== null) return this.#failed(unnoted);
    this.#session = nextSession(this.#options, this.name, pauses);
    const failure = await this.#target.open(this.#session);
    if (failure === null) this.#assignment.initialised();
    return this.#answer(failure, { type: 'opened' });
  }

  /** Until it has topics, and holds the assignment; or until the stop, or a rest. */
  async #untilItMayOpen(): Promise<void> {
    let isClosed = false;
    while (!this.#stop.signal.aborted && this.#plan.rest(this.name) === null) {
      const news = this.#news.next();
      const isNeeded = this.#assignment.isNeeded(this.name);
      if (isNeeded && this.#assignment.hold(this.name)) return;
      // Every commit comes by here.
      if (!isNeeded && !isClosed) await this.#target.close();
      isClosed ||= !isNeeded;
      await news;
    }
  }

  async #rest(): Promise<MirrorEvent> {
    const { logger } = this.#options;
    let told = '';
    for (let rest = this.#plan.rest(this.name); rest !== null; rest = this.#plan.rest(this.name)) {
      const text = restText(rest);
      if (text !== told) logger.info({ reason: rest.reason }, text);
      told = text;
      await this.#news.within(this.#plan.lookAgainMs(this.name), this.#options.clock);
      if (this.#stop.signal.aborted) break;
    }
    return { type: 'rested' };
  }

  async #readCheckpoints(): Promise<MirrorEvent> {
    const read = await this.#target.readCheckpoints();
    if (!read.ok) return this.#failed(read.failure);
    const unnoted = await this.#plan.opened(this.name);
    if (unnoted !== null) return this.#failed(unnoted);
    const { clusterId, values } = read;
    // What was created since the session was opened is noticed by the next read, and opened then.
    const partitions = this.#resumed(
      this.#partitions.own().filter((info) => this.#isOpened(info)),
      values,
    );
    if ('failure' in partitions) return this.#failed(partitions.failure);
    const others = this.#resumed(this.#partitions.others(), values);
    if ('failure' in others) return this.#failed(others.failure);
    return { type: 'checkpoints', clusterId, partitions, others, ledger: this.#partitions.ledger(clusterId) };
  }

  /** All that is known of these partitions. */
  #resumed(
    infos: readonly PartitionInfo[],
    values: ReadonlyMap<string, Uint8Array>,
  ): readonly ResumedPartition[] | { readonly failure: Failure } {
    const { log, mapping } = this.#options;
    const { identity } = this.#assignment;
    const partitions: ResumedPartition[] = [];
    for (const info of infos) {
      const sources = sourcesOf(info, values, identity, this.#memory, mapping);
      if ('failure' in sources) return sources;
      partitions.push({ ...info, lives: log.lives(info.topic, info.partition), ...sources });
    }
    return partitions;
  }

  async #read(wanted: readonly ReadPosition[], bytesMax: number): Promise<MirrorEvent> {
    if (this.#assignment.isOver) return { type: 'reassigned' };
    if (this.#plan.rest(this.name) !== null) return { type: 'rest-due' };
    if (this.#pauseLeftMs() <= 0) return { type: 'pause-over' };
    if (this.#partitions.hasNew(this.#state, this.#session)) return { type: 'new-partition' };
    if (this.#partitions.hasMoved(this.#state)) return this.#logStartMoved();
    const roomBytes = this.#plan.roomBytes(this.name);
    const linkBytesMax = Math.min(this.#target.batchBytesMax(), roomBytes);
    const positions = wanted.map((position) => ({
      ...this.#clockWait.upTo(position),
      batchBytesMax: Math.min(position.batchBytesMax, linkBytesMax),
    }));
    try {
      const { log, clock } = this.#options;
      const flushBytesMax = Math.min(bytesMax, roomBytes);
      this.#flush = await readFlush(log, this.#session?.topics ?? [], positions, flushBytesMax, clock);
    } catch (error) {
      const message = `the log could not be read: ${messageOf(error)}`;
      return this.#failed({ kind: 'refused', message });
    }
    this.#progress.read(this.#flush);
    return { type: 'read', ranges: this.#flush.ranges, backlog: this.#flush.backlog };
  }

  #logStartMoved(): MirrorEvent {
    const ledger = this.#partitions.ledger(this.#state.clusterId);
    return { type: 'log-start-moved', partitions: this.#partitions.concerned(), ledger };
  }

  async #remember(copies: readonly PartitionCopy[]): Promise<MirrorEvent> {
    const bytes = this.#flush?.batches.reduce((sum, { batch }) => sum + batch.bytes.length, 0) ?? 0;
    const failure = await this.#memory.remember(copies, this.#plan.sending(this.name, bytes));
    if (failure !== null) return this.#failed(failure);
    // From here on the log keeps what the copies call undecided; what it dropped before is told as lost, so it must not
    // arrive.
    const starts = new Map(this.#partitions.own().map((info) => [nameOf(info), info.logStartOffset]));
    const isOvertaken = this.#flush?.ranges.some(
      (range) => range.fromOffset < (starts.get(nameOf(range)) ?? 0),
    );
    return { type: isOvertaken === true ? 'overtaken' : 'remembered' };
  }

  async #send(checkpoints: readonly Position[]): Promise<Failure | null> {
    const { mapping, clock } = this.#options;
    assert(this.#flush !== null, 'something was read before it is sent');
    const { logId } = this.#assignment.identity;
    const batch = await buildBatch(checkpoints.map((one) => checkpointRecord(logId, one, clock.wallMs())));
    // First, so that it is in the first request to its leader: it tells whether it is the records that are refused.
    return this.#target.send([
      { topic: mapping.checkpointTopic, partition: 0, batch, source: null },
      ...this.#flush.batches,
    ]);
  }

  async #commit(): Promise<MirrorEvent> {
    const failure = await this.#target.commit();
    const answer = this.#answer(failure, { type: 'committed', elapsedMs: this.#elapsedMs() });
    if (failure === null) this.#begunAtMs = null;
    return answer;
  }

  async #setAside(known: readonly Aside[], ranges: readonly AsideRange[]): Promise<MirrorEvent> {
    const failure = await this.#memory.setAside(known, ranges);
    if (failure !== null) return this.#failed(failure);
    for (const { fromOffset, nextOffset } of ranges) this.#recordsSetAside += nextOffset - fromOffset;
    return { type: 'set-aside', jitter: this.#options.random.next() };
  }

  async #wait(): Promise<MirrorEvent> {
    while (!this.#stop.signal.aborted) {
      const isDue = this.#pauseLeftMs() <= 0 || this.#plan.rest(this.name) !== null;
      if (isDue || this.#partitions.hasWork(this.#state, this.#session)) return { type: 'wrote' };
      const clockMs = this.#clockWait.leftMs() ?? Number.POSITIVE_INFINITY;
      await this.#news.within(
        Math.min(this.#pauseLeftMs(), clockMs, this.#plan.lookAgainMs(this.name)),
        this.#options.clock,
      );
    }
    return { type: 'woke' };
  }

  /** How long what is paused stays so, milliseconds; infinity if nothing is. */
  #pauseLeftMs(): number {
    if (this.#state.care.pauses.length === 0) return Number.POSITIVE_INFINITY;
    return this.#pausedAtMs + limits.pauseMs - this.#options.clock.monotonicMs();
  }

  #isOpened({ topic, partition }: PartitionInfo): boolean {
    const opened = this.#session?.topics.find(({ source }) => source === topic);
    return opened !== undefined && partition < opened.sourcePartitions;
  }

  #answer(failure: Failure | null, success: MirrorEvent): MirrorEvent {
    return failure === null ? success : this.#failed(failure);
  }

  #failed(failure: Failure): MirrorEvent {
    return { type: 'failed', failure, elapsedMs: this.#elapsedMs(), ...this.#moment() };
  }

  #elapsedMs(): number {
    const nowMs = this.#options.clock.monotonicMs();
    return nowMs - (this.#begunAtMs ?? nowMs);
  }

  #moment(): { readonly atMs: number; readonly jitter: number } {
    return { atMs: this.#options.clock.monotonicMs(), jitter: this.#options.random.next() };
  }
}
