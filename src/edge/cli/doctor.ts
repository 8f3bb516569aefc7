import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { gapsTopicName } from '../../core/topic-name.ts';
import type { TopicMapping } from '../../forwarder/cluster/topic-mapping.ts';
import type { Finding } from '../../forwarder/kafka/kafka-findings.ts';
import { isClockSet, systemTimeService } from '../../platform/clock-check.ts';
import { machineLocalTime } from '../../platform/local-time.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import { nodeRandom } from '../../platform/node-random.ts';
import { accessReader } from '../cluster-credentials.ts';
import type { Address } from '../config/address.ts';
import type { Config } from '../config/schema.ts';
import type { Machine } from '../machine.ts';
import { machineFindings } from '../machine-findings.ts';
import { portFindings } from '../port-findings.ts';
import { topicMapping } from '../topic-mapping.ts';
import { topicWriters } from '../topics.ts';
import { examineMachine } from './doctor-machine.ts';
import { examineNames, examineSources } from './doctor-network.ts';
import { examinePorts } from './doctor-ports.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { linkAdvice } from './link-rows.ts';
import type { Terminal } from './terminal.ts';

export interface DoctorRequest {
  /** Where to ask for the cluster. */
  readonly brokers: readonly Address[];
  readonly config: Config;
}

/**
 * `headwater doctor kafka`: dials the brokers and what they advertise, and says what is wrong and what to change.
 * Needs no running gateway. Ends with 1 if something is wrong, for which a warning does not count.
 * @throws OperatingError `bad-configuration` if there is no broker to ask
 */
export async function doctorKafka(
  request: DoctorRequest,
  terminal: Terminal,
  json: boolean,
): Promise<ExitCode> {
  return await tellFindings(await kafkaFindings(request), terminal, json);
}

/**
 * `headwater doctor`: the same of everything: the machine, the data folder, ports, names, and the cluster if one is configured. Needs no running
 * gateway, and disturbs none.
 */
export async function doctor(
  config: Config,
  machine: Pick<Machine, 'serialDevices'>,
  terminal: Terminal,
  json: boolean,
): Promise<ExitCode> {
  return await tellFindings(await allFindings(config, machine), terminal, json);
}

/** What the doctor finds at all. */
export async function allFindings(
  config: Config,
  machine: Pick<Machine, 'serialDevices'>,
): Promise<readonly Finding[]> {
  const { brokers } = config.forwarder;
  const ofMachine = machineFindings(await examineMachine(config));
  const ofPorts = portFindings(await examinePorts(config, machine));
  const ofKafka = brokers.length === 0 ? [] : await kafkaFindings({ config, brokers });
  // After the cluster, whose dials would wait behind names that nobody answers for; told before it, since it is more basic.
  const ofNames = await examineNames(config);
  return [...ofMachine, ...ofPorts, ...ofNames, ...(await examineSources(config)), ...ofKafka];
}

async function kafkaFindings(request: DoctorRequest): Promise<readonly Finding[]> {
  if (request.brokers.length === 0) {
    throw new OperatingError(
      'bad-configuration',
      'no cluster is configured: set forwarder.brokers, or name a broker with --broker host:port',
    );
  }
  // Loaded only now: the Kafka library takes as long to load as all other commands need to end.
  const [{ examineKafka }, { findingsOf }] = await Promise.all([
    import('../../forwarder/kafka/kafka-doctor.ts'),
    import('../../forwarder/kafka/kafka-findings.ts'),
  ]);
  const { brokers, config } = request;
  const clock = nodeClock;
  const mapping = topicMapping(config, true);
  const surroundings = { clock, random: nodeRandom, environment: process.env };
  const examination = await examineKafka({
    brokers,
    mapping,
    topics: mirroredTopics(config, mapping),
    readAccess: accessReader(config.forwarder, surroundings),
    delivery: config.forwarder.delivery,
    clock,
    timeoutMs: limits.doctorTimeoutMs,
  });
  const isTimeKnown = config.forwarder.waitForClock === 0 || (await isClockSet(systemTimeService));
  const local = isTimeKnown ? machineLocalTime(clock.wallMs()) : null;
  return [
    ...findingsOf(examination),
    ...linkAdvice(config.forwarder, local).map((text) => ({ level: 'ok', about: 'link', text }) as const),
  ];
}

/** For people a line each, and a conclusion; for programs one object. */
async function tellFindings(
  findings: readonly Finding[],
  terminal: Terminal,
  json: boolean,
): Promise<ExitCode> {
  const count = (wanted: Finding['level']): number => findings.filter(({ level }) => level === wanted).length;
  const wrongs = count('wrong');
  const code = wrongs === 0 ? exitCodes.ok : exitCodes.failed;
  if (json) {
    await terminal.output.write(`${JSON.stringify({ findings })}\n`);
    return code;
  }
  const width = Math.max(...findings.map(({ about }) => about.length));
  for (const { level, about, text } of findings)
    await terminal.output.write(`${marks[level]}  ${about.padEnd(width)}  ${text}\n`);
  await terminal.output.write(`${conclusion(wrongs, count('warning'))}\n`);
  return code;
}

const marks = { ok: 'ok   ', warning: 'warn ', wrong: 'WRONG' } as const;

function conclusion(wrongs: number, warnings: number): string {
  if (wrongs > 0) return wrongs === 1 ? '1 thing is wrong' : `${wrongs} things are wrong`;
  if (warnings > 0)
    return `nothing is wrong, but there ${warnings === 1 ? 'is 1 warning' : `are ${warnings} warnings`}`;
  return 'all is well';
}

/** Those that the configuration tells of, since no gateway need run. */
function mirroredTopics(config: Config, mapping: TopicMapping): readonly string[] {
  const known = new Set([...topicWriters(config).keys(), ...Object.keys(config.topics), gapsTopicName]);
  return [...known].filter((topic) => mapping.isMirrored(topic));
}
