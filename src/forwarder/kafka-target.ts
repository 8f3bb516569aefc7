import { assert } from '../core/errors.ts';
import { BrokerPool } from './broker-pool.ts';
import { collectCommitted } from './committed-records.ts';
import type { BrokerAddress, ClusterMetadata, PartitionCode, TransactionProtocol } from './kafka-answers.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { type KafkaCall, kafkaFailure } from './kafka-failure.ts';
import { LinkError } from './link-trouble.ts';
import type { Producer } from './outgoing-batch.ts';
import { requestsOf, roundsOf, sendInOrder } from './produce-requests.ts';
import { sequenceKey as keyOf, type Sequences, stampBatches } from './sequences.ts';
import type { CheckpointsRead, Failure, PartitionBatch, SessionRequest, Target } from './target.ts';

const topicAlreadyExists = 36;
const unknownTopic = 3;
const notCoordinator = 16;
const concurrentTransactions = 51;
/** AddPartitionsToTxn says this of the partitions that are not at fault. */
const operationNotAttempted = 55;

/** The whole topic is read at session start: old records must go soon, or that takes long on a slow link. */
const checkpointTopicSettings = {
  'cleanup.policy': 'compact',
  'segment.ms': '3600000',
  'segment.bytes': '1048576',
  'min.cleanable.dirty.ratio': '0.1',
};

/** Thrown within this file to leave a call; {@link KafkaTarget} turns it into the call's result. */
class Refusal extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Central Kafka by raw protocol calls (kept apart from the client library by `kafka-connection.ts`). */
export class KafkaTarget implements Target {
  readonly #pool: BrokerPool;
  #session: SessionRequest | null = null;
  #nodes = new Map<number, BrokerAddress>();
  #leaders = new Map<string, number>();
  #clusterId = '';
  #coordinator: BrokerAddress | null = null;
  #protocol: TransactionProtocol = 1;
  #producer: Producer | null = null;
  /** Next sequence of each partition: in this session, or with the second protocol in this transaction. */
  #sequences: Sequences = new Map();

  constructor(brokers: readonly string[]) {
    this.#pool = new BrokerPool(brokers);
  }

  open(session: SessionRequest): Promise<Failure | null> {
    return this.#attempt(async () => {
      this.#pool.reopen();
      this.#session = session;
      await this.#prepareTopics(session);
      const { connection } = await this.#toCoordinator();
      const { transactionVersion } = await connection.apiVersions();
      this.#protocol = transactionVersion >= 2 ? 2 : 1;
      const { code, producer } = await connection.initProducerId(session.transactionalId);
      this.#check('begin', code, session.transactionalId);
      this.#producer = producer;
      this.#sequences = new Map();
    });
  }

  async readCheckpoints(): Promise<CheckpointsRead> {
    const values = new Map<string, Uint8Array>();
    const failure = await this.#attempt(() => this.#collectCheckpoints(values));
    return failure === null ? { ok: true, clusterId: this.#clusterId, values } : { ok: false, failure };
  }

  send(batches: readonly PartitionBatch[]): Promise<Failure | null> {
    return this.#attempt(async () => {
      const { connection, session, producer } = await this.#toCoordinator();
      const next = stampBatches(batches, producer ?? noProducer(), this.#sequences);
      const [first = [], ...rest] = roundsOf(batches);
      if (this.#protocol === 1) {
        const { transactionalId } = session;
        const added = await connection.addPartitions(transactionalId, producer ?? noProducer(), first);
        const refused = added.find(({ code }) => code !== 0 && code !== operationNotAttempted);
        if (refused !== undefined) this.#check('begin', refused.code, describePartition(refused));
        await this.#produce(session, [first, ...rest]);
      } else {
        await this.#beginByProduce(session, first);
        await this.#produce(session, rest);
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

  close(): Promise<void> {
    this.#pool.close();
    this.#coordinator = null;
    this.#producer = null;
    return Promise.resolve();
  }

  #end(commit: boolean): Promise<Failure | null> {
    return this.#attempt(async () => {
      const { connection, session, producer } = await this.#toCoordinator();
      const { transactionalId } = session;
      const { code, next } = await connection.endTransaction(
        this.#protocol,
        transactionalId,
        producer ?? noProducer(),
        commit,
      );
      this.#check('end', code, transactionalId);
      this.#producer = next;
      if (this.#protocol === 2) this.#sequences = new Map();
    });
  }

  async #prepareTopics(session: SessionRequest): Promise<void> {
    const wanted = [...session.topics, { name: session.checkpointTopic, partitions: 1 }];
    const bootstrap = await this.#pool.any();
    const metadata = await bootstrap.metadata(wanted.map(({ name }) => name));
    this.#nodes = new Map(metadata.nodes.map(({ id, address }) => [id, address]));
    this.#leaders = new Map();
    this.#clusterId = metadata.clusterId;
    const controller = this.#nodes.get(metadata.controllerId);
    let changed = false;
    for (const { name, partitions } of wanted) {
      const found = metadata.topics.find((topic) => topic.name === name);
      if (found === undefined || found.code === unknownTopic) {
        const settings = name === session.checkpointTopic ? checkpointTopicSettings : {};
        const made = await (await this.#to(controller)).createTopic(name, partitions, settings);
        if (made.code !== topicAlreadyExists)
          this.#check('create-topic', made.code, detailed(name, made.detail));
        changed = true;
      } else {
        this.#check('metadata', found.code, name);
        if (found.partitions.length < partitions) {
          const grown = await (await this.#to(controller)).growTopic(name, partitions);
          this.#check('create-topic', grown.code, detailed(name, grown.detail));
          changed = true;
        }
        this.#learnLeaders(found);
      }
    }
    if (changed) throw new Refusal({ kind: 'busy', message: 'the cluster is creating topics' });
    await this.#verifyCompaction(session.checkpointTopic);
  }

  #learnLeaders(topic: ClusterMetadata['topics'][number]): void {
    for (const { partition, leaderId } of topic.partitions) {
      if (leaderId < 0)
        throw new Refusal({ kind: 'busy', message: `${topic.name}-${partition} has no leader at present` });
      this.#leaders.set(keyOf({ topic: topic.name, partition }), leaderId);
    }
  }

  /** With any other policy the checkpoints would vanish some day, and everything would be sent again. */
  async #verifyCompaction(topic: string): Promise<void> {
    const connection = await this.#toLeader(topic, 0);
    const { code, value } = await connection.topicSetting(topic, 'cleanup.policy');
    // Without the permission to look, the setting of whoever made the topic has to be trusted.
    if (code !== 0 || value === null || value === 'compact') return;
    throw new Refusal({
      kind: 'refused',
      message:
        `topic ${topic} has cleanup.policy=${value}, so the cluster would forget what has arrived. Set it: ` +
        `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config cleanup.policy=compact`,
    });
  }

  async #collectCheckpoints(values: Map<string, Uint8Array>): Promise<void> {
    const session = this.#session;
    assert(session !== null, 'the session is open');
    const topic = session.checkpointTopic;
    const leader = await this.#toLeader(topic, 0);
    const start = await leader.offset(topic, 'start');
    this.#check('read-checkpoints', start.code, topic);
    // Our own last transaction is complete, so below this end there is all that we ever committed.
    const end = await leader.offset(topic, 'end');
    this.#check('read-checkpoints', end.code, topic);
    for (let offset = start.offset; offset < end.offset; ) {
      const fetched = await leader.fetchCommitted(topic, offset);
      this.#check('read-checkpoints', fetched.code, topic);
      collectCommitted(values, fetched, session.checkpointKeyPrefixes);
      const last = fetched.batches.at(-1);
      if (last === undefined || last.lastOffset < offset)
        throw new Refusal(notReadable(topic, offset, fetched));
      offset = last.lastOffset + 1;
    }
  }

  /** In the second protocol the first batch of a partition adds it to the transaction. */
  async #beginByProduce(session: SessionRequest, batches: readonly PartitionBatch[]): Promise<void> {
    const refused = await this.#refusedOf(session, [batches]);
    // The coordinator still ends our last transaction. What was taken is taken once, however often it is sent.
    const isBusy = refused.every(({ code }) => code === concurrentTransactions);
    for (const one of refused) this.#check(isBusy ? 'begin' : 'produce', one.code, describePartition(one));
  }

  async #produce(session: SessionRequest, rounds: readonly (readonly PartitionBatch[])[]): Promise<void> {
    for (const one of await this.#refusedOf(session, rounds))
      this.#check('produce', one.code, describePartition(one));
  }

  /** Sends the rounds to the leaders of their partitions; what one of them refuses ends it soon for all. */
  async #refusedOf(
    { transactionalId }: SessionRequest,
    rounds: readonly (readonly PartitionBatch[])[],
  ): Promise<readonly PartitionCode[]> {
    const refused: PartitionCode[] = [];
    let isLost = false;
    const leaders = new Set(rounds[0]?.map((one) => this.#leaders.get(keyOf(one))));
    const sendAll = async (leader: number | undefined): Promise<void> => {
      const ofLeader = rounds.map((round) => round.filter((one) => this.#leaders.get(keyOf(one)) === leader));
      const connection = await this.#to(leader === undefined ? undefined : this.#nodes.get(leader));
      await sendInOrder(
        requestsOf(ofLeader),
        async (request) => {
          const codes = await connection.produce(this.#protocol, transactionalId, request);
          refused.push(...codes.filter(({ code }) => code !== 0));
        },
        () => refused.length === 0 && !isLost,
      );
    };
    const ends = await Promise.allSettled(
      [...leaders].map((leader) =>
        sendAll(leader).catch((error: unknown) => {
          isLost = true;
          throw error;
        }),
      ),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return refused;
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
    const connection = await this.#to(this.#coordinator);
    return { connection, session, producer: this.#producer };
  }

  #toLeader(topic: string, partition: number): Promise<KafkaConnection> {
    const leader = this.#leaders.get(keyOf({ topic, partition }));
    return this.#to(leader === undefined ? undefined : this.#nodes.get(leader));
  }

  /** A broker that the cluster named; any broker if the cluster did not name one. */
  async #to(address: BrokerAddress | undefined): Promise<KafkaConnection> {
    if (address === undefined) return this.#pool.any();
    try {
      return await this.#pool.to(address);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      throw new LinkError(
        `the cluster names ${address.host}:${address.port} as one of its brokers, but it cannot be reached from ` +
          `here: ${error.message}. If it stays so, check advertised.listeners of that broker`,
        { cause: error },
      );
    }
  }

  #check(call: KafkaCall, code: number, about: string): void {
    if (code === 0) return;
    if (code === notCoordinator) this.#coordinator = null;
    throw new Refusal(kafkaFailure(call, code, about));
  }

  async #attempt(work: () => Promise<void>): Promise<Failure | null> {
    try {
      await work();
      return null;
    } catch (error) {
      if (error instanceof Refusal) return error.failure;
      if (error instanceof LinkError) return { kind: 'unreachable', message: error.message };
      throw error;
    }
  }
}

function notReadable(
  topic: string,
  offset: number,
  { lastStableOffset }: { readonly lastStableOffset: number },
): Failure {
  if (offset < lastStableOffset) return { kind: 'busy', message: `topic ${topic} answered with nothing` };
  return {
    kind: 'hidden',
    message:
      `another producer's open transaction hides topic ${topic} from offset ${offset} on; it ends with that ` +
      "producer's transaction timeout at the latest. If it does not, a broker has lost the end of a transaction: see " +
      'kafka-transactions.sh find-hanging, and abort it (which may double that one transaction)',
  };
}

const noProducer = (): never => {
  throw new Error('broken assumption: the session is open');
};

const describePartition = ({ topic, partition }: PartitionCode): string => `${topic}-${partition}`;

const detailed = (name: string, detail: string | null): string =>
  detail === null ? name : `${name} (${detail})`;
