import {
  type API,
  addPartitionsToTxnV3,
  apiVersionsV3,
  Connection,
  createAPI,
  createPartitionsV3,
  createTopicsV7,
  describeConfigsV4,
  endTxnV3,
  fetchV12,
  findCoordinatorV4,
  initProducerIdV4,
  listOffsetsV7,
  metadataV12,
  produceV9,
  produceV11,
  ResponseError,
  saslAuthenticateV2,
  saslHandshakeV1,
  Writer,
} from '@platformatic/kafka';
import { limits } from '../../core/limits.ts';
import type { Producer } from '../cluster/outgoing-batch.ts';
import type { PartitionBatch } from '../cluster/target.ts';
import { type ClusterAccess, tlsOptions } from './cluster-access.ts';
import {
  type BrokerAddress,
  type ClusterMetadata,
  changedTopic,
  clusterMetadata,
  type FetchedPartition,
  fetchedPartition,
  nothingFetched,
  type PartitionCode,
  producedBatch,
  type RefusedBatchCode,
  type TopicCode,
  type TransactionProtocol,
} from './kafka-answers.ts';
import { explained, LinkError } from './link-trouble.ts';
import { type HandshakeAnswer, type LoginAnswer, logIn } from './login.ts';

/*
 * The only file that knows the client library, of which it uses the codec and the connection; logins are calls like any
 * other, since the library's own renews them amid other calls, takes refused tokens for accepted, and throws where nobody
 * can catch it. The versions are the lowest that do what we need, so that no negotiation is needed: every Kafka from 3.0
 * on speaks them, and also a cluster with transaction.version 2. AddPartitionsToTxn is version 3, since later ones are for
 * brokers only.
 */

interface EndAnswer {
  readonly errorCode: number;
  readonly producer: Producer;
}

type ProduceArguments = [transactionalId: string | null, batches: readonly PartitionBatch[]];

const readCommittedLevel = 1;
const topicResource = 2;

/** The library's own request encoder insists on encoding the records itself; ours are ready. */
const encodeProduce = (transactionalId: string | null, batches: readonly PartitionBatch[]): Writer =>
  Writer.create()
    .appendString(transactionalId)
    .appendInt16(-1)
    .appendInt32(limits.kafkaRequestTimeoutMs)
    .appendArray([...Map.groupBy(batches, ({ topic }) => topic)], (writer, [topic, partitions]) => {
      writer.appendString(topic).appendArray(partitions, (inner, { partition, batch: { bytes } }) => {
        inner
          .appendInt32(partition)
          .appendUnsignedVarInt(bytes.length + 1)
          .append(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      });
    })
    .appendTaggedFields();

const produce9: API<ProduceArguments, ReturnType<typeof produceV9.parseResponse>> = createAPI(
  0,
  9,
  encodeProduce,
  produceV9.parseResponse,
);
/** From here on the broker itself adds the partition to the transaction (KIP-890). */
const produce12: typeof produce9 = createAPI(0, 12, encodeProduce, produceV11.parseResponse);

/** From version 5 on the answer names the producer of the next transaction; the library ends at 4. */
const endTxn5: API<Parameters<typeof endTxnV3.createRequest>, EndAnswer> = createAPI(
  26,
  5,
  endTxnV3.createRequest,
  (_correlationId, _key, _version, reader) => {
    reader.readInt32();
    const answer = {
      errorCode: reader.readInt16(),
      producer: { id: reader.readInt64(), epoch: reader.readInt16() },
    };
    reader.readTaggedFields();
    return answer;
  },
);

/** Bytes, without what TLS, TCP and IP add. */
export interface Traffic {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** One connection to one broker. Every call has a time limit, after which the connection is gone. */
export class KafkaConnection {
  readonly address: BrokerAddress;
  readonly #connection: Connection;
  readonly #access: ClusterAccess;
  #sessionMs: number | null = null;
  #socketError: Error | null = null;
  #hasAnswered = false;

  /** `timeoutMs`, for connecting and for each answer, if the usual ones are too long. */
  constructor(address: BrokerAddress, access: ClusterAccess, timeoutMs?: number) {
    this.address = address;
    this.#access = access;
    this.#connection = new Connection('headwater', {
      connectTimeout: timeoutMs ?? limits.kafkaConnectTimeoutMs,
      requestTimeout: timeoutMs ?? limits.kafkaRequestTimeoutMs,
      ...(access.tls && { tls: tlsOptions(access.tls, address.host) }),
    });
    // Without a listener an error event would end the process.
    this.#connection.on('error', (error) => {
      this.#socketError ??= error;
    });
  }

  get isConnected(): boolean {
    return this.#sessionMs !== null && this.#connection.isConnected();
  }

  /** What has gone through the socket, also if it was no answer. */
  get traffic(): Traffic {
    const { bytesRead, bytesWritten } = this.#connection.socket;
    return { bytesRead, bytesWritten };
  }

  /** For how long the login counts, milliseconds from when it was done; 0 for as long as the connection lasts. */
  get sessionMs(): number {
    return this.#sessionMs ?? 0;
  }

  /** Connects and logs in. @throws LinkError */
  async connect(): Promise<void> {
    const { login, nowMs } = this.#access;
    try {
      await this.#connection.connect(this.address.host, this.address.port);
      this.#connection.socket.setKeepAlive(true, limits.kafkaKeepAliveMs);
      this.#sessionMs = login === null ? 0 : await logIn(login, this, nowMs);
    } catch (error) {
      this.close();
      throw error instanceof LinkError ? error : this.#linkError(error);
    }
  }

  /** Cuts the connection; calls in flight fail. */
  close(): void {
    this.#connection.close(() => {});
    if (this.#connection.status === 'closing') this.#connection.socket.destroy();
  }

  /** The first request of a login. */
  async handshake(mechanism: string): Promise<HandshakeAnswer> {
    const { errorCode, mechanisms = [] } = await this.#call(saslHandshakeV1.api, mechanism);
    return { code: errorCode, mechanisms };
  }

  /** The other requests of a login. */
  async authenticate(bytes: Uint8Array): Promise<LoginAnswer> {
    const answer = await this.#call(saslAuthenticateV2.api, Buffer.from(bytes));
    const { errorCode: code, errorMessage, authBytes, sessionLifetimeMs } = answer;
    return { code, detail: errorMessage ?? null, bytes: authBytes, sessionMs: Number(sessionLifetimeMs) };
  }

  /** The first thing to ask a broker. `transactionVersion` is the level that the cluster has agreed on. */
  async apiVersions(): Promise<{ readonly code: number; readonly transactionVersion: number }> {
    const { errorCode, finalizedFeatures = [] } = await this.#call(apiVersionsV3.api, 'headwater', '0');
    const feature = finalizedFeatures.find(({ name }) => name === 'transaction.version');
    return { code: errorCode, transactionVersion: feature?.maxVersionLevel ?? 0 };
  }

  /** With null, of all topics that we may see. */
  async metadata(topics: readonly string[] | null): Promise<ClusterMetadata> {
    // The library's type has no null, which the protocol has for "all".
    const asked = (topics === null ? null : [...topics]) as string[];
    const answer = await this.#call(metadataV12.api, asked, false, true);
    return clusterMetadata(answer);
  }

  /** With `isTrial` only whether it could be created. */
  async createTopic(
    name: string,
    partitions: number,
    settings: Record<string, string>,
    { replication = -1, isTrial = false } = {},
  ): Promise<TopicCode> {
    const configs = Object.entries(settings).map(([key, value]) => ({ name: key, value }));
    const counts = { numPartitions: partitions, replicationFactor: replication };
    const topic = { name, ...counts, assignments: [], configs };
    const { topics } = await this.#call(createTopicsV7.api, [topic], limits.kafkaRequestTimeoutMs, isTrial);
    return changedTopic(name, topics);
  }

  async growTopic(name: string, partitions: number): Promise<TopicCode> {
    const { results } = await this.#call(
      createPartitionsV3.api,
      [{ name, count: partitions, assignments: null }],
      limits.kafkaRequestTimeoutMs,
      false,
    );
    return changedTopic(name, results);
  }

  /** Settings of a topic, as far as they are told. */
  async topicSettings(
    topic: string,
    names: readonly string[],
  ): Promise<{ readonly code: number; readonly settings: ReadonlyMap<string, string> }> {
    const { results } = await this.#call(
      describeConfigsV4.api,
      [{ resourceType: topicResource, resourceName: topic, configurationKeys: [...names] }],
      false,
      false,
    );
    const [{ errorCode: code, configs } = { errorCode: 0, configs: [] }] = results;
    const told = configs.flatMap(({ name, value }) => (value ? [[name, value] as const] : []));
    return { code, settings: new Map(told) };
  }

  async findCoordinator(
    transactionalId: string,
  ): Promise<{ readonly code: number; readonly address: BrokerAddress }> {
    const [coordinator] = (await this.#call(findCoordinatorV4.api, 1, [transactionalId])).coordinators;
    if (coordinator === undefined) throw this.#linkError(new Error('no coordinator in the answer'));
    return {
      code: coordinator.errorCode,
      address: { host: coordinator.host, port: coordinator.port },
    };
  }

  async initProducerId(
    transactionalId: string,
  ): Promise<{ readonly code: number; readonly producer: Producer }> {
    // The library's Producer sends (0, 0) here, which fences every process but the first.
    const answer = await this.#call(
      initProducerIdV4.api,
      transactionalId,
      limits.transactionTimeoutMs,
      -1n,
      -1,
    );
    return { code: answer.errorCode, producer: { id: answer.producerId, epoch: answer.producerEpoch } };
  }

  async addPartitions(
    transactionalId: string,
    producer: Producer,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly PartitionCode[]> {
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, entries]) => ({
      name,
      partitions: entries.map(({ partition }) => partition),
    }));
    const answer = await this.#call(addPartitionsToTxnV3.api, [
      {
        transactionalId,
        producerId: producer.id,
        producerEpoch: producer.epoch,
        verifyOnly: false,
        topics,
      },
    ]);
    return answer.resultsByTransaction.flatMap(({ topicResults }) =>
      topicResults.flatMap(({ name, resultsByPartition }) =>
        resultsByPartition.map(({ partitionIndex, partitionErrorCode }) => ({
          topic: name,
          partition: partitionIndex,
          code: partitionErrorCode,
        })),
      ),
    );
  }

  /** At most one batch for each partition, all led by this broker; without an id outside of transactions. */
  async produce(
    protocol: TransactionProtocol,
    transactionalId: string | null,
    batches: readonly PartitionBatch[],
  ): Promise<readonly RefusedBatchCode[]> {
    const api = protocol === 2 ? produce12 : produce9;
    const { responses } = await this.#call(api, transactionalId, batches);
    return responses.flatMap(({ name, partitionResponses }) =>
      partitionResponses.map((answered) => producedBatch(name, answered)),
    );
  }

  /** `next` is the producer of the next transaction: the same one in the first protocol. */
  async endTransaction(
    protocol: TransactionProtocol,
    transactionalId: string,
    producer: Producer,
    commit: boolean,
  ): Promise<{ readonly code: number; readonly next: Producer }> {
    const request = [transactionalId, producer.id, producer.epoch, commit] as const;
    if (protocol === 1) {
      const { errorCode } = await this.#call(endTxnV3.api, ...request);
      return { code: errorCode, next: producer };
    }
    const { errorCode, producer: next } = await this.#call(endTxn5, ...request);
    return { code: errorCode, next };
  }

  /** The first offset of partition 0, or its end, whether committed or not. */
  async offset(
    topic: string,
    which: 'start' | 'end',
  ): Promise<{ readonly code: number; readonly offset: number }> {
    const answer = await this.#call(listOffsetsV7.api, -1, 0, [
      {
        name: topic,
        partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: which === 'start' ? -2n : -1n }],
      },
    ]);
    const partition = answer.topics[0]?.partitions[0];
    if (partition === undefined) throw this.#linkError(new Error('no partition in the answer'));
    return { code: partition.errorCode, offset: Number(partition.offset) };
  }

  /**
   * Batches of partition 0 from `offset` on, up to the last stable offset; what was aborted is among them. One is there
   * however few bytes are asked for. Refused after an election, for the log may be another one then.
   */
  async fetchCommitted(
    { topic, leaderEpoch }: { readonly topic: string; readonly leaderEpoch: number },
    offset: number,
    bytesMax: number,
  ): Promise<FetchedPartition> {
    const answer = await this.#call(
      fetchV12.api,
      limits.checkpointFetchWaitMs,
      1,
      bytesMax,
      readCommittedLevel,
      0,
      -1,
      [
        {
          topicId: topic,
          partitions: [
            {
              partition: 0,
              currentLeaderEpoch: leaderEpoch,
              fetchOffset: BigInt(offset),
              lastFetchedEpoch: -1,
              partitionMaxBytes: bytesMax,
            },
          ],
        },
      ],
      [],
      '',
    );
    const partition = answer.responses[0]?.partitions[0];
    if (partition === undefined) return { code: answer.errorCode || unknownServerError, ...nothingFetched };
    return fetchedPartition(partition);
  }

  /** Answers with error codes are answers; whatever else goes wrong ends the connection. */
  async #call<Arguments extends unknown[], Answer>(
    api: API<Arguments, Answer>,
    ...args: Arguments
  ): Promise<Exclude<Answer, boolean>> {
    try {
      const answer = (await api.async(this.#connection, ...args)) as Exclude<Answer, boolean>;
      this.#hasAnswered = true;
      return answer;
    } catch (error) {
      if (error instanceof ResponseError) return error['response'] as Exclude<Answer, boolean>;
      this.close();
      throw this.#linkError(error);
    }
  }

  #linkError(error: unknown): LinkError {
    const [access, socketError, hasAnswered] = [this.#access, this.#socketError, this.#hasAnswered];
    return explained(error, { address: this.address, access, socketError, hasAnswered });
  }
}

const unknownServerError = -1;
