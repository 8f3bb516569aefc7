/* What brokers answer, without the client library's own types. */

const transactionalBit = 0x10;
const controlBit = 0x20;
/** Where in a batch that field ends, by which its length is told. */
const lengthFieldEnd = 12;

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export interface ClusterMetadata {
  /** The name that the cluster has given itself; empty if it has none. */
  readonly clusterId: string;
  readonly controllerId: number;
  readonly nodes: readonly { readonly id: number; readonly address: BrokerAddress }[];
  readonly topics: readonly {
    readonly name: string;
    /** Another one, if a topic of that name is made again. */
    readonly id: string;
    readonly code: number;
    readonly partitions: readonly {
      readonly partition: number;
      readonly leaderId: number;
      /** Another one after each election. */
      readonly leaderEpoch: number;
    }[];
    /** What we may do with it: bit n is set for Kafka's operation n. */
    readonly operations: number;
  }[];
}

/** Error code of one partition in an answer; 0 is success. */
export interface PartitionCode {
  readonly topic: string;
  readonly partition: number;
  readonly code: number;
}

/** What a broker says of one batch. */
export interface RefusedBatchCode extends PartitionCode {
  /** Records that it names as the guilty ones, counted from 0 in their batch. */
  readonly badRecords: readonly number[];
}

export interface TopicCode {
  readonly name: string;
  readonly code: number;
  readonly detail: string | null;
}

export interface FetchedBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly producerId: bigint;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly records: readonly { readonly key: Uint8Array | null; readonly value: Uint8Array | null }[];
}

export interface FetchedPartition {
  readonly code: number;
  readonly lastStableOffset: number;
  readonly abortedTransactions: readonly { readonly producerId: bigint; readonly firstOffset: number }[];
  readonly batches: readonly FetchedBatch[];
  /** What the batches took on the link. */
  readonly bytes: number;
}

/** The rest of an answer that holds an error code only. */
export const nothingFetched = {
  lastStableOffset: 0,
  abortedTransactions: [],
  batches: [],
  bytes: 0,
} as const;

/** A record batch (magic 2) as it was decoded. */
interface DecodedBatch {
  readonly firstOffset: bigint;
  /** Bytes of what follows this field. */
  readonly length: number;
  readonly lastOffsetDelta: number;
  readonly producerId: bigint;
  readonly attributes: number;
  readonly records: readonly { readonly key: Uint8Array | null; readonly value: Uint8Array | null }[];
}

/** What the client library says of one partition that was read from. */
interface AnsweredPartition {
  readonly errorCode: number;
  readonly lastStableOffset: bigint;
  readonly abortedTransactions:
    | readonly { readonly producerId: bigint; readonly firstOffset: bigint }[]
    | null;
  readonly records?: readonly DecodedBatch[] | null | undefined;
}

/** What of it matters to a reader of checkpoints. */
export const fetchedPartition = (answered: AnsweredPartition): FetchedPartition => ({
  code: answered.errorCode,
  lastStableOffset: Number(answered.lastStableOffset),
  abortedTransactions: (answered.abortedTransactions ?? []).map(({ producerId, firstOffset }) => ({
    producerId,
    firstOffset: Number(firstOffset),
  })),
  batches: (answered.records ?? []).map(fetchedBatch),
  bytes: (answered.records ?? []).reduce((sum, { length }) => sum + lengthFieldEnd + length, 0),
});

function fetchedBatch(batch: DecodedBatch): FetchedBatch {
  const { firstOffset, lastOffsetDelta, producerId, attributes, records } = batch;
  return {
    baseOffset: Number(firstOffset),
    lastOffset: Number(firstOffset) + lastOffsetDelta,
    producerId,
    isTransactional: (attributes & transactionalBit) !== 0,
    isControl: (attributes & controlBit) !== 0,
    records: records.map(({ key, value }) => ({ key, value })),
  };
}

/** What the client library says of brokers and topics. */
interface AnsweredMetadata {
  readonly clusterId?: string | null | undefined;
  readonly controllerId: number;
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly topics: readonly {
    readonly name?: string | null | undefined;
    readonly topicId: string;
    readonly errorCode: number;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly leaderId: number;
      readonly leaderEpoch: number;
    }[];
    readonly topicAuthorizedOperations: number;
  }[];
}

/** The same in our words. */
export const clusterMetadata = (answered: AnsweredMetadata): ClusterMetadata => ({
  clusterId: answered.clusterId ?? '',
  controllerId: answered.controllerId,
  nodes: answered.brokers.map(({ nodeId, host, port }) => ({ id: nodeId, address: { host, port } })),
  topics: answered.topics.map((topic) => ({
    name: topic.name ?? '',
    id: topic.topicId,
    code: topic.errorCode,
    partitions: topic.partitions.map(({ partitionIndex: partition, leaderId, leaderEpoch }) => ({
      partition,
      leaderId,
      leaderEpoch,
    })),
    operations: topic.topicAuthorizedOperations,
  })),
});

/**
 * The generation of Kafka's transaction protocol. In the first a client adds partitions to a transaction before it
 * writes to them, and keeps its epoch; in the second each transaction has an epoch of its own.
 */
export type TransactionProtocol = 1 | 2;

/** What the client library says of one batch that was sent. */
export const producedBatch = (
  topic: string,
  answered: {
    readonly index: number;
    readonly errorCode: number;
    readonly recordErrors: readonly { readonly batchIndex: number }[];
  },
): RefusedBatchCode => ({
  topic,
  partition: answered.index,
  code: answered.errorCode,
  badRecords: answered.recordErrors.map(({ batchIndex }) => batchIndex),
});

/** What the client library says of one topic that was to be made or changed. */
export const changedTopic = (
  name: string,
  [answered]: readonly { readonly errorCode: number; readonly errorMessage?: string | null | undefined }[],
): TopicCode => ({ name, code: answered?.errorCode ?? 0, detail: answered?.errorMessage ?? null });
