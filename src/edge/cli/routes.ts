import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { deviceTimeOf, type TimeProblem } from '../../ingest/mqtt/routes/device-time.ts';
import {
  type Destination,
  destinationOf,
  type Route,
  type RouteProblem,
} from '../../ingest/mqtt/routes/route.ts';
import type { Unrouted } from '../../ingest/mqtt/routes/routing.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

export interface RouteTest {
  readonly routes: readonly Route[];
  /** `mqtt.limits.topicLength`. */
  readonly topicBytesMax: number;
  readonly mqttTopic: string;
  /** A payload to look for the time of the device in. */
  readonly payload: string | undefined;
  readonly json: boolean;
}

/**
 * `headwater routes test`: where a message of this MQTT topic would go by the configuration, without a running gateway. Exit code 1
 * if that is the default topic only because no route was followed.
 * @throws OperatingError `illegal-topic` if nobody can publish to it
 */
export async function testRoute(test: RouteTest, terminal: Terminal): Promise<ExitCode> {
  const { routes, topicBytesMax, mqttTopic, payload, json } = test;
  if (mqttTopic === '' || /[+#\0]/.test(mqttTopic) || Buffer.byteLength(mqttTopic) > topicBytesMax)
    throw new OperatingError(
      'illegal-topic',
      `nobody can publish to ${mqttTopic === '' ? 'an empty topic' : mqttTopic}; write the MQTT topic of a message, without + and #`,
    );
  const destination = destinationOf(routes, mqttTopic);
  const time = payload === undefined || destination.time === null ? null : timeIn(payload, destination.time);
  const { topic, key, partition, pattern, problem } = destination;
  const answer = { mqttTopic, route: pattern, topic, key, partition: partition ?? null, problem, time };
  const text = json ? JSON.stringify(answer) : rows(destination, time).join('\n');
  await terminal.output.write(`${text}\n`);
  return problem === null ? exitCodes.ok : exitCodes.failed;
}

/** What was not routed, for the status; empty if all was. */
export const unroutedRows = (unrouted: readonly Unrouted[]): readonly string[] =>
  unrouted.map(
    ({ mqttTopic, problem, messages }) => `${mqttTopic}: ${messages} messages, ${sentences[problem]}`,
  );

function rows(destination: Destination, time: number | TimeProblem | null): readonly string[] {
  const { topic, key, partition, pattern, problem, time: rule } = destination;
  return [
    `route      ${pattern ?? 'none'}${problem === null ? '' : `: ${sentences[problem]}`}`,
    `topic      ${topic}`,
    `key        ${key}`,
    `partition  ${partition ?? 'by the key'}`,
    `time       ${rule === null ? "the gateway's" : timeText(rule.path.join('.'), time)}`,
  ];
}

const timeText = (path: string, time: number | TimeProblem | null): string => {
  if (time === null) return `from ${path} of the payload (--payload tries one)`;
  return typeof time === 'number'
    ? `${new Date(time).toISOString()}, from ${path} of the payload`
    : `the gateway's, since ${path} of the payload is ${time}`;
};

/** As if the clock was set, and right. */
const timeIn = (payload: string, rule: NonNullable<Destination['time']>): number | TimeProblem =>
  deviceTimeOf(Buffer.from(payload), rule, { isClockSet: true, wallMs: Date.now() });

const sentences: Readonly<Record<RouteProblem, string>> = {
  'no-route': 'no pattern of mqtt.routes stands for it',
  'illegal-topic': 'its route gives a topic that Kafka would refuse (letters, digits, ".", "_" and "-" only)',
  'reserved-topic': 'its route gives a topic that only the gateway writes to',
  'illegal-partition': `its route gives a partition that is no number below ${limits.partitionsPerTopicMax}`,
  'too-many-topics': `its route gives a new topic, and there are ${limits.partitionsMax} partitions already`,
};
