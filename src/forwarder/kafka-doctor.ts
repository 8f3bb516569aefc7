import { lookup } from 'node:dns/promises';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { BrokerAddress } from './kafka-answers.ts';
import { KafkaConnection } from './kafka-connection.ts';
import { kafkaFailure } from './kafka-failure.ts';
import { LinkError, type LinkTrouble, linkTrouble } from './link-trouble.ts';
import { centralTopic, checkpointTopic, transactionalId } from './names.ts';

/** Why no broker could be spoken to at an address. */
export type DialTrouble = LinkTrouble | 'too-old' | 'wants-login';

/** What was found at one address. */
export interface Dial {
  readonly address: BrokerAddress;
  /** The IP addresses that the host name means here; none if it is unknown. */
  readonly resolved: readonly string[];
  readonly answer: DialAnswer | DialTrouble;
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
  /** Null if it is not told, or there is no such topic. */
  readonly checkpointCleanupPolicy: string | null;
  readonly transactionalId: string;
  /** Null if transactions have a coordinator, else why not. */
  readonly transactionFailure: string | null;
}

/** Everything that was found out, without any judgement. */
export interface Examination {
  readonly bootstrap: readonly Dial[];
  /** Every address that the first broker to answer gave for the brokers of its cluster. */
  readonly advertised: readonly { readonly nodeId: number; readonly dial: Dial }[];
  /** Null if no broker answered; words if the one that did stopped answering. */
  readonly survey: Survey | string | null;
}

export interface ExaminationRequest {
  readonly brokers: readonly BrokerAddress[];
  readonly gateway: string;
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
  const bootstrap = await Promise.all(request.brokers.map((address) => dial(address, request.timeoutMs)));
  const first = bootstrap.find(isAnswered);
  if (first === undefined) return { bootstrap, advertised: [], survey: null };
  const nodes = first.answer.nodes.slice(0, limits.brokersMax);
  const advertised = await Promise.all(
    nodes.map(async ({ id, address }) => ({ nodeId: id, dial: await dial(address, request.timeoutMs) })),
  );
  return { bootstrap, advertised, survey: await survey(first.address, request) };
}

/** Whether a broker answered there. */
export function isAnswered(found: Dial): found is Dial & { readonly answer: DialAnswer } {
  return typeof found.answer !== 'string';
}

async function dial(address: BrokerAddress, timeoutMs: number): Promise<Dial> {
  const [resolved, answer] = await Promise.all([resolve(address.host), ask(address, timeoutMs)]);
  return { address, resolved, answer };
}

async function resolve(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

async function ask(address: BrokerAddress, timeoutMs: number): Promise<DialAnswer | DialTrouble> {
  const connection = new KafkaConnection(address, timeoutMs);
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
    const trouble = linkTrouble(error);
    if (trouble !== 'closed' && trouble !== 'timeout') return trouble;
    // A broker talks about its versions with anybody, and closes the connection on whoever then skips the login.
    if (isKafka) return trouble === 'closed' ? 'wants-login' : trouble;
    return connection.hasReceived ? 'unintelligible' : trouble;
  } finally {
    connection.close();
  }
}

async function survey(address: BrokerAddress, request: ExaminationRequest): Promise<Survey | string> {
  const connection = new KafkaConnection(address, request.timeoutMs);
  try {
    await connection.connect();
    const { topics } = await connection.metadata(null);
    const ours = checkpointTopic(request.gateway);
    const policy = await connection.topicSetting(ours, 'cleanup.policy');
    const id = transactionalId('doctor', 'bulk');
    return {
      topics: topics
        .map(({ name }) => name)
        .filter((name) => name.startsWith(centralTopic(request.gateway, ''))),
      checkpointTopic: ours,
      checkpointCleanupPolicy: policy.code === 0 ? policy.value : null,
      transactionalId: id,
      transactionFailure: await coordinatorFailure(connection, id, request.clock),
    };
  } catch (error) {
    if (error instanceof LinkError) return messageOf(error);
    throw error;
  } finally {
    connection.close();
  }
}

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
