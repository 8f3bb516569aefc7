import type { Clock } from '../../core/clock.ts';
import { assert } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { type Producer, stampPlain } from '../cluster/outgoing-batch.ts';
import type { CheckpointsRead, Failure, PartitionBatch, SessionRequest, Target } from '../cluster/target.ts';
import type { PlainCluster } from './at-least-once-target.ts';
import { BrokerPool, type BrokerPoolOptions } from './broker-pool.ts';
import { CheckpointReader } from './checkpoint-reader.ts';
import type { BrokerAddress, PartitionCode, RefusedBatchCode, TransactionProtocol } from './kafka-answers.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { type KafkaCall, kafkaFailure } from './kafka-failure.ts';
import { objectionsOf, type Refused } from './kafka-objections.ts';
import type { LinkShare } from './link-share.ts';
import { requestsOf, roundsOf, sendInOrder } from './produce-requests.ts';
import { attempt, check, Refusal } from './refusal.ts';
import { type Sequences, stampBatches } from './sequences.ts';
import { SessionTopics } from './session-topics.ts';

const notCoordinator = 16;
const concurrentTransactions = 51;
/** AddPartitionsToTxn says this of the partitions that are not at fault. */
const operationNotAttempted = 55;

export interface KafkaTargetOptions extends BrokerPoolOptions {
  /** What it may do on the link. */
  readonly share: LinkShare;
  /** Is told what should be changed in the cluster, though it works as it is; maybe more than once. */
  readonly advise?: (advice: string) => void;
}

/**
 * Central Kafka by raw protocol calls (kept apart from the client library by `kafka-connection.ts`), with transactions or
 * without.
 */
export class KafkaTarget implements Target, PlainCluster {
  readonly #pool: BrokerPool;
  readonly #share: LinkShare;
  readonly #clock: Clock;
  readonly #topics: SessionTopics;
  readonly #reader: CheckpointReader;
  #session: SessionRequest | null = null;
  #coordinator: BrokerAddress | null = null;
  #protocol: TransactionProtocol = 1;
  #producer: Producer | null = null;
  /** Next sequence of each partition: in this session, or with the second protocol in this transaction. */
  #sequences: Sequences = new Map();

  constructor({ share, advise = () => undefined, ...options }: KafkaTargetOptions) {
    this.#pool = new BrokerPool(options);
    this.#share = share;
    this.#clock = options.clock;
    this.#topics = new SessionTopics(this.#pool, advise);
    this.#reader = new CheckpointReader(options.clock);
  }

  open(session: SessionRequest): Promise<Failure | null> {
    return attempt(async () => {
      await this.#begin(session);
      for (const id of session.othersToEnd) await this.#endSessionOf(id);
      const { connection } = await this.#toCoordinator();
      const { transactionVersion } = await connection.apiVersions();
      this.#protocol = transactionVersion >= 2 ? 2 : 1;
      const beganMs = this.#clock.monotonicMs();
      const { code, producer } = await connection.initProducerId(session.transactionalId);
      this.#check('begin', code, session.transactionalId);
      this.#share.roundTrip(this.#clock.monotonicMs() - beganMs);
      this.#producer = producer;
      this.#sequences = new Map();
    });
  }

  async readCheckpoints(): Promise<CheckpointsRead> {
    const session = this.#session;
    assert(session !== null, 'the session is open');
    const { checkpointTopic: topic, checkpointKeyPrefixes } = session;
    let values: ReadonlyMap<string, Uint8Array> = new Map();
    const failure = await attempt(async () => {
      const toLeader = () => this.#topics.toLeader({ topic, partition: 0 });
      values = await this.#reader.read(this.#topics.checkpointLog, checkpointKeyPrefixes, toLeader);
    });
    return failure === null
      ? { ok: true, clusterId: this.#topics.clusterId, values }
      : { ok: false, failure };
  }

  send(batches: readonly PartitionBatch[]): Promise<Failure | null> {
    this.#share.began();
    const untilMs = this.#clock.monotonicMs() + limits.transactionSendMsMax;
    return attempt(async () => {
      const { connection, session, producer } = await this.#toCoordinator();
      const next = stampBatches(batches, producer ?? noProducer(), this.#sequences);
      const [first = [], ...rest] = roundsOf(batches);
      if (this.#protocol === 1) {
        const { transactionalId } = session;
        const added = await connection.addPartitions(transactionalId, producer ?? noProducer(), first);
        const refused = added.filter(({ code }) => code !== 0 && code !== operationNotAttempted);
        this.#refuse(
          'begin',
          first.flatMap((sent) => refusalOf(sent, refused)),
        );
        await this.#produce(transactionalId, [first, ...rest], untilMs);
      } else {
        await this.#beginByProduce(session.transactionalId, first, untilMs);
        await this.#produce(session.transactionalId, rest, untilMs);
      }
      this.#sequences = next;
    });
  }

  commit(): Promise<Failure | null> {
    return this.#end(true);
  }

  abort(): Promise<Failure | null> {
    return this.#end(false);
  }

  batchBytesMax(): number {
    return this.#share.requestBytesMax;
  }

  prepare(session: SessionRequest): Promise<Failure | null> {
    return attempt(() => this.#begin(session));
  }

  append(batches: readonly PartitionBatch[]): Promise<Failure | null> {
    return attempt(async () => {
      for (const { batch } of batches) stampPlain(batch);
      this.#share.began();
      const append = this.#produce(null, [batches], Number.POSITIVE_INFINITY);
      await append.finally(() => this.#share.ended());
    });
  }

  linkBytesWritten(): number {
    return this.#pool.traffic.bytesWritten;
  }

  linkBytesRead(): number {
    return this.#pool.traffic.bytesRead;
  }

  close(): Promise<void> {
    this.#pool.close();
    this.#share.release();
    this.#share.ended();
    this.#coordinator = null;
    this.#producer = null;
    return Promise.resolve();
  }

  /** What a session begins with, with transactions or without. */
  async #begin(session: SessionRequest): Promise<void> {
    this.#pool.reopen();
    this.#share.ended();
    this.#session = session;
    this.#reader.begin();
    await this.#topics.prepare(session);
  }

  async #end(commit: boolean): Promise<Failure | null> {
    const failure = await attempt(async () => {
      const { connection, session, producer } = await this.#toCoordinator();
      const { transactionalId } = session;
      const beganMs = this.#clock.monotonicMs();
      const { code, next } = await connection.endTransaction(
        this.#protocol,
        transactionalId,
        producer ?? noProducer(),
        commit,
      );
      this.#check('end', code, transactionalId);
      this.#share.roundTrip(this.#clock.monotonicMs() - beganMs);
      this.#producer = next;
      if (this.#protocol === 2) this.#sequences = new Map();
    });
    this.#share.ended();
    return failure;
  }

  /** In the second protocol the first batch of a partition adds it to the transaction. */
  async #beginByProduce(
    transactionalId: string,
    batches: readonly PartitionBatch[],
    untilMs: number,
  ): Promise<void> {
    const refused = await this.#refusedOf(transactionalId, [batches], untilMs);
    // The coordinator still ends our last transaction. What was taken is taken once, however often it is sent.
    const isBusy = refused.every(({ answer }) => answer.code === concurrentTransactions);
    this.#refuse(isBusy ? 'begin' : 'produce', refused);
  }

  async #produce(
    transactionalId: string | null,
    rounds: readonly (readonly PartitionBatch[])[],
    untilMs: number,
  ): Promise<void> {
    this.#refuse('produce', await this.#refusedOf(transactionalId, rounds, untilMs));
  }

  /** Nothing, if nothing was refused. If a checkpoint was, whatever is wrong is wrong with all. */
  #refuse(call: 'begin' | 'produce', refused: readonly Refused[]): void {
    const worst = refused.find(({ sent }) => sent.source === null) ?? refused[0];
    if (worst === undefined) return;
    const { topic, partition, code } = worst.answer;
    const failure = kafkaFailure(call, code, `${topic}-${partition}`);
    if (code === notCoordinator) this.#coordinator = null;
    throw new Refusal(
      worst.sent.source === null ? failure : { ...failure, objections: objectionsOf(call, refused) },
    );
  }

  /**
   * Sends the rounds to the leaders of their partitions; what one of them refuses ends it soon for all. The first request
   * to each of them is sent in any case: a checkpoint that is in it is refused or taken. None begins after `untilMs`: then
   * it is slow, whatever was refused, once nothing is under way.
   */
  async #refusedOf(
    transactionalId: string | null,
    rounds: readonly (readonly PartitionBatch[])[],
    untilMs: number,
  ): Promise<readonly Refused[]> {
    const refused: Refused[] = [];
    let isLost = false;
    let isLate = false;
    const late = new Refusal(tooSlow(rounds.flat()));
    const byLeader = Map.groupBy(rounds[0] ?? [], (one) => this.#topics.leaderOf(one));
    const leaders = [...byLeader.keys()];
    const connections = await Promise.all([...byLeader.values()].map(([one]) => this.#topics.toLeader(one)));
    const sendAll = async (leader: number | undefined, connection: KafkaConnection): Promise<void> => {
      const ofLeader = rounds.map((round) => round.filter((one) => this.#topics.leaderOf(one) === leader));
      await sendInOrder(
        requestsOf(ofLeader, this.#share.requestBytesMax),
        async (request) => {
          const bytes = request.reduce((sum, { batch }) => sum + batch.bytes.length, 0);
          const produce = () => {
            // It has waited for its turn, and is not counted as carried.
            isLate ||= this.#clock.monotonicMs() >= untilMs;
            if (isLate) throw late;
            return connection.produce(this.#protocol, transactionalId, request);
          };
          const answers = await this.#share.carry(bytes, produce).catch((error: unknown) => {
            if (error !== late) throw error;
            return [];
          });
          for (const sent of request) refused.push(...refusalOf(sent, answers));
        },
        () => refused.length === 0 && !isLost && !isLate,
      );
    };
    const ends = await Promise.allSettled(
      connections.map((connection, index) =>
        sendAll(leaders[index], connection).catch((error: unknown) => {
          isLost = true;
          throw error;
        }),
      ),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    if (isLate) throw late;
    return refused;
  }

  async #endSessionOf(transactionalId: string): Promise<void> {
    const coordinator = await (await this.#pool.any()).findCoordinator(transactionalId);
    this.#check('coordinator', coordinator.code, transactionalId);
    const connection = await this.#pool.toNamed(coordinator.address);
    const { code } = await connection.initProducerId(transactionalId);
    this.#check('begin', code, transactionalId);
  }

  async #toCoordinator(): Promise<{
    connection: KafkaConnection;
    session: SessionRequest;
    producer: Producer | null;
  }> {
    const session = this.#session;
    assert(session !== null, 'the session is open');
    if (this.#coordinator === null) {
      const { code, address } = await (await this.#pool.any()).findCoordinator(session.transactionalId);
      this.#check('coordinator', code, session.transactionalId);
      this.#coordinator = address;
    }
    const connection = await this.#pool.toNamed(this.#coordinator);
    return { connection, session, producer: this.#producer };
  }

  #check(call: KafkaCall, code: number, about: string): void {
    if (code === notCoordinator) this.#coordinator = null;
    check(call, code, about);
  }
}

function tooSlow(batches: readonly PartitionBatch[]): Failure {
  const bytes = batches.reduce((sum, { batch }) => sum + batch.bytes.length, 0);
  return {
    kind: 'slow',
    message:
      `the link is too slow, or forwarder.bytesPerSecond too low, for a transaction of ${Math.ceil(bytes / 1000)} kB: not all of it had left after ` +
      `${limits.transactionSendMsMax / 1000} s, so it was given up before the cluster would end it; the next one is smaller`,
  };
}

const noProducer = (): never => {
  throw new Error('broken assumption: the session is open');
};

/** What was answered to this batch, if it was not taken. */
function refusalOf(
  sent: PartitionBatch,
  answers: readonly (PartitionCode & Partial<RefusedBatchCode>)[],
): readonly Refused[] {
  const answer = answers.find(({ topic, partition }) => topic === sent.topic && partition === sent.partition);
  if (answer === undefined || answer.code === 0) return [];
  return [{ sent, answer: { badRecords: [], ...answer } }];
}
