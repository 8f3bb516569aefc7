import { lookup } from 'node:dns/promises';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { transactionalId } from '../cluster/names.ts';
import type { Delivery } from '../cluster/target.ts';
import type { TopicMapping } from '../cluster/topic-mapping.ts';
import { checkpointTopicSettings } from './checkpoint-topic.ts';
import type { ReadAccess } from './cluster-access.ts';
import type { BrokerAddress } from './kafka-answers.ts';
import { KafkaConnection } from './kafka-connection.ts';
import { kafkaFailure } from './kafka-failure.ts';
import type { TopicPermissions } from './kafka-permissions.ts';
import { LinkError, type LinkTrouble } from './link-trouble.ts';

/** Why no broker could be spoken to at an address. */
export type DialTrouble = Exclude<LinkTrouble, 'tls' | 'login' | 'access'> | 'too-old' | 'wants-login';

/** TLS or the login did not come about: why, and what to do, in words about the broker. */
export interface Barred {
  readonly reason: string;
}

/** What was found at one address. */
export interface Dial {
  readonly address: BrokerAddress;
  /** The IP addresses that the host name means here; none if it is unknown. */
  readonly resolved: readonly string[];
  readonly answer: DialAnswer | DialTrouble | Barred;
}

export interface DialAnswer {
  readonly clusterId: string;
  readonly controllerId: number;
  readonly transactionVersion: number;
  readonly nodes: readonly { readonly id: number; readonly address: BrokerAddress }[];
}

/** What a broker knows about things of ours. */
export interface Survey {
  /** Names of the cluster's topics that begin with the gateway's name. */
  readonly topics: readonly string[];
  readonly checkpointTopic: string;
  /** Settings of that topic that matter, by name; null if they are not told, or there is no such topic. */
  readonly checkpointSettings: ReadonlyMap<string, string> | null;
  /** Of the topics that are there, and of those that the mirror will need. */
  readonly permissions: readonly TopicPermissions[];
  /** One such as ours; null if there is no need for transactions. */
  readonly transactionalId: string | null;
  /** Null if transactions have a coordinator or are not needed, else why not. */
  readonly transactionFailure: string | null;
}

/** Everything that was found out, without any judgement. */
export interface Examination {
  /** What is wrong with our own certificates and secrets; nobody is dialled then. */
  readonly accessProblems: readonly string[];
  readonly bootstrap: readonly Dial[];
  /** Every address that the first broker to answer gave for the brokers of its cluster. */
  readonly advertised: readonly { readonly nodeId: number; readonly dial: Dial }[];
  /** Null if no broker answered; words if the one that did stopped answering. */
  readonly survey: Survey | string | null;
}

export interface ExaminationRequest {
  readonly brokers: readonly BrokerAddress[];
  readonly mapping: TopicMapping;
  /** Names of log topics that will be mirrored, as far as they are known. */
  readonly topics: readonly string[];
  readonly readAccess: ReadAccess;
  readonly delivery: Delivery;
  readonly clock: Clock;
  /** How long to wait for a connection, and for each answer. */
  readonly timeoutMs: number;
}

/**
 * Dials the configured addresses and then every one that the cluster advertises. It writes nothing, but a cluster
 * that never had a transaction makes its internal topic for them when asked for a coordinator. Never throws for what
 * the network or the cluster does.
 */
export async function examineKafka(request: ExaminationRequest): Promise<Examination> {
  const own = await request.readAccess();
  if (!own.ok) return { accessProblems: own.problems, bootstrap: [], advertised: [], survey: null };
  const bootstrap = await Promise.all(request.brokers.map((address) => dial(address, request)));
  const first = bootstrap.find(isAnswered);
  if (first === undefined) return { accessProblems: [], bootstrap, advertised: [], survey: null };
  const nodes = first.answer.nodes.slice(0, limits.brokersMax);
  const advertised = await Promise.all(
    nodes.map(async ({ id, address }) => ({ nodeId: id, dial: await dial(address, request) })),
  );
  return { accessProblems: [], bootstrap, advertised, survey: await survey(first.address, request) };
}

/** Whether a broker answered there. */
export function isAnswered(found: Dial): found is Dial & { readonly answer: DialAnswer } {
  return typeof found.answer !== 'string' && 'nodes' in found.answer;
}

async function dial(address: BrokerAddress, request: ExaminationRequest): Promise<Dial> {
  const [resolved, answer] = await Promise.all([resolve(address.host), ask(address, request)]);
  return { address, resolved, answer };
}

async function resolve(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

async function ask(address: BrokerAddress, request: ExaminationRequest): Promise<Dial['answer']> {
  const read = await request.readAccess();
  if (!read.ok) return { reason: read.problems.join('; ') };
  const { tls, login } = read.access;
  const connection = new KafkaConnection(address, read.access, request.timeoutMs);
  let isKafka = false;
  try {
    await connection.connect();
    const { code, transactionVersion } = await connection.apiVersions();
    if (code !== 0) return 'too-old';
    isKafka = true;
    const { clusterId, controllerId, nodes } = await connection.metadata([]);
    return { clusterId, controllerId, transactionVersion, nodes };
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    const { trouble, reason } = error;
    if (trouble === 'tls' || trouble === 'login' || trouble === 'access') return { reason };
    if (trouble !== 'closed' && trouble !== 'timeout') return trouble;
    // A broker talks about its versions with anybody, and closes the connection on whoever then skips the login.
    if (isKafka) return trouble === 'closed' && login === null ? 'wants-login' : trouble;
    if (tls !== null) return { reason };
    return connection.traffic.bytesRead > 0 ? 'unintelligible' : trouble;
  } finally {
    connection.close();
  }
}

async function survey(address: BrokerAddress, request: ExaminationRequest): Promise<Survey | string> {
  const read = await request.readAccess();
  if (!read.ok) return read.problems.join('; ');
  const connection = new KafkaConnection(address, read.access, request.timeoutMs);
  try {
    await connection.connect();
    const { topics } = await connection.metadata(null);
    const names = topics.map(({ name }) => name).filter((name) => request.mapping.isCentral(name));
    const ours = request.mapping.checkpointTopic;
    const found = await connection.topicSettings(ours, Object.keys(checkpointTopicSettings));
    const id = request.delivery === 'exactly-once' ? transactionalId('doctor', 'bulk') : null;
    return {
      topics: names,
      checkpointTopic: ours,
      checkpointSettings: found.code === 0 && found.settings.size > 0 ? found.settings : null,
      permissions: await permissions(connection, names, request),
      transactionalId: id,
      transactionFailure: id === null ? null : await coordinatorFailure(connection, id, request.clock),
    };
  } catch (error) {
    if (error instanceof LinkError) return messageOf(error);
    throw error;
  } finally {
    connection.close();
  }
}

async function permissions(
  connection: KafkaConnection,
  found: readonly string[],
  { mapping, topics }: ExaminationRequest,
): Promise<readonly TopicPermissions[]> {
  const ours = mapping.checkpointTopic;
  const names = [...new Set([ours, ...topics.map((topic) => mapping.centralTopic(topic)), ...found])];
  const metadata = await connection.metadata(names);
  const all: TopicPermissions[] = [];
  for (const name of names) {
    const topic = metadata.topics.find((one) => one.name === name);
    const { code, operations } = topic ?? { code: unknownTopic, operations: 0 };
    const created =
      code === unknownTopic ? await connection.createTopic(name, 1, {}, { isTrial: true }) : { code: 0 };
    all.push({ name, isCheckpoint: name === ours, code, operations, createCode: created.code });
  }
  return all;
}

const unknownTopic = 3;

async function coordinatorFailure(
  connection: KafkaConnection,
  id: string,
  clock: Clock,
): Promise<string | null> {
  for (let repeats = 0; ; repeats++) {
    const { code } = await connection.findCoordinator(id);
    if (code === 0) return null;
    const { kind, message } = kafkaFailure('coordinator', code, id);
    if (kind !== 'busy' || repeats === limits.doctorRepeatsMax) return message;
    await clock.sleep(limits.doctorRepeatMs);
  }
}
