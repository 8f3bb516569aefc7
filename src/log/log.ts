import { assert, isOperatingError, isSystemError, messageOf, OperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Qos2Id, Qos2Log } from '../core/qos2.ts';
import type { NewRecord } from '../core/record.ts';
import { isLegalTopicName } from '../core/topic-name.ts';
import {
  type Appended,
  type PlacedRecord,
  planCommit,
  recordSizeBytes,
  requestBytesMax,
} from './commit-plan.ts';
import { CommitQueue, type Waiting } from './commit-queue.ts';
import { Journal } from './journal.ts';
import type { LogEnvironment } from './journal-files.ts';
import { JournalReader } from './journal-reader.ts';
import { partitionForKey } from './partitioner.ts';
import { type Partition, partitionKey } from './state.ts';
import { Tail } from './tail.ts';
import type { LifeStart, MirroredLog, PartitionInfo, StoredBatch, TopicInfo } from './types.ts';

export interface LogOptions extends Omit<LogEnvironment, 'fileBytes'> {
  /** Commits start at least so far apart, 0 to 1000 ms. */
  readonly commitIntervalMs: number;
  /** Size of a journal file; smaller than the default in tests only. */
  readonly journalFileBytes?: number;
}

/**
 * The partitioned commit log: the only place where a reading becomes a fact. What `append` has resolved for is
 * durable, and readers see nothing else. One instance per data folder; the caller holds the folder's lock.
 */
export class Log implements MirroredLog, Qos2Log {
  readonly #env: LogEnvironment;
  readonly #queue: CommitQueue;
  readonly #reader: JournalReader;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  #tail = new Tail();
  #journal: Journal;
  #unavailable: OperatingError | undefined;
  #lastCommitMs: number | null = null;
  #commits = 0;
  readonly #keylessTurns = new Map<string, number>();
  /** How many appends with a QoS 2 id each client waits for. */
  readonly #qos2Waiting = new Map<string, number>();

  private constructor(env: LogEnvironment, commitIntervalMs: number, journal: Journal) {
    this.#env = env;
    this.#journal = journal;
    this.#reader = new JournalReader(env);
    this.#queue = new CommitQueue(env.clock, commitIntervalMs, (waiting) => this.#commit(waiting));
    this.#reportAvailability();
  }

  /**
   * Recovers the data folder and opens it for appending and reading.
   * @throws OperatingError `unreadable-format` for a folder of a later version; other errors are the disk's own.
   */
  static async open({ commitIntervalMs, journalFileBytes, ...options }: LogOptions): Promise<Log> {
    const env = { ...options, fileBytes: journalFileBytes ?? limits.journalFileBytes };
    return new Log(env, commitIntervalMs, await Journal.recover(env));
  }

  get logId(): string {
    return this.#journal.logId;
  }

  /** Whether records can be made durable now. */
  get available(): boolean {
    return this.#unavailable === undefined;
  }

  /** Why not, in words. */
  get unavailableReason(): string | null {
    return this.#unavailable?.message ?? null;
  }

  /** Commits of this run, files of the journal, and the wall clock of the last commit (null before the first). */
  stats(): { commits: number; journalFiles: number; lastCommitMs: number | null } {
    return {
      commits: this.#commits,
      journalFiles: this.#journal.files.length,
      lastCommitMs: this.#lastCommitMs,
    };
  }

  /**
   * Appends records, all in one commit. Resolves, in their order, once they are durable.
   * @throws OperatingError `unknown-topic`, `illegal-partition`, `record-too-large`: ask for something else;
   *   `log-overloaded`, `log-unavailable`: offer the same records again later.
   */
  async append(records: readonly NewRecord[]): Promise<readonly Appended[]> {
    if (records.length === 0) return [];
    this.#refuseIfUnavailable();
    const sizes = records.map(checkedSize);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (bytes > requestBytesMax) {
      throw tooLarge(`${records.length} records of ${bytes} bytes in one append; send fewer at a time`);
    }
    return await this.#queue.push(
      { kind: 'records', records: records.map((record) => this.#place(record)) },
      bytes,
    );
  }

  /** Errors as `append`. A record whose id is open is not stored again, whatever it says. */
  async appendOnce(record: NewRecord, id: Qos2Id): Promise<boolean> {
    this.#refuseIfUnavailable();
    const { client } = id;
    assert(Buffer.byteLength(client) <= limits.mqttClientIdBytesMax, 'client ids are checked at CONNECT');
    const bytes = checkedSize(record) + limits.qos2RequestBytesMax;
    const placed = this.#place(record);
    const waiting = (by: number): number => (this.#qos2Waiting.get(client) ?? 0) + by;
    this.#qos2Waiting.set(client, waiting(1));
    try {
      const stored = await this.#queue.push({ kind: 'records', records: [placed], once: id }, bytes);
      return stored.length > 0;
    } finally {
      if (waiting(-1) === 0) this.#qos2Waiting.delete(client);
      else this.#qos2Waiting.set(client, waiting(-1));
    }
  }

  /** @throws OperatingError `log-overloaded`, `log-unavailable` */
  async release(id: Qos2Id): Promise<void> {
    this.#refuseIfUnavailable();
    await this.#queue.push({ kind: 'release', id }, limits.qos2RequestBytesMax);
  }

  /** @throws OperatingError `log-overloaded`, `log-unavailable`; never if the client has no ids */
  async releaseAll(client: string): Promise<void> {
    if (this.openQos2Ids(client).size === 0 && !this.#qos2Waiting.has(client)) return;
    this.#refuseIfUnavailable();
    await this.#queue.push({ kind: 'release-all', client }, limits.qos2RequestBytesMax);
  }

  openQos2Ids(client: string): ReadonlySet<number> {
    return this.#journal.state.qos2Ids.of(client);
  }

  /**
   * Creates a topic, durably.
   * @throws OperatingError `illegal-topic`, `illegal-partition`, `topic-exists`, `too-many-partitions`
   */
  async createTopic(name: string, partitions: number): Promise<void> {
    await this.#setTopic(name, partitions, false);
  }

  /** Creates a topic, or gives it more partitions; fewer than it has changes nothing. Errors as `createTopic`. */
  async growTopic(name: string, partitions: number): Promise<void> {
    await this.#setTopic(name, partitions, true);
  }

  topics(): readonly TopicInfo[] {
    return this.#journal.state
      .topics()
      .map(({ name, partitions, settings }) => ({ name, partitions, settings }));
  }

  partitions(): readonly PartitionInfo[] {
    return this.#journal.state.partitions().map(({ topic, id, logStartOffset, nextOffset }) => ({
      topic,
      partition: id.partition,
      logStartOffset,
      highWatermark: nextOffset,
    }));
  }

  lives(topic: string, partition: number): readonly LifeStart[] {
    return this.#journal.state.lives(this.#partition(topic, partition));
  }

  async read(
    topic: string,
    partition: number,
    offset: number,
    bytesMax: number,
  ): Promise<readonly StoredBatch[]> {
    const found = this.#partition(topic, partition);
    const { logStartOffset, nextOffset } = found;
    if (!Number.isSafeInteger(offset) || offset < logStartOffset || offset > nextOffset) {
      throw new OperatingError(
        'offset-out-of-range',
        `${topic}-${partition} holds offsets ${logStartOffset} to ${nextOffset}; ${offset} is not among them`,
      );
    }
    if (offset === nextOffset) return [];
    const bytes = Math.min(bytesMax, limits.readBytesMax);
    return (
      this.#tail.read(partitionKey(found.id), offset, bytes) ??
      (await this.#reader.read(this.#journal.files, found, offset, bytes))
    );
  }

  memos(): ReadonlyMap<string, Uint8Array> {
    return this.#journal.state.memos();
  }

  async saveMemos(memos: ReadonlyMap<string, Uint8Array>): Promise<void> {
    if (memos.size === 0) return;
    this.#refuseIfUnavailable();
    const rows = [...memos].map(([key, value]) => ({ key, value }));
    const bytes = rows.reduce(
      (sum, { key, value }) => sum + key.length + value.length + limits.mirrorMemoOverheadBytes,
      0,
    );
    assert(bytes <= requestBytesMax, 'what the mirror keeps fits into a commit');
    await this.#queue.push({ kind: 'memos', memos: rows }, bytes);
  }

  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits until everything offered before is durable or refused, then closes. Later appends are refused. */
  async close(): Promise<void> {
    const message = 'the gateway is stopping; offer the same records again when it is back';
    this.#unavailable = new OperatingError('log-unavailable', message);
    this.#closing.abort();
    await this.#queue.settled();
    await this.#journal.close();
  }

  async #setTopic(name: string, partitions: number, grow: boolean): Promise<void> {
    this.#refuseIfUnavailable();
    if (!isLegalTopicName(name)) {
      const rule = `1 to ${limits.topicNameLengthMax} of a-z A-Z 0-9 . _ -`;
      throw new OperatingError('illegal-topic', `${JSON.stringify(name)} is no topic name; use ${rule}`);
    }
    if (!Number.isInteger(partitions) || partitions < 1 || partitions > limits.partitionsPerTopicMax) {
      const rule = `a whole number from 1 to ${limits.partitionsPerTopicMax}`;
      throw new OperatingError('illegal-partition', `${partitions} is no number of partitions; use ${rule}`);
    }
    await this.#queue.push({ kind: 'topic', name, partitions, grow }, name.length);
  }

  #place({ topic, partition, ...record }: NewRecord): PlacedRecord {
    const setting = this.#journal.state.topic(topic);
    if (setting === undefined) {
      throw new OperatingError('unknown-topic', `there is no topic ${topic}; create it first`);
    }
    const chosen = partition ?? this.#choosePartition(record.key, setting);
    return { ...record, id: this.#partition(topic, chosen).id };
  }

  /** Kafka's rule for keyed records; those without a key take turns. */
  #choosePartition(key: Uint8Array | null, { name, partitions }: TopicInfo): number {
    if (key !== null) return partitionForKey(key, partitions);
    const turn = (this.#keylessTurns.get(name) ?? 0) % partitions;
    this.#keylessTurns.set(name, turn + 1);
    return turn;
  }

  #partition(topic: string, partition: number): Partition {
    const { state } = this.#journal;
    const found = state.partition(topic, partition);
    if (found !== undefined) return found;
    const setting = state.topic(topic);
    if (setting === undefined) throw new OperatingError('unknown-topic', `there is no topic ${topic}`);
    const message = `topic ${topic} has ${setting.partitions} partitions, numbered from 0; ${partition} is none of them`;
    throw new OperatingError('illegal-partition', message);
  }

  #refuseIfUnavailable(): void {
    if (this.#unavailable !== undefined) throw this.#unavailable;
  }

  async #commit(waiting: readonly Waiting[]): Promise<void> {
    const requests = waiting.map(({ request }) => request);
    const { entries, outcomes, forgottenQos2Clients } = planCommit(this.#journal.state, requests);
    const commitNumber = this.#journal.lastCommit + 1;
    if (entries.length > 0) {
      try {
        this.#tail.add(await this.#journal.commit(entries));
      } catch (error) {
        if (!isSystemError(error)) throw error;
        await this.#recover(error);
        if (this.#journal.lastCommit < commitNumber) {
          this.#repeatOrRefuse(waiting);
          return;
        }
      }
      this.#commits += 1;
      this.#lastCommitMs = this.#env.clock.wallMs();
      this.#reportQos2(forgottenQos2Clients);
    }
    for (const [index, outcome] of outcomes.entries()) waiting[index]?.settle(outcome);
    for (const listener of this.#listeners) listener();
  }

  #reportQos2(forgotten: readonly string[]): void {
    this.#reportOpenIds();
    for (const client of forgotten) {
      this.#env.metrics.add('headwater_qos2_clients_forgotten_total', 1);
      this.#env.logger.warn(
        { client },
        'too many QoS 2 handshakes are unfinished: those of this client, which was silent longest, are given up; ' +
          'what it sends again will be stored again',
      );
    }
  }

  /** The commit did not survive, and nobody was told that it did: it may go into the new life's file. */
  #repeatOrRefuse(waiting: readonly Waiting[]): void {
    this.#queue.putBack(waiting);
    if (this.#unavailable !== undefined) this.#queue.refuseAll(this.#unavailable);
  }

  /**
   * Design §4, rule 2: after a failed write or sync the page cache cannot be believed, so the journal is closed
   * and recovered. While that fails too, appends are refused, and it is tried again with backoff until the log is
   * closed.
   */
  async #recover(cause: unknown): Promise<void> {
    this.#env.logger.error(
      { cause: messageOf(cause) },
      'a write or sync of the journal failed; recovering it',
    );
    this.#env.metrics.add('headwater_journal_recoveries_total', 1);
    await this.#journal.close().catch(() => {});
    let backoffMs: number = limits.recoveryBackoffMsMin;
    for (;;) {
      try {
        this.#journal = await Journal.recover(this.#env);
        this.#tail = new Tail();
        if (!this.#closing.signal.aborted) this.#unavailable = undefined;
        this.#reportAvailability();
        return;
      } catch (error) {
        if (!isSystemError(error) && !isOperatingError(error)) throw error;
        this.#refuseUntilRecovered(error);
        if (this.#closing.signal.aborted) return;
        await this.#env.clock.sleep(backoffMs, this.#closing.signal);
        backoffMs = Math.min(backoffMs * 2, limits.recoveryBackoffMsMax);
      }
    }
  }

  #refuseUntilRecovered(error: unknown): void {
    const reason = isOperatingError(error) ? error.message : `the disk says: ${messageOf(error)}`;
    const message = `the log cannot make anything durable (${reason}); it keeps trying`;
    this.#unavailable = new OperatingError('log-unavailable', message, { cause: error });
    this.#queue.refuseAll(this.#unavailable);
    this.#reportAvailability();
    this.#env.logger.error(
      { cause: messageOf(error) },
      'the journal cannot be recovered; ingest is refused, trying again',
    );
  }

  #reportOpenIds(): void {
    this.#env.metrics.set('headwater_qos2_open_ids', this.#journal.state.qos2Ids.size);
  }

  #reportAvailability(): void {
    this.#reportOpenIds();
    this.#env.metrics.set('headwater_log_available', this.available ? 1 : 0);
    this.#env.metrics.set('headwater_journal_files', this.#journal.files.length);
  }
}

function checkedSize(record: NewRecord): number {
  const size = recordSizeBytes(record);
  if (record.headers.length > limits.headersPerRecordMax) {
    throw tooLarge(
      `a record with ${record.headers.length} headers; ${limits.headersPerRecordMax} are allowed`,
    );
  }
  if (size > limits.recordBytesMax) {
    throw tooLarge(`a record of ${size} bytes; ${limits.recordBytesMax} are allowed`);
  }
  return size;
}

const tooLarge = (message: string): OperatingError => new OperatingError('record-too-large', message);
