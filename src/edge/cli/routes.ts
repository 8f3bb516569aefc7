import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Decoder } from '../../ingest/decode/decoder.ts';
import { deviceTimeOf, type TimeProblem } from '../../ingest/mqtt/routes/device-time.ts';
import {
  type Destination,
  destinationOf,
  type Route,
  type RouteProblem,
} from '../../ingest/mqtt/routes/route.ts';
import type { Unrouted } from '../../ingest/mqtt/routes/routing.ts';
import { counted } from './amounts.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

export interface RouteTest {
  readonly routes: readonly Route[];
  /** `mqtt.limits.topicLength`. */
  readonly topicBytesMax: number;
  readonly mqttTopic: string;
  /** How the records of topics are understood. */
  readonly decoders: ReadonlyMap<string, Decoder>;
  /** A payload to look for the time of the device in, and to decode. */
  readonly payload: Uint8Array | undefined;
  readonly json: boolean;
}

/**
 * `headwater routes test`: where a message of this MQTT topic would go by the configuration, without a running gateway. Exit code 1
 * if that is the default topic only because no route was followed.
 * @throws OperatingError `illegal-topic` if nobody can publish to it
 */
export async function testRoute(test: RouteTest, terminal: Terminal): Promise<ExitCode> {
  const { routes, topicBytesMax, mqttTopic, decoders, payload, json } = test;
  if (mqttTopic === '' || /[+#\0]/.test(mqttTopic) || Buffer.byteLength(mqttTopic) > topicBytesMax)
    throw new OperatingError(
      'illegal-topic',
      `nobody can publish to ${mqttTopic === '' ? 'an empty topic' : mqttTopic}; write the MQTT topic of a message, without + and #`,
    );
  const destination = destinationOf(routes, mqttTopic);
  const time = payload === undefined || destination.time === null ? null : timeIn(payload, destination.time);
  const { topic, key, partition, pattern, problem } = destination;
  const decoded = decodedText(decoders.get(topic), payload);
  const answer = {
    mqttTopic,
    route: pattern,
    topic,
    key,
    partition: partition ?? null,
    problem,
    time,
    decoded,
  };
  const text = json
    ? JSON.stringify(answer)
    : [...rows(destination, time), ...decodedRows(decoded)].join('\n');
  await terminal.output.write(`${text}\n`);
  return problem === null ? exitCodes.ok : exitCodes.failed;
}

/** What was not routed, for the status; empty if all was. */
export const unroutedRows = (unrouted: readonly Unrouted[]): readonly string[] =>
  unrouted.map(
    ({ mqttTopic, problem, messages }) =>
      `${mqttTopic}: ${counted(messages, 'message')}, ${sentences[problem]}`,
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

/** What the decoder makes of the payload, or what it finds wrong; null without a decoder. */
function decodedText(decoder: Decoder | undefined, payload: Uint8Array | undefined): string | null {
  if (decoder === undefined) return null;
  if (payload === undefined) return 'by the decoder (--payload tries one)';
  const decoded = decoder(payload);
  return 'value' in decoded ? Buffer.from(decoded.value).toString() : `nothing: ${decoded.problem}`;
}

const decodedRows = (decoded: string | null): readonly string[] =>
  decoded === null ? [] : [`readings   ${decoded}`];

const timeText = (path: string, time: number | TimeProblem | null): string => {
  if (time === null) return `from ${path} of the payload (--payload tries one)`;
  return typeof time === 'number'
    ? `${new Date(time).toISOString()}, from ${path} of the payload`
    : `the gateway's, since ${path} of the payload is ${time}`;
};

/** As if the clock was set, and right. */
const timeIn = (payload: Uint8Array, rule: NonNullable<Destination['time']>): number | TimeProblem =>
  deviceTimeOf(payload, rule, { isClockSet: true, wallMs: Date.now() });

const sentences: Readonly<Record<RouteProblem, string>> = {
  'no-route': 'no pattern of mqtt.routes stands for it',
  'illegal-topic': 'its route gives a topic that Kafka would refuse (letters, digits, ".", "_" and "-" only)',
  'reserved-topic': 'its route gives a topic that only the gateway writes to',
  'illegal-partition': `its route gives a partition that is no number below ${limits.partitionsPerTopicMax}`,
  'too-many-topics': `its route gives a new topic, and there are ${limits.partitionsMax} partitions already`,
};
