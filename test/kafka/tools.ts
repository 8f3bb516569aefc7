import type { LogRecord } from '../../src/core/record.ts';
import { toolJars } from './jars.ts';
import { javaParameters } from './java.ts';
import { runToEnd } from './processes.ts';

const HEAP_MIB = 128;
const CONSUME_TIMEOUT_MS = 5000;
const BYTES_DESERIALIZER = 'org.apache.kafka.common.serialization.BytesDeserializer';
const NULL_LITERAL = 'absent-in-this-record';
const HEADER_SEPARATOR = '\u0001';

/** A record as Kafka's own console consumer saw it. */
export interface ConsumedRecord extends LogRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface PartitionDescription {
  readonly partition: number;
  /** Node id; `undefined` while there is none. */
  readonly leader: number | undefined;
  readonly replicas: readonly number[];
  readonly inSyncReplicas: readonly number[];
}

export interface ConsumeOptions {
  /** False shows records of open and of aborted transactions too. */
  readonly readCommitted: boolean;
  /** Only this one; all partitions otherwise. */
  readonly partition?: number;
  /** Ends after so many records. */
  readonly maxMessages?: number;
  /** Ends when no record came for so long, 5 s by default; the consumer needs some of it to find the first one. */
  readonly timeoutMs?: number;
}

/** Apache Kafka's own command line tools: what a user would see, and a witness that shares no code with us. */
export interface KafkaTools {
  createTopic(
    topic: string,
    options?: {
      readonly partitions?: number;
      /** What the cluster does by default, if it does not matter. */
      readonly replicas?: number;
      readonly settings?: Readonly<Record<string, string | number>>;
    },
  ): Promise<void>;
  deleteTopic(topic: string): Promise<void>;
  /** From now on the cluster lets each producer write so many bytes a second, and slows down who writes more. */
  limitProducers(bytesPerSecond: number): Promise<void>;
  /** By partition number. */
  describeTopic(topic: string): Promise<PartitionDescription[]>;
  /** Records of these keys without a value, as Kafka's own Java producer sends them by default. */
  produceKeys(topic: string, keys: readonly string[]): Promise<void>;
  /** Records from the beginning of the topic, each partition in its order. */
  consume(topic: string, options: ConsumeOptions): Promise<ConsumedRecord[]>;
  /** The epoch of the producer of this transactional id. */
  producerEpoch(transactionalId: string): Promise<number>;
  /** Runs `kafka-acls.sh` with these parameters. */
  changePermissions(parameters: readonly string[]): Promise<void>;
  /** Runs `kafka-configs.sh` with these parameters. */
  changeSettings(parameters: readonly string[]): Promise<void>;
  /** High watermarks by partition number; transaction markers count as well. */
  endOffsets(topic: string): Promise<number[]>;
}

/** The tools for one cluster. Their calls reject with what the tool said. Each starts a Java of its own, about a second. */
export function kafkaTools(bootstrap: readonly string[]): KafkaTools {
  const run = async (mainClass: string, parameters: readonly string[]): Promise<string> => {
    const command = await toolParameters(bootstrap, mainClass, parameters);
    const { code, stdout, stderr } = await runToEnd('java', command);
    if (code !== 0) throw new Error(`${mainClass} ${parameters.join(' ')} failed:\n${stdout}${stderr}`);
    return stdout;
  };
  return {
    createTopic: async (topic, { partitions = 1, replicas, settings = {} } = {}) => {
      const configuration = Object.entries(settings).flatMap(([name, value]) => [
        '--config',
        `${name}=${value}`,
      ]);
      if (replicas !== undefined) configuration.push('--replication-factor', `${replicas}`);
      await run(TOPICS, ['--create', '--topic', topic, '--partitions', `${partitions}`, ...configuration]);
    },
    deleteTopic: async (topic) => {
      await run(TOPICS, ['--delete', '--topic', patternOf(topic)]);
    },
    limitProducers: async (bytesPerSecond) => {
      const quota = ['--add-config', `producer_byte_rate=${bytesPerSecond}`];
      await run(CONFIGS, ['--alter', '--entity-type', 'clients', '--entity-default', ...quota]);
    },
    describeTopic: async (topic) => {
      const printed = await run(TOPICS, ['--describe', '--topic', patternOf(topic)]);
      return [...printed.matchAll(DESCRIBED_PARTITION)].map(parsePartition);
    },
    produceKeys: async (topic, keys) => {
      const properties = ['--reader-property', 'parse.key=true', '--reader-property', 'key.separator=:'];
      const command = await toolParameters(bootstrap, CONSOLE_PRODUCER, ['--topic', topic, ...properties]);
      const input = keys.map((key) => `${key}:\n`).join('');
      const { code, stderr } = await runToEnd('java', command, input);
      if (code !== 0) throw new Error(`the console producer failed:\n${stderr}`);
    },
    consume: async (topic, options) => {
      const printed = await run(CONSOLE_CONSUMER, consumeParameters(topic, options));
      return printed.split('\n').filter(Boolean).map(parseRecord);
    },
    producerEpoch: async (transactionalId) => {
      const printed = await run('org.apache.kafka.tools.TransactionsCommand', [
        ...['describe', '--transactional-id', transactionalId],
      ]);
      const [names = '', values = ''] = printed.trim().split('\n');
      return Number(
        values.split('\t')[names.split('\t').findIndex((name) => name.trim() === 'ProducerEpoch')],
      );
    },
    changePermissions: async (parameters) => {
      await run('org.apache.kafka.tools.AclCommand', parameters);
    },
    changeSettings: async (parameters) => {
      await run(CONFIGS, parameters);
    },
    endOffsets: async (topic) => {
      const printed = await run('org.apache.kafka.tools.GetOffsetShell', ['--topic', patternOf(topic)]);
      return printed.trim().split('\n').map(parseNumberAfterLastColon);
    },
  };
}

const CONFIGS = 'kafka.admin.ConfigCommand';
const TOPICS = 'org.apache.kafka.tools.TopicCommand';
const CONSOLE_PRODUCER = 'org.apache.kafka.tools.ConsoleProducer';
export const CONSOLE_CONSUMER = 'org.apache.kafka.tools.consumer.ConsoleConsumer';

/** The parameters of `java` that run one of the tools. */
export async function toolParameters(
  bootstrap: readonly string[],
  mainClass: string,
  parameters: readonly string[],
): Promise<string[]> {
  const java = javaParameters(await toolJars(), HEAP_MIB, 'warn');
  return [...java, mainClass, '--bootstrap-server', bootstrap.join(','), ...parameters];
}

/** The tools take a topic's name for a regular expression. */
const patternOf = (topic: string): string => topic.replaceAll('.', '\\.');

function consumeParameters(topic: string, options: ConsumeOptions): string[] {
  const { readCommitted, partition, maxMessages, timeoutMs = CONSUME_TIMEOUT_MS } = options;
  const format = {
    'print.timestamp': true,
    'print.partition': true,
    'print.offset': true,
    'print.headers': true,
    'print.key': true,
    'headers.separator': HEADER_SEPARATOR,
    'null.literal': NULL_LITERAL,
    // Prints every byte that is not printable ASCII, and the backslash, as \xNN: so no separator is ever in a value.
    'key.deserializer': BYTES_DESERIALIZER,
    'value.deserializer': BYTES_DESERIALIZER,
    'headers.deserializer': BYTES_DESERIALIZER,
  };
  return [
    ...['--topic', topic, '--timeout-ms', `${timeoutMs}`],
    ...['--isolation-level', readCommitted ? 'read_committed' : 'read_uncommitted'],
    ...(partition === undefined
      ? ['--from-beginning']
      : ['--partition', `${partition}`, '--offset', 'earliest']),
    ...(maxMessages === undefined ? [] : ['--max-messages', `${maxMessages}`]),
    ...Object.entries(format).flatMap(([name, value]) => ['--formatter-property', `${name}=${value}`]),
  ];
}

/** A line such as `CreateTime:1795534738666 Partition:1 Offset:0 name:value key value`, with tabs between. */
function parseRecord(line: string): ConsumedRecord {
  const [timestamp, partition, offset, headers, key, value] = line.split('\t');
  if (value === undefined) throw new Error(`the console consumer printed no record: ${line}`);
  return {
    partition: parseNumberAfterLastColon(partition),
    offset: parseNumberAfterLastColon(offset),
    timestampMs: parseNumberAfterLastColon(timestamp),
    headers: parseHeaders(headers ?? ''),
    key: parseBytes(key),
    value: parseBytes(value),
  };
}

function parseHeaders(printed: string): { name: string; value: Buffer }[] {
  if (printed === 'NO_HEADERS') return [];
  return printed.split(HEADER_SEPARATOR).map((header) => {
    const colon = header.indexOf(':');
    const value = parseBytes(header.slice(colon + 1)) ?? Buffer.alloc(0);
    return { name: header.slice(0, colon), value };
  });
}

function parseBytes(printed: string | undefined): Buffer | null {
  if (printed === undefined || printed === NULL_LITERAL) return null;
  const binary = printed.replace(/\\x([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(binary, 'latin1');
}

const DESCRIBED_PARTITION = /\tPartition: (\d+)\tLeader: (\S+)\tReplicas: ([\d,]*)\tIsr: ([\d,]*)/g;

function parsePartition([, partition, leader, replicas, inSync]: RegExpExecArray): PartitionDescription {
  const numbers = (list = ''): number[] => list.split(',').filter(Boolean).map(Number);
  return {
    partition: Number(partition),
    leader: leader === 'none' ? undefined : Number(leader),
    replicas: numbers(replicas),
    inSyncReplicas: numbers(inSync),
  };
}

function parseNumberAfterLastColon(text = ''): number {
  const number = text.slice(text.lastIndexOf(':') + 1);
  if (!/^-?\d+$/.test(number)) throw new Error(`a tool of Kafka printed no number: ${text}`);
  return Number(number);
}
