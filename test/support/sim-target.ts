import { limits } from '../../src/core/limits.ts';
import type { RecordHeader } from '../../src/core/record.ts';
import { type Producer, stampPlain } from '../../src/forwarder/cluster/outgoing-batch.ts';
import type {
  CheckpointsRead,
  Failure,
  FailureKind,
  Objection,
  PartitionBatch,
  SessionRequest,
  Target,
  Verdict,
} from '../../src/forwarder/cluster/target.ts';
import type { PlainCluster } from '../../src/forwarder/kafka/at-least-once-target.ts';
import { type Sequences, stampBatches } from '../../src/forwarder/kafka/sequences.ts';
import { decodeBatch } from '../../src/log/encoding/batch.ts';

/** A record of a transaction that is about to count. */
export interface CommittingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: Uint8Array;
  readonly timestampMs: number;
  readonly headers: readonly RecordHeader[];
}

interface Entry extends CommittingRecord {
  readonly producer: Producer;
  fate: 'open' | 'committed' | 'aborted';
}

interface Transaction {
  producer: Producer;
  /** When its first records came. */
  startedMs: number;
  entries: Entry[];
}

interface TakenBatches {
  readonly epoch: number;
  readonly batches: readonly { readonly sequence: number; readonly count: number }[];
}

/** What the cluster has against a record. */
export interface Dislike {
  readonly verdict: Verdict;
  /** Whether it says which record of the batch it is. */
  readonly isNamed: boolean;
}

/** What came of a request: nothing wrong, a kind of failure, or objections to parts of it. */
type Outcome = FailureKind | readonly Objection[] | null;

/** Of each producer and partition; one of these that comes again counts as taken, as in Kafka. */
const batchesRemembered = 5;

/** A cluster in memory that keeps Kafka's rules for transactions, and nothing of its protocol. */
export class SimCluster {
  readonly id: string;
  readonly #nowMs: () => number;
  readonly #topics = new Map<string, Entry[][]>();
  readonly #transactions = new Map<string, Transaction>();
  /** What each producer has sent to each partition last. */
  readonly #taken = new Map<string, TakenBatches>();
  #nextProducerId = 1n;
  /** By transactional id. */
  readonly #lastCommitted = new Map<string, readonly Entry[]>();
  /** By topic. */
  readonly #lastOf = new Map<string, readonly Entry[]>();
  /** In the second one each end of a transaction gives its producer another epoch (KIP-890). */
  protocol: 1 | 2 = 1;
  /** Called with the records of a transaction just before they count. */
  onCommit: ((records: readonly CommittingRecord[]) => void) | null = null;
  /** What it has against a record with this value. */
  dislikeOf: ((topic: string, value: string) => Dislike | null) | null = null;
  /** Whether nobody leads a partition at present, as a session start finds it, or who writes to it. */
  isLeaderless: (topic: string, partition: number, to: 'open' | 'write') => boolean = () => false;
  /** Topics that it does not let anybody open. */
  readonly forbiddenTopics = new Set<string>();
  /** How often each transactional id was initialised. */
  readonly initialisations = new Map<string, number>();
  /** Requests that were lost on the way and arrive late. */
  readonly late: (() => void)[] = [];

  /** On the clock, transactions that nobody ends are aborted by the cluster after a while. */
  constructor(id = 'cluster-1', nowMs: () => number = () => 0) {
    this.id = id;
    this.#nowMs = nowMs;
  }

  /** The topic and all that is in it is gone. */
  deleteTopic(name: string): void {
    this.#topics.delete(name);
  }

  ensureTopic(name: string, partitions: number): void {
    const topic = this.#topics.get(name) ?? [];
    while (topic.length < partitions) topic.push([]);
    this.#topics.set(name, topic);
  }

  /** Aborts what the id left open; whoever used it before is fenced from here on. */
  initProducerId(transactionalId: string): Producer {
    this.expire();
    this.initialisations.set(transactionalId, (this.initialisations.get(transactionalId) ?? 0) + 1);
    const before = this.#transactions.get(transactionalId);
    for (const entry of before?.entries ?? []) entry.fate = 'aborted';
    const producer = before
      ? { id: before.producer.id, epoch: before.producer.epoch + 1 }
      : { id: this.#nextProducerId++, epoch: 0 };
    this.#transactions.set(transactionalId, { producer, startedMs: 0, entries: [] });
    return producer;
  }

  produce(transactionalId: string, producer: Producer, batches: readonly PartitionBatch[]): Outcome {
    this.expire();
    const transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined || !isSame(transaction.producer, producer)) return 'fenced';
    if (transaction.entries.length === 0) transaction.startedMs = this.#nowMs();
    const objections = new Map<string, Objection>();
    for (const sent of batches) {
      const { topic, partition, batch } = sent;
      // What follows a refused batch has the wrong sequence.
      if (objections.has(`${topic}/${partition}`)) continue;
      const objection = this.#objectionTo(sent);
      if (objection !== null) {
        objections.set(`${topic}/${partition}`, objection);
        continue;
      }
      const log = this.#topics.get(topic)?.[partition];
      if (log === undefined) return 'refused';
      const sequence = Buffer.from(batch.bytes).readInt32BE(53);
      const taken = this.#take(producer, `${topic}/${partition}`, { sequence, count: batch.recordCount });
      if (taken === 'out-of-order') return 'refused';
      if (taken === 'known') continue;
      const entries = entriesOf(sent, producer, 'open');
      log.push(...entries);
      transaction.entries.push(...entries);
    }
    return objections.size === 0 ? null : [...objections.values()];
  }

  /** By Kafka's rules: of a producer that it does not know it takes any sequence, and with a new epoch it begins at 0. */
  #take(
    { id, epoch }: Producer,
    partition: string,
    batch: TakenBatches['batches'][number],
  ): 'taken' | 'known' | 'out-of-order' {
    const key = `${id}/${partition}`;
    const before = this.#taken.get(key);
    const batches = before?.epoch === epoch ? before.batches : [];
    if (batches.some(({ sequence, count }) => sequence === batch.sequence && count === batch.count))
      return 'known';
    const last = batches.at(-1);
    const expected = last === undefined ? 0 : last.sequence + last.count;
    if (before !== undefined && batch.sequence !== expected) return 'out-of-order';
    this.#taken.set(key, { epoch, batches: [...batches, batch].slice(-batchesRemembered) });
    return 'taken';
  }

  /** As Kafka forgets producers whose records were stamped long ago, which after an outage may be at once. */
  forgetProducers(): void {
    this.#taken.clear();
  }

  /** The producer of the next transaction. */
  after({ id, epoch }: Producer): Producer {
    return { id, epoch: this.protocol === 2 ? epoch + 1 : epoch };
  }

  /** Without a transaction: what it takes counts at once, as often as it comes. */
  append(batches: readonly PartitionBatch[]): Outcome {
    const objections: Objection[] = [];
    for (const sent of batches) {
      const objection = this.#objectionTo(sent);
      if (objection !== null) {
        objections.push(objection);
        continue;
      }
      const log = this.#topics.get(sent.topic)?.[sent.partition];
      if (log === undefined) return 'refused';
      const isPlain = (Buffer.from(sent.batch.bytes).readInt16BE(21) & 0x10) === 0;
      if (!isPlain) throw new Error('a batch of a transaction outside of one');
      log.push(...entriesOf(sent, { id: -1n, epoch: -1 }, 'committed'));
    }
    return objections.length === 0 ? null : objections;
  }

  #objectionTo({ topic, partition, source, batch }: PartitionBatch): Objection | null {
    if (source === null) return null;
    if (this.isLeaderless(topic, partition, 'write')) return leaderless(source.topic, source.partition);
    const records = decodeBatch(batch.bytes);
    const dislikes = records.map(
      ({ value }) => this.dislikeOf?.(topic, Buffer.from(value ?? []).toString()) ?? null,
    );
    const worst = dislikes.find((dislike) => dislike !== null);
    if (worst === undefined) return null;
    const { fromOffset, nextOffset, offsets, ...name } = source;
    // The offsets in the batch begin at 0; with some missing and nobody who knows which, it says nothing.
    const isNamed = worst.isNamed && (offsets !== null || nextOffset - fromOffset === records.length);
    const badOffsets = isNamed
      ? dislikes.flatMap((dislike, index) =>
          dislike === null ? [] : [offsets?.[index] ?? fromOffset + index],
        )
      : [];
    const refused = { fromOffset, nextOffset, recordCount: batch.recordCount, badOffsets };
    return { ...name, verdict: worst.verdict, cause: 'DISLIKED', batch: refused, message: 'it is disliked' };
  }

  end(transactionalId: string, producer: Producer, fate: 'committed' | 'aborted'): FailureKind | null {
    this.expire();
    const transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined || !isSame(transaction.producer, producer)) return 'fenced';
    if (transaction.entries.length === 0) return 'refused';
    if (fate === 'committed') this.onCommit?.(transaction.entries);
    for (const entry of transaction.entries) entry.fate = fate;
    if (fate === 'committed') this.#noteLast(transactionalId, transaction.entries);
    transaction.entries = [];
    transaction.producer = this.after(producer);
    return null;
  }

  /** Aborts what was left open for too long; its owner is fenced. */
  expire(): void {
    for (const transaction of this.#transactions.values()) {
      if (transaction.entries.length === 0) continue;
      if (this.#nowMs() - transaction.startedMs < limits.transactionTimeoutMs) continue;
      for (const entry of transaction.entries) entry.fate = 'aborted';
      const { id, epoch } = transaction.producer;
      Object.assign(transaction, { producer: { id, epoch: epoch + 1 }, entries: [] });
    }
  }

  /** Whether an open transaction keeps read_committed consumers from this end. */
  isHidden(topic: string, partition: number, endOffset: number): boolean {
    this.expire();
    const entries = this.#topics.get(topic)?.[partition] ?? [];
    return entries.slice(0, endOffset).some(({ fate }) => fate === 'open');
  }

  /** Where the partition ends, open transactions included. */
  endOffset(topic: string, partition: number): number {
    return this.#topics.get(topic)?.[partition]?.length ?? 0;
  }

  /** What a read_committed consumer gets. */
  committed(topic: string, partition: number): readonly CommittingRecord[] {
    const entries = this.#topics.get(topic)?.[partition] ?? [];
    const open = entries.findIndex(({ fate }) => fate === 'open');
    return entries.slice(0, open < 0 ? entries.length : open).filter(({ fate }) => fate === 'committed');
  }

  values(topic: string, partition: number): string[] {
    return this.committed(topic, partition).map(({ value }) => Buffer.from(value).toString());
  }

  #noteLast(transactionalId: string, entries: readonly Entry[]): void {
    this.#lastCommitted.set(transactionalId, entries);
    for (const { topic } of entries) this.#lastOf.set(topic, entries);
  }

  /** Values in the transactions that were committed last: of each transactional id, and with each of these topics. */
  lastCommitted(topics: Iterable<string>): ReadonlySet<string> {
    const ofTopics = [...topics].map((topic) => this.#lastOf.get(topic) ?? []);
    const entries = [...this.#lastCommitted.values(), ...ofTopics].flat();
    return new Set(entries.map(({ value }) => Buffer.from(value).toString()));
  }

  transactionalIds(): string[] {
    return [...this.#transactions.keys()];
  }

  partitionCount(topic: string): number {
    return this.#topics.get(topic)?.length ?? 0;
  }
}

const leaderless = (topic: string, partition: number): Objection => ({
  ...{ topic, partition, verdict: 'unwell', cause: 'LEADERLESS', batch: null },
  message: `${topic}-${partition} has no leader`,
});

const isSame = (one: Producer, other: Producer): boolean => one.id === other.id && one.epoch === other.epoch;

function entriesOf(
  { topic, partition, batch }: PartitionBatch,
  producer: Producer,
  fate: Entry['fate'],
): Entry[] {
  return decodeBatch(batch.bytes).map(({ key, value, timestampMs, headers }) => ({
    topic,
    partition,
    producer,
    key: Buffer.from(key ?? []).toString(),
    value: value ?? new Uint8Array(),
    timestampMs,
    headers,
    fate,
  }));
}

export type Call = 'open' | 'read-checkpoints' | 'send' | 'commit' | 'abort' | 'append';

/** What happens to one call: nothing wrong, or a fault. */
export type Fault =
  /** The answer is this failure, and nothing was done. */
  | FailureKind
  /** Done, but the answer is lost. */
  | 'answer-lost'
  /** Not done now, but later, when nobody expects it; the answer is lost. */
  | 'late'
  /** Only the first half of the batches is taken, the others are refused. */
  | 'part-refused';

export interface SimTargetOptions {
  readonly cluster: SimCluster;
  readonly faultOf?: (call: Call) => Fault | null;
  /** Hears of each request for the checkpoints. */
  readonly onRead?: (session: SessionRequest) => void;
  /** What each call brings over the link. */
  readonly answerBytes?: number;
  /** Lets time pass within a call, so that a crash can hit any point of it. */
  readonly pause?: () => Promise<void>;
}

/** The twin of KafkaTarget: as little reliable as the test wants it. */
export class SimTarget implements Target, PlainCluster {
  readonly #options: SimTargetOptions;
  #session: SessionRequest | null = null;
  #producer: Producer = { id: -1n, epoch: -1 };
  #sequences: Sequences = new Map();
  /** Of the checkpoint topic, as the session found it; null before it has looked. */
  #checkpointEnd: number | null = null;
  /** The process is dead: nothing that it still seems to do has an effect. */
  isCutOff = false;
  /** Whether there are connections. */
  isConnected = false;
  readonly calls: Call[] = [];
  #bytesWritten = 0;

  constructor(options: SimTargetOptions) {
    this.#options = options;
  }

  open(session: SessionRequest): Promise<Failure | null> {
    const { cluster } = this.#options;
    let producer = this.#producer;
    const request = (): Outcome => {
      const outcome = this.#prepareTopics(session);
      if (outcome !== null) return outcome;
      for (const id of session.othersToEnd) cluster.initProducerId(id);
      producer = cluster.initProducerId(session.transactionalId);
      return null;
    };
    return this.#call('open', request, () => {
      this.#producer = producer;
      this.#sequences = new Map();
    });
  }

  prepare(session: SessionRequest): Promise<Failure | null> {
    return this.#call('open', () => this.#prepareTopics(session));
  }

  #prepareTopics(session: SessionRequest): Outcome {
    const { cluster } = this.#options;
    this.#session = session;
    this.#checkpointEnd = null;
    const forbidden = session.topics.filter(({ name }) => cluster.forbiddenTopics.has(name));
    if (forbidden.length > 0)
      return forbidden.map(({ source: topic, name }) => ({
        topic,
        partition: null,
        message: `${name} is forbidden`,
      }));
    const unled = session.topics.flatMap(({ name, source, partitions, paused }) =>
      Array.from({ length: partitions }, (_, partition) => partition)
        .filter((partition) => !paused.has(partition) && cluster.isLeaderless(name, partition, 'open'))
        .map((partition) => leaderless(source, partition)),
    );
    if (unled.length > 0) return unled;
    for (const { name, partitions } of session.topics) cluster.ensureTopic(name, partitions);
    cluster.ensureTopic(session.checkpointTopic, 1);
    return null;
  }

  append(batches: readonly PartitionBatch[]): Promise<Failure | null> {
    for (const { batch } of batches) stampPlain(batch);
    this.#bytesWritten += batches.reduce((sum, { batch }) => sum + batch.bytes.length, 0);
    return this.#call('append', (part) =>
      this.#options.cluster.append(part ? batches.slice(0, Math.ceil(batches.length / 2)) : batches),
    );
  }

  async readCheckpoints(): Promise<CheckpointsRead> {
    const { checkpointTopic, checkpointKeyPrefixes } = this.#opened();
    this.#options.onRead?.(this.#opened());
    const values = new Map<string, Uint8Array>();
    const request = (): FailureKind | null => {
      const { cluster } = this.#options;
      this.#checkpointEnd ??= cluster.endOffset(checkpointTopic, 0);
      if (cluster.isHidden(checkpointTopic, 0, this.#checkpointEnd)) return 'hidden';
      for (const { key, value } of cluster.committed(checkpointTopic, 0))
        if (checkpointKeyPrefixes.some((prefix) => key.startsWith(prefix))) values.set(key, value);
      return null;
    };
    const failure = await this.#call('read-checkpoints', request);
    return failure === null
      ? { ok: true, clusterId: this.#options.cluster.id, values }
      : { ok: false, failure };
  }

  send(batches: readonly PartitionBatch[]): Promise<Failure | null> {
    const producer = this.#producer;
    // What arrives late is still of the session that sent it.
    const { transactionalId } = this.#opened();
    const next = stampBatches(batches, producer, this.#sequences);
    this.#bytesWritten += batches.reduce((sum, { batch }) => sum + batch.bytes.length, 0);
    const request = (part: boolean): Outcome =>
      this.#options.cluster.produce(
        transactionalId,
        producer,
        part ? batches.slice(0, Math.ceil(batches.length / 2)) : batches,
      );
    return this.#call('send', request, () => {
      this.#sequences = next;
    });
  }

  commit(): Promise<Failure | null> {
    return this.#end('commit', 'committed');
  }

  abort(): Promise<Failure | null> {
    return this.#end('abort', 'aborted');
  }

  batchBytesMax(): number {
    return limits.forwardBatchBytesMax;
  }

  linkBytesWritten(): number {
    return this.#bytesWritten;
  }

  linkBytesRead(): number {
    return this.calls.length * (this.#options.answerBytes ?? 0);
  }

  close(): Promise<void> {
    this.isConnected = false;
    return Promise.resolve();
  }

  #end(call: 'commit' | 'abort', fate: 'committed' | 'aborted'): Promise<Failure | null> {
    const { cluster } = this.#options;
    const producer = this.#producer;
    const { transactionalId } = this.#opened();
    const request = (): Outcome => cluster.end(transactionalId, producer, fate);
    return this.#call(call, request, () => {
      this.#producer = cluster.after(producer);
      if (this.#producer.epoch !== producer.epoch) this.#sequences = new Map();
    });
  }

  #opened(): SessionRequest {
    if (this.#session === null) throw new Error('called before open');
    return this.#session;
  }

  /** `request` is what the cluster does; `heard` is what the client does when it gets the answer. */
  async #call(
    call: Call,
    request: (part: boolean) => Outcome,
    heard: () => void = () => {},
  ): Promise<Failure | null> {
    this.calls.push(call);
    this.isConnected = true;
    await this.#options.pause?.();
    if (this.isCutOff) return failureOf(call, 'unreachable');
    const outcome = this.#play(this.#options.faultOf?.(call) ?? null, request);
    await this.#options.pause?.();
    if (outcome === null) heard();
    return outcome === null ? null : failureOf(call, outcome);
  }

  #play(fault: Fault | null, request: (part: boolean) => Outcome): Outcome {
    switch (fault) {
      case null:
        return request(false);
      case 'answer-lost':
        request(false);
        return 'unreachable';
      case 'late':
        this.#options.cluster.late.push(() => request(false));
        return 'unreachable';
      case 'part-refused':
        request(true);
        return 'refused';
      default:
        return fault;
    }
  }
}

function failureOf(call: Call, outcome: FailureKind | readonly Objection[]): Failure {
  if (typeof outcome === 'string') return { kind: outcome, message: `${call}: ${outcome}` };
  const isForNow = call === 'open' && outcome.every(({ partition }) => partition !== null);
  const kind = isForNow ? 'busy' : 'refused';
  return { kind, message: `${call}: ${kind}`, objections: outcome };
}
