import type { Failure, FailureKind, Verdict } from '../cluster/target.ts';

/** What we were doing when the cluster answered with an error code. */
export type KafkaCall =
  | 'metadata'
  | 'create-topic'
  | 'grow-topic'
  | 'coordinator'
  | 'begin'
  | 'produce'
  | 'end'
  | 'read-checkpoints';

interface Meaning {
  readonly name: string;
  readonly kind: FailureKind;
  /** What to do, where there is something to do; it may depend on what we were doing. */
  readonly advice?: string | Readonly<Partial<Record<KafkaCall, string>>>;
  /** What it says of a partition or of a batch for it; null if it is about the topic. */
  readonly verdict?: Verdict | null;
}

const anotherGateway =
  'another gateway runs with a copy of this data folder, or this one was silent for too long; if there are two, ' +
  'stop one or give it a new data folder';

/** Kafka's error codes that mean more than "no" to us. */
const meanings: ReadonlyMap<number, Meaning> = new Map([
  [
    -1,
    {
      name: 'UNKNOWN_SERVER_ERROR',
      kind: 'refused',
      verdict: 'doubtful',
      advice: "look into the broker's log",
    },
  ],
  [2, { name: 'CORRUPT_MESSAGE', kind: 'refused', verdict: 'doubtful' }],
  [3, { name: 'UNKNOWN_TOPIC_OR_PARTITION', kind: 'busy', verdict: 'unwell' }],
  [5, { name: 'LEADER_NOT_AVAILABLE', kind: 'busy', verdict: 'unwell' }],
  [6, { name: 'NOT_LEADER_OR_FOLLOWER', kind: 'busy', verdict: 'unwell' }],
  [7, { name: 'REQUEST_TIMED_OUT', kind: 'refused', verdict: 'unwell' }],
  [
    10,
    {
      name: 'MESSAGE_TOO_LARGE',
      kind: 'refused',
      verdict: 'too-large',
      advice: 'raise max.message.bytes of the topic to 1048588, the default of Kafka',
    },
  ],
  [14, { name: 'COORDINATOR_LOAD_IN_PROGRESS', kind: 'busy' }],
  [15, { name: 'COORDINATOR_NOT_AVAILABLE', kind: 'busy' }],
  [16, { name: 'NOT_COORDINATOR', kind: 'busy' }],
  [
    17,
    {
      name: 'INVALID_TOPIC_EXCEPTION',
      kind: 'refused',
      verdict: null,
      advice: 'choose a shorter gateway name',
    },
  ],
  [
    18,
    {
      name: 'RECORD_LIST_TOO_LARGE',
      kind: 'refused',
      verdict: 'too-large',
      advice: 'raise segment.bytes of the topic to at least 1048588',
    },
  ],
  [
    19,
    {
      name: 'NOT_ENOUGH_REPLICAS',
      kind: 'refused',
      verdict: 'unwell',
      advice: 'wait for brokers of the cluster to come back',
    },
  ],
  [
    20,
    {
      name: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
      kind: 'refused',
      verdict: 'unwell',
      advice: 'wait for brokers of the cluster to come back',
    },
  ],
  [
    29,
    {
      name: 'TOPIC_AUTHORIZATION_FAILED',
      kind: 'forbidden',
      verdict: null,
      advice: {
        metadata: 'grant Write on it, and if it is the checkpoint topic Read as well',
        'create-topic':
          "grant Create on topics that begin with the gateway's name, or create the topic yourself",
        'grow-topic': 'grant Alter on it, or give it as many partitions as it has here',
        begin: 'grant Write on it',
        produce: 'grant Write on it',
        'read-checkpoints': 'grant Read on it',
      },
    },
  ],
  [
    31,
    {
      name: 'CLUSTER_AUTHORIZATION_FAILED',
      kind: 'forbidden',
      advice: "grant Create on topics that begin with the gateway's name, or create the topic yourself",
    },
  ],
  [
    32,
    {
      name: 'INVALID_TIMESTAMP',
      kind: 'refused',
      verdict: 'bad',
      advice: "a record is stamped over an hour ahead of the broker's clock: set the clock",
    },
  ],
  [35, { name: 'UNSUPPORTED_VERSION', kind: 'refused', advice: 'the cluster must be Kafka 3.0 or later' }],
  [
    38,
    {
      name: 'INVALID_REPLICATION_FACTOR',
      kind: 'refused',
      advice:
        'the cluster has fewer brokers than copies are asked for: set forwarder.create.replication, or its default.replication.factor',
    },
  ],
  [
    40,
    {
      name: 'INVALID_CONFIG',
      kind: 'refused',
      verdict: null,
      advice: 'create the topic yourself: the cluster does not take all of its settings',
    },
  ],
  [41, { name: 'NOT_CONTROLLER', kind: 'busy' }],
  [
    43,
    {
      name: 'UNSUPPORTED_FOR_MESSAGE_FORMAT',
      kind: 'refused',
      verdict: null,
      advice:
        'remove message.format.version from the settings of the topic: transactions need the format of Kafka 0.11',
    },
  ],
  [
    44,
    {
      name: 'POLICY_VIOLATION',
      kind: 'refused',
      verdict: null,
      advice: 'create the topic yourself, as the policy of the cluster wants it',
    },
  ],
  [45, { name: 'OUT_OF_ORDER_SEQUENCE_NUMBER', kind: 'refused' }],
  [47, { name: 'INVALID_PRODUCER_EPOCH', kind: 'fenced', advice: anotherGateway }],
  [48, { name: 'INVALID_TXN_STATE', kind: 'refused' }],
  // What a producer meets that was idle for longer than transactional.id.expiration.ms; the next session has a new id.
  [49, { name: 'INVALID_PRODUCER_ID_MAPPING', kind: 'refused' }],
  [
    50,
    {
      name: 'INVALID_TRANSACTION_TIMEOUT',
      kind: 'refused',
      advice: 'raise transaction.max.timeout.ms of the brokers to at least 60000',
    },
  ],
  [
    51,
    {
      name: 'CONCURRENT_TRANSACTIONS',
      kind: 'busy',
      advice:
        'the cluster cannot end our last transaction yet; if it stays so, a partition in it has too few replicas in sync: ' +
        'wait for brokers of the cluster to come back',
    },
  ],
  [
    53,
    {
      name: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
      kind: 'forbidden',
      advice: 'grant Write on transactional ids that begin with headwater-',
    },
  ],
  [55, { name: 'OPERATION_NOT_ATTEMPTED', kind: 'refused' }],
  [
    56,
    {
      name: 'KAFKA_STORAGE_ERROR',
      kind: 'refused',
      verdict: 'unwell',
      advice: "a disk of the broker fails: look into the broker's log",
    },
  ],
  [59, { name: 'UNKNOWN_PRODUCER_ID', kind: 'refused' }],
  [74, { name: 'FENCED_LEADER_EPOCH', kind: 'refused', verdict: 'unwell' }],
  [75, { name: 'UNKNOWN_LEADER_EPOCH', kind: 'refused', verdict: 'unwell' }],
  [
    76,
    {
      name: 'UNSUPPORTED_COMPRESSION_TYPE',
      kind: 'refused',
      verdict: null,
      advice: 'set compression.type of the topic to producer',
    },
  ],
  [
    87,
    {
      name: 'INVALID_RECORD',
      kind: 'refused',
      verdict: 'bad',
      advice: 'look at the settings of the topic; one that is compacted takes no record without a key',
    },
  ],
  [90, { name: 'PRODUCER_FENCED', kind: 'fenced', advice: anotherGateway }],
  [120, { name: 'TRANSACTION_ABORTABLE', kind: 'refused' }],
]);

/** Of those not listed nobody knows more than that a partition, if it is about one, is not written to. */
const meaningOf = (code: number): Meaning =>
  meanings.get(code) ?? {
    name: `error ${code}`,
    kind: 'refused',
    verdict: 'unwell',
    advice: "look into the broker's log",
  };

/**
 * What an error code means for the mirror. A Produce is never `busy`: with it the transaction is spoilt, because
 * other partitions may have taken theirs.
 */
export function kafkaFailure(call: KafkaCall, code: number, about: string): Failure {
  const meaning = meaningOf(code);
  const kind = call === 'produce' && meaning.kind === 'busy' ? 'refused' : meaning.kind;
  const cause = meanings.has(code) ? meaning.name : 'OTHER_ERROR';
  const advice = typeof meaning.advice === 'object' ? meaning.advice[call] : meaning.advice;
  const next = advice === undefined ? '' : `: ${advice}`;
  const where = kind === 'forbidden' ? '. The README lists what the cluster must grant' : '';
  const message = `${meaning.name} from the cluster when ${doing[call]} ${about}${next}${where}`;
  return { kind, cause, message };
}

/** Kafka's name of an error code. */
export const kafkaErrorName = (code: number): string => meaningOf(code).name;

/** What an error code says of a partition or of a batch for it; null: of the topic; undefined: of neither. */
export const kafkaVerdict = (code: number): Verdict | null | undefined => meaningOf(code).verdict;

const doing: Readonly<Record<KafkaCall, string>> = {
  metadata: 'asking about',
  'create-topic': 'creating topic',
  'grow-topic': 'adding partitions to topic',
  coordinator: 'asking for the coordinator of',
  begin: 'beginning a transaction of',
  produce: 'writing to',
  end: 'ending a transaction of',
  'read-checkpoints': 'reading topic',
};
