import { checkpointTopicFault, settingsText } from './checkpoint-topic.ts';
import type { BrokerAddress } from './kafka-answers.ts';
import {
  type Dial,
  type DialAnswer,
  type DialTrouble,
  type Examination,
  isAnswered,
  type Survey,
} from './kafka-doctor.ts';
import { permissionProblems } from './kafka-permissions.ts';

/** One sentence about the cluster; unless all is well it says what to change. */
export interface Finding {
  /** With a `warning` the mirror works, but not as well as it could. */
  readonly level: 'ok' | 'warning' | 'wrong';
  readonly about: string;
  readonly text: string;
}

/** What an examination means, most basic things first. Pure. */
export function findingsOf({
  accessProblems,
  bootstrap,
  advertised,
  survey,
}: Examination): readonly Finding[] {
  if (accessProblems.length > 0) return accessProblems.map((problem) => wrong('access', problem));
  const first = bootstrap.find(isAnswered);
  const findings = bootstrap.map((dial) => bootstrapFinding(dial, first));
  if (first === undefined) return findings;
  return [
    ...findings,
    fine('cluster', clusterText(first.answer)),
    ...advertised.map(({ nodeId, dial }) => advertisedFinding(nodeId, dial, first)),
    ...surveyFindings(survey),
  ];
}

type AnsweredDial = Dial & { readonly answer: DialAnswer };

function bootstrapFinding(dial: Dial, first: AnsweredDial | undefined): Finding {
  const where = format(dial.address);
  const barred = barredBy(dial);
  if (barred !== undefined) return wrong(where, barred);
  if (!isAnswered(dial)) return wrong(where, bootstrapAdvice[asTrouble(dial)]);
  if (first !== undefined && dial.answer.clusterId !== first.answer.clusterId) {
    const text = `answers, but belongs to another cluster (${dial.answer.clusterId}) than ${format(first.address)}`;
    return wrong(
      where,
      `${text} (${first.answer.clusterId}); list brokers of one cluster in forwarder.brokers`,
    );
  }
  return fine(where, `Kafka answers (${dial.resolved.join(', ')})`);
}

const bootstrapAdvice: Readonly<Record<DialTrouble, string>> = {
  'unknown-host':
    'no DNS server knows this host name; correct it in forwarder.brokers, or add it to DNS or /etc/hosts',
  'no-route': 'there is no route to this address; check the network of this device and forwarder.brokers',
  refused:
    'the host refuses connections on this port; start the broker, or correct the port in forwarder.brokers',
  timeout:
    'nothing answers; a firewall drops the packets, the host is off, or something else than Kafka listens there. ' +
    'Check forwarder.brokers',
  closed:
    'the connection is closed without an answer; this is no Kafka broker, or one that expects TLS (forwarder.tls)',
  'needs-tls': 'the broker expects TLS; set forwarder.tls, or use the port of a listener without it',
  unintelligible: 'something answers that is not Kafka; correct host and port in forwarder.brokers',
  'too-old': 'this Kafka is too old; Headwater needs version 3.0 or later',
  'wants-login': 'the broker wants a login; set forwarder.sasl, or use the port of a listener without it',
};

function clusterText({ clusterId, nodes, controllerId, transactionVersion }: DialAnswer): string {
  const brokers = nodes.map(({ id, address }) => `${id} at ${format(address)}`).join(', ');
  return `${clusterId}; brokers: ${brokers}; controller ${controllerId}; transaction.version ${transactionVersion}`;
}

/** Clients learn all other addresses from the cluster, so each must work from here: the usual first mistake. */
function advertisedFinding(nodeId: number, dial: Dial, first: AnsweredDial): Finding {
  const about = `broker ${nodeId}`;
  const where = format(dial.address);
  const remedy =
    `Set advertised.listeners of broker ${nodeId} to an address that works from this device, such as ` +
    `PLAINTEXT://${exampleFor(first, dial)}, and restart it`;
  const isElsewhere = !isAnswered(dial) || dial.answer.clusterId !== first.answer.clusterId;
  if (isElsewhere && isHere(dial) && !isHere(first)) {
    return wrong(
      about,
      `advertises ${where}, which for this device is the device itself, not the broker. ${remedy}`,
    );
  }
  const barred = barredBy(dial);
  if (barred !== undefined) return wrong(about, `advertises ${where}, where a connection fails: ${barred}`);
  if (!isAnswered(dial)) return wrong(about, `advertises ${where}, but ${reasonFor(dial, first)}. ${remedy}`);
  if (isElsewhere) {
    return wrong(
      about,
      `advertises ${where}, where another cluster (${dial.answer.clusterId}) answers. ${remedy}`,
    );
  }
  return fine(about, `advertises ${where}, and can be reached there`);
}

function reasonFor(dial: Dial, first: AnsweredDial): string {
  const trouble = asTrouble(dial);
  const { host, port } = dial.address;
  if (trouble !== 'refused') return advertisedReasons[trouble];
  if (host === first.address.host && port !== first.address.port)
    return `nothing listens on port ${port} there, while a broker answers on port ${first.address.port} of the same host`;
  return advertisedReasons.refused;
}

const advertisedReasons: Readonly<Record<DialTrouble, string>> = {
  'unknown-host': 'no DNS server that this device asks knows this host name',
  'no-route': 'there is no route from this device to that address',
  refused: 'nothing listens there, or the broker is down',
  timeout: 'nothing answers there: a firewall drops the packets, or the address belongs to an inner network',
  closed: 'what listens there closes the connection without an answer: no Kafka, or a listener with TLS',
  'needs-tls': 'that listener expects TLS, and forwarder.tls is not set',
  unintelligible: 'what answers there is not Kafka',
  'too-old': 'the Kafka there is too old; Headwater needs version 3.0 or later',
  'wants-login': 'that listener wants a login, and forwarder.sasl is not set',
};

/** The host that was reached, with the broker's own port where that is likely to be right. */
function exampleFor(first: AnsweredDial, dial: Dial): string {
  const { host, port } = first.address;
  const isAlone = first.answer.nodes.length === 1;
  return isAlone ? format({ host, port }) : `${host.includes(':') ? `[${host}]` : host}:${dial.address.port}`;
}

function surveyFindings(survey: Survey | string | null): readonly Finding[] {
  if (survey === null) return [];
  if (typeof survey === 'string')
    return [wrong('cluster', `the broker that answered has stopped answering: ${survey}; try again`)];
  return [
    topicsFinding(survey),
    checkpointFinding(survey),
    ...permissionFindings(survey),
    transactionFinding(survey),
  ];
}

function topicsFinding({ topics, checkpointTopic }: Survey): Finding {
  const mirrored = topics.filter((name) => name !== checkpointTopic);
  if (mirrored.length > 0) return fine('topics', mirrored.join(', '));
  return fine('topics', 'none of this gateway yet; it makes them when it has something to send');
}

function checkpointFinding({ topics, checkpointTopic: name, checkpointSettings: settings }: Survey): Finding {
  if (!topics.includes(name))
    return fine('checkpoint', `topic ${name} is not there yet; the gateway makes it`);
  if (settings === null) {
    const text = `topic ${name} is there, but its settings may not be seen; grant DescribeConfigs on it, or be sure that it has`;
    return fine('checkpoint', `${text} ${settingsText(', ')}`);
  }
  const fault = checkpointTopicFault(name, settings);
  if (fault === null) return fine('checkpoint', `topic ${name} is compacted, and stays small`);
  return (fault.kind === 'forgets' ? wrong : warning)('checkpoint', fault.text);
}

function permissionFindings({ permissions }: Survey): readonly Finding[] {
  const problems = permissions.flatMap(permissionProblems);
  if (problems.length === 0)
    return [fine('permissions', 'all topics may be written, or created where they are missing')];
  return problems.map((problem) => wrong('permissions', problem));
}

function transactionFinding({ transactionalId, transactionFailure }: Survey): Finding {
  if (transactionFailure !== null) return wrong('transactions', transactionFailure);
  if (transactionalId === null)
    return fine(
      'transactions',
      'not needed: forwarder.delivery is at-least-once, so records may arrive twice',
    );
  return fine('transactions', `there is a coordinator for transactional ids such as ${transactionalId}`);
}

const barredBy = ({ answer }: Dial): string | undefined =>
  typeof answer === 'object' && 'reason' in answer ? answer.reason : undefined;

const asTrouble = ({ answer }: Dial): DialTrouble => (typeof answer === 'string' ? answer : 'unintelligible');

/** Whether the address leads back to this very device. */
const isHere = ({ resolved }: Dial): boolean =>
  resolved.length > 0 && resolved.every((ip) => ip.startsWith('127.') || ip === '::1');

const fine = (about: string, text: string): Finding => ({ level: 'ok', about, text });

const warning = (about: string, text: string): Finding => ({ level: 'warning', about, text });

const wrong = (about: string, text: string): Finding => ({ level: 'wrong', about, text });

const format = ({ host, port }: BrokerAddress): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;
