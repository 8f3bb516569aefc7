/* What brokers answer, without the client library's own types. */

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
    readonly code: number;
    readonly partitions: readonly { readonly partition: number; readonly leaderId: number }[];
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
}

/**
 * The generation of Kafka's transaction protocol. In the first a client adds partitions to a transaction before it
 * writes to them, and keeps its epoch; in the second each transaction has an epoch of its own.
 */
export type TransactionProtocol = 1 | 2;
