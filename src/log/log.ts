import { isOperatingError, isSystemError, type OperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Qos2Id, Qos2Log } from '../core/qos2.ts';
import type { NewRecord } from '../core/record.ts';
import type { ClockEpoch } from './clock/clock-epoch.ts';
import { corrected } from './clock/corrected.ts';
import { stampingNow } from './clock/stamping.ts';
import { unsettledStamps } from './clock/unsettled-stamps.ts';
import { type Appended, checkedRequestBytes, planCommit } from './commits/commit-plan.ts';
import { CommitQueue, type Waiting } from './commits/commit-queue.ts';
import { reportCommit } from './commits/commit-report.ts';
import { checkOffset, findPartition, Placement, partitionInfos, topicInfos } from './commits/placement.ts';
import { Qos2Requests } from './commits/qos2-requests.ts';
import { checkTopic } from './commits/topic-plan.ts';
import { DiskReader, offsetForTime } from './disk-reader.ts';
import type { Journal } from './journal/journal.ts';
import type { LogEnvironment } from './journal/journal-files.ts';
import { RecoveryAttempts, recoverJournal } from './recovery.ts';
import { stopping, tellRecovery, toldUnrecoverable } from './refusals.ts';
import { budgetIsUsedUp } from './retention/disk-budget.ts';
import { type Sealer, sealerInThisThread } from './segments/sealer.ts';
import { memoBytes, memoRows, partitionKey } from './state/entries.ts';
import { storedBytes } from './stored-bytes.ts';
import { Tail } from './tail.ts';
import type {
  LedgerRange,
  LifeStart,
  LogStats,
  Memos,
  MirroredLog,
  PartitionInfo,
  Retention,
  StoredBatch,
  TopicInfo,
  TopicSettings,
  Unsettled,
} from './types.ts';
import { Upkeep, type UpkeepLog } from './upkeep.ts';

export interface LogOptions extends Omit<LogEnvironment, 'fileBytes'> {
  /** Commits start at least so far apart, 0 to 1000 ms. */
  readonly commitIntervalMs: number;
  /** Size of a journal file; smaller than the default in tests only. */
  readonly journalFileBytes?: number;
  /** Who does the work of sealing, best in another thread; by default it is done in this one. */
  readonly sealer?: Sealer;
  /** The rules by which records are removed; without them all stay, and nothing bounds the data folder. */
  readonly retention?: Retention | undefined;
}

const noMemos: Memos = new Map();

/**
 * The partitioned commit log: the only place where a reading becomes a fact. What `append` has resolved for is
 * durable, and readers see nothing else. One instance per data folder; the caller holds the folder's lock.
 */
export class Log implements MirroredLog, Qos2Log {
  readonly unsettled: Unsettled;
  readonly #env: LogEnvironment;
  readonly #queue: CommitQueue;
  readonly #diskReader: DiskReader;
  readonly #sealer: Sealer;
  readonly #upkeep: Upkeep;
  readonly #qos2: Qos2Requests;
  readonly #placement = new Placement();
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  readonly #recoveries = new RecoveryAttempts();
  #tail = new Tail();
  #journal: Journal;
  #unavailable: OperatingError | undefined;
  #lastCommitMs: number | null = null;
  #commits = 0;
  /** The journal has rolled if it is another one. */
  #newestFile: string | undefined;

  private constructor(options: LogOptions, env: LogEnvironment, journal: Journal) {
    this.#env = env;
    this.#sealer = options.sealer ?? sealerInThisThread(env.disk);
    this.#journal = journal;
    this.#diskReader = new DiskReader(env, (loss) => this.#upkeep.noteLoss(loss));
    this.#queue = new CommitQueue(env.clock, options.commitIntervalMs, (waiting) => this.#commit(waiting));
    const current = (): Journal => this.#journal;
    this.unsettled = unsettledStamps(() => this.#journal.state, env.readClock);
    this.#qos2 = new Qos2Requests({
      get state() {
        return current().state;
      },
      place: (record) => this.#placement.place(this.#journal.state, record),
      push: (request, bytes) => this.#queue.push(request, bytes),
      refuseIfUnavailable: (how) => this.#refuseIfUnavailable(how),
    });
    const upkeepLog: UpkeepLog = {
      get journal() {
        return current();
      },
      commit: async (plan, bytes) => {
        await this.#queue.push({ kind: 'upkeep', plan }, bytes);
      },
      growTopic: (name, count) => this.growTopic(name, count),
    };
    this.#upkeep = new Upkeep(env, upkeepLog, this.#sealer, options.retention);
    this.#reportAvailability();
    this.#upkeep.wake();
  }

  /**
   * Recovers the data folder and opens it for appending and reading.
   * @throws OperatingError `unreadable-format` for a folder of a later version; other errors are the disk's own.
   */
  static async open(options: LogOptions): Promise<Log> {
    const env = { ...options, fileBytes: options.journalFileBytes ?? limits.journalFileBytes };
    return new Log(options, env, await recoverJournal(env));
  }

  get logId(): string {
    return this.#journal.logId;
  }

  /** Whether records can be made durable now. */
  get available(): boolean {
    return this.#refusal() === undefined;
  }

  /** Why not, in words. */
  get unavailableReason(): string | null {
    return this.#refusal()?.message ?? null;
  }

  /** Looks whether retention or the disk budget has something to remove; to be called every now and then. */
  keepHouse(): void {
    this.#upkeep.wake();
  }

  /** Counts of this run, and how things are. */
  stats(): LogStats {
    return {
      commits: this.#commits,
      failedRecoveries: this.#recoveries.failed,
      isRecovering: this.#recoveries.isUnderWay,
      journalFiles: this.#journal.files.length,
      usedBytes: this.#upkeep.usedBytes,
      lastCommitMs: this.#lastCommitMs,
    };
  }

  /**
   * Appends records, and saves memos as `saveMemos` does, all in one commit. Resolves, in their order, once they are durable.
   * @throws OperatingError `unknown-topic`, `illegal-partition`, `record-too-large`: ask for something else;
   *   `log-overloaded`, `log-unavailable`: offer the same records again later.
   */
  async append(records: readonly NewRecord[], memos: Memos = noMemos): Promise<readonly Appended[]> {
    if (records.length === 0 && memos.size === 0) return [];
    this.#refuseIfUnavailable({ needsRoom: true });
    const rows = memoRows(memos);
    const bytes = checkedRequestBytes(records, rows);
    const placed = records.map((record) => this.#placement.place(this.#journal.state, record));
    return await this.#queue.push({ kind: 'records', records: placed, memos: rows }, bytes);
  }

  appendOnce(record: NewRecord, id: Qos2Id): Promise<boolean> {
    return this.#qos2.appendOnce(record, id);
  }

  release(id: Qos2Id): Promise<void> {
    return this.#qos2.release(id);
  }

  releaseAll(client: string): Promise<void> {
    return this.#qos2.releaseAll(client);
  }

  openQos2Ids(client: string): ReadonlySet<number> {
    return this.#qos2.openQos2Ids(client);
  }

  /**
   * Creates a topic, durably.
   * @throws OperatingError `illegal-topic`, `illegal-partition`, `topic-exists`, `too-many-partitions`
   */
  async createTopic(name: string, partitions: number, settings: TopicSettings = {}): Promise<void> {
    await this.#makeTopic(name, partitions, false, settings);
  }

  /** Creates a topic, or gives it more partitions; fewer than it has changes nothing. Errors as `createTopic`. */
  async growTopic(name: string, partitions: number): Promise<void> {
    await this.#makeTopic(name, partitions, true, {});
  }

  /** Gives a topic these settings instead of those it has, durably. @throws OperatingError `unknown-topic` */
  async setTopic(name: string, settings: TopicSettings): Promise<void> {
    this.#refuseIfUnavailable();
    const bytes = name.length + JSON.stringify(settings).length;
    await this.#queue.push({ kind: 'topic-settings', name, settings }, bytes);
    this.#upkeep.wake();
  }

  /**
   * Deletes a topic with its records, durably. One created again under its name goes on with its offsets.
   * @throws OperatingError `unknown-topic`, `too-many-deleted-topics`
   */
  async deleteTopic(name: string): Promise<void> {
    this.#refuseIfUnavailable();
    await this.#queue.push({ kind: 'topic-deletion', name }, name.length);
    this.#upkeep.wake();
  }

  /** How many partitions the topic has; 0 if there is none of this name. */
  partitionsOf(topic: string): number {
    return this.#journal.state.topic(topic)?.partitions ?? 0;
  }

  topics(): readonly TopicInfo[] {
    return topicInfos(this.#journal.state);
  }

  partitions(): readonly PartitionInfo[] {
    return partitionInfos(this.#journal.state);
  }

  lives(topic: string, partition: number): readonly LifeStart[] {
    return this.#journal.state.lives(findPartition(this.#journal.state, topic, partition));
  }

  async read(
    topic: string,
    partition: number,
    offset: number,
    bytesMax: number,
  ): Promise<readonly StoredBatch[]> {
    const { state } = this.#journal;
    const found = findPartition(state, topic, partition);
    checkOffset(found, offset);
    if (offset === found.nextOffset) return [];
    const bytes = Math.min(bytesMax, limits.readBytesMax);
    const inMemory = this.#tail.read(partitionKey(found.id), offset, bytes);
    if (inMemory !== undefined) return corrected(state.clockEpochs, found.id, inMemory);
    const journal = this.#journal;
    const batches = await this.#diskReader.read(journal.files, found, offset, bytes);
    // A recovery meanwhile may have taken the files away from under the reader, or somebody the records.
    const isValid = journal === this.#journal && (batches.length > 0 || offset >= found.logStartOffset);
    if (!isValid) return await this.read(topic, partition, offset, bytesMax);
    return corrected(state.clockEpochs, found.id, batches);
  }

  /** The clock epoch of the newest records; undefined if there is none. */
  get clockEpoch(): ClockEpoch | undefined {
    return this.#journal.state.clockEpochs.current;
  }

  storedBytes(topic: string, partition: number, offset: number): number {
    const { state } = this.#journal;
    return storedBytes(state, findPartition(state, topic, partition), offset);
  }

  giveBack(batches: readonly StoredBatch[]): void {
    this.#diskReader.giveBack(batches);
  }

  /**
   * The offset of the first record whose timestamp is at or after this one; the high watermark if there is none.
   * @throws OperatingError `unknown-topic`, `illegal-partition`
   */
  async offsetForTime(topic: string, partition: number, timestampMs: number): Promise<number> {
    const { state } = this.#journal;
    return await offsetForTime(
      state.clockEpochs,
      findPartition(state, topic, partition),
      timestampMs,
      (offset) => this.read(topic, partition, offset, limits.timeSearchBytes),
    );
  }

  memos(): Memos {
    return this.#journal.state.memos();
  }

  async saveMemos(memos: Memos): Promise<void> {
    if (memos.size === 0) return;
    this.#refuseIfUnavailable();
    const rows = memoRows(memos);
    await this.#queue.push({ kind: 'records', records: [], memos: rows }, memoBytes(rows));
  }

  async enterInLedger(ranges: readonly LedgerRange[], memos: Memos): Promise<void> {
    this.#refuseIfUnavailable();
    await this.#upkeep.enterInLedger(ranges, memoRows(memos));
  }

  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Proves that commits complete: resolves once one is durable that began after this call. It changes nothing, and there is none of
   * its own if others wait. @throws OperatingError `log-unavailable`, `log-overloaded`
   */
  async checkCommit(): Promise<void> {
    this.#refuseIfUnavailable();
    await this.#queue.push({ kind: 'check' }, limits.upkeepEntryBytesMax);
  }

  /** Waits until everything offered before is durable or refused, then closes. Later appends are refused. */
  async close(): Promise<void> {
    this.#unavailable = stopping();
    this.#closing.abort();
    await this.#upkeep.stop();
    await this.#queue.settled();
    await this.#journal.close();
  }

  async #makeTopic(name: string, partitions: number, grow: boolean, settings: TopicSettings): Promise<void> {
    this.#refuseIfUnavailable();
    checkTopic(name, partitions);
    await this.#queue.push({ kind: 'topic', name, partitions, grow, settings }, name.length);
  }

  #refuseIfUnavailable({ needsRoom } = { needsRoom: false }): void {
    const refusal = needsRoom ? this.#refusal() : this.#unavailable;
    if (refusal !== undefined) throw refusal;
  }

  #refusal(): OperatingError | undefined {
    return this.#unavailable ?? (this.#upkeep.hasRoom ? undefined : budgetIsUsedUp());
  }

  async #commit(waiting: readonly Waiting[]): Promise<void> {
    const requests = waiting.map(({ request }) => request);
    const { state } = this.#journal;
    const stamping = stampingNow(state.clockEpochs, this.#env);
    const plan = planCommit(state, requests, stamping);
    const commitNumber = this.#journal.lastCommit + 1;
    if (plan.entries.length > 0) {
      try {
        this.#sealer.setCommitting(true);
        this.#tail.add(await this.#journal.commit(plan.entries));
      } catch (error) {
        if (!isSystemError(error)) throw error;
        await this.#recover(error);
        if (this.#journal.lastCommit < commitNumber) {
          // Nobody was told that it survived: it may go into the new life's file.
          this.#queue.putBack(waiting);
          if (this.#unavailable !== undefined) this.#queue.refuseAll(this.#unavailable);
          return;
        }
      } finally {
        this.#sealer.setCommitting(false);
      }
      this.#commits += 1;
      this.#lastCommitMs = this.#env.clock.wallMs();
      reportCommit(this.#env, plan, this.#journal.state.qos2Ids.size);
    }
    for (const [index, outcome] of plan.outcomes.entries()) waiting[index]?.settle(outcome);
    for (const listener of this.#listeners) listener();
    const hasRolled = this.#journal.files.at(-1)?.path !== this.#newestFile;
    if (hasRolled || plan.beginsEpoch) this.#upkeep.wake();
    this.#newestFile = this.#journal.files.at(-1)?.path;
  }

  /**
   * Design §4, rule 2: after a failed write or sync the page cache cannot be believed, so the journal is closed and recovered.
   * While that fails too, appends are refused, and it is tried again with backoff until the log is closed.
   */
  async #recover(cause: unknown): Promise<void> {
    tellRecovery(this.#env, cause);
    await this.#journal.close().catch(() => {});
    for (let backoffMs: number = limits.recoveryBackoffMsMin; ; backoffMs = nextBackoffMs(backoffMs)) {
      try {
        this.#journal = await this.#recoveries.make(this.#env);
        this.#tail = new Tail();
        if (!this.#closing.signal.aborted) this.#unavailable = undefined;
        this.#reportAvailability();
        this.#env.logger.info({}, 'the journal is recovered');
        this.#upkeep.wake();
        return;
      } catch (error) {
        if (!isSystemError(error) && !isOperatingError(error)) throw error;
        this.#refuseUntilRecovered(error);
        if (this.#closing.signal.aborted) return;
        await this.#env.clock.sleep(backoffMs, this.#closing.signal);
      }
    }
  }

  #refuseUntilRecovered(error: unknown): void {
    this.#unavailable = toldUnrecoverable(this.#env, error);
    this.#queue.refuseAll(this.#unavailable);
    this.#reportAvailability();
  }

  #reportAvailability(): void {
    this.#env.metrics.set('headwater_qos2_open_ids', this.#journal.state.qos2Ids.size);
    this.#env.metrics.set('headwater_log_available', this.available ? 1 : 0);
    this.#env.metrics.set('headwater_journal_files', this.#journal.files.length);
  }
}

const nextBackoffMs = (ms: number): number => Math.min(ms * 2, limits.recoveryBackoffMsMax);
