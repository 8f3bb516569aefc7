import { limits } from '../../core/limits.ts';
import { isLegalTopicName, readingsTopicName } from '../../core/topic-name.ts';
import { type TimeRule, type TimeUnit, timeUnits } from '../../ingest/mqtt/routes/device-time.ts';
import { isFixed, isOwnTopic, type Route, unknownNames } from '../../ingest/mqtt/routes/route.ts';
import { parsePattern } from '../../ingest/mqtt/routes/topic-pattern.ts';
import type { DecoderConfig } from '../registry.ts';
import { decoderSection } from './decoder-section.ts';
import { type CheckContext, choice, list, section, text, wholeNumber } from './setting-kinds.ts';

/** `mqtt.routes`. The first one whose pattern stands for the MQTT topic of a message counts. */
export const routeList = () =>
  list(
    section({
      /** MQTT topics: with `+` or `{name}` for one level, `#` or `{name#}` for the rest. */
      match: routeText('a pattern of MQTT topics, such as sensors/{device}/temperature'),
      /** The topic of the log; `{name}` is what that level was. */
      topic: routeText('a topic, such as temperature or {kind}'),
      /** Without it the MQTT topic. */
      key: routeText('a key, such as {device}').optional(),
      /** Without it the key decides. */
      partition: wholeNumber(0, limits.partitionsPerTopicMax - 1)
        .or(routeText(`a partition from 0 to ${limits.partitionsPerTopicMax - 1}, or {name}`))
        .optional(),
      /** Where the payload, which is JSON, has the time of the device. */
      time: section({
        /** Names of members with dots between them, such as `meta.at`. */
        path: routeText('where the time is in the JSON, such as ts or meta.at'),
        unit: choice(timeUnits),
      }).optional(),
      /** How to find series in payloads that are no JSON; the payload is stored as it is. */
      decoder: decoderSection().optional(),
    }).superRefine(checkRoute),
    "routes, such as [{ match: 'sensors/{device}/temperature', topic: temperature, key: '{device}' }]",
    limits.mqttRoutesMax,
  ).superRefine(checkDecoders);

/** A route, and how its payloads are understood. */
export interface RouteConfig extends Route {
  /** Null for JSON and plain numbers, in which series are found without one. */
  readonly decoder: DecoderConfig | null;
}

interface RouteSettings {
  readonly match: string;
  readonly topic: string;
  readonly key?: string | undefined;
  readonly partition?: number | string | undefined;
  readonly time?: { readonly path: string; readonly unit: TimeUnit } | undefined;
  readonly decoder?: DecoderConfig | undefined;
}

/** Settings that have passed the checks of {@link routeList}, as MQTT ingest needs them. */
export function routeOf({ match, topic, key, partition, time, decoder }: RouteSettings): RouteConfig {
  const pattern = parsePattern(match);
  if ('problem' in pattern) throw new Error(`broken assumption: the pattern ${match} was checked`);
  return {
    match: pattern,
    topic,
    key: key ?? null,
    partition: partition === undefined ? null : String(partition),
    time: time === undefined ? null : timeRule(time),
    decoder: decoder ?? null,
  };
}

const timeRule = ({ path, unit }: NonNullable<RouteSettings['time']>): TimeRule => ({
  path: path.split('.'),
  unit,
});

const routeText = (what: string) =>
  text(what, (value) => value !== '' && Buffer.byteLength(value) <= limits.topicPatternBytesMax);

function checkRoute(route: RouteSettings, context: CheckContext): void {
  const complain = (setting: keyof RouteSettings, message: string): void => {
    context.addIssue({ code: 'custom', path: [setting], message, input: route });
  };
  const pattern = parsePattern(route.match);
  if ('problem' in pattern) {
    complain('match', pattern.problem);
    return;
  }
  for (const setting of ['topic', 'key', 'partition'] as const) {
    const [unknown] = unknownNames(String(route[setting] ?? ''), pattern);
    if (unknown !== undefined)
      complain(setting, `name a level {${unknown}} in match, or do not use {${unknown}} here`);
  }
  const { topic, partition } = route;
  if (isFixed(topic) && !isLegalTopicName(topic))
    complain('topic', `write 1 to ${limits.topicNameLengthMax} letters, digits, ".", "_" or "-"`);
  if (isOwnTopic(topic))
    complain('topic', 'choose another topic; only the gateway itself writes to this one');
  if (typeof partition === 'string' && isFixed(partition))
    complain('partition', `write a whole number from 0 to ${limits.partitionsPerTopicMax - 1}, or {name}`);
}

/** Series are looked for topic by topic: records of one topic are decoded in one way. */
function checkDecoders(routes: readonly RouteSettings[], context: CheckContext): void {
  routes.forEach(({ topic, decoder }, index) => {
    if (decoder === undefined) return;
    const complain = (message: string): void =>
      context.addIssue({ code: 'custom', path: [index, 'topic'], message, input: routes });
    if (!isFixed(topic)) complain('write a topic without {name}: a decoder needs a topic of its own');
    if (topic === readingsTopicName)
      complain(`choose another topic than ${topic}, where all sorts come: a decoder needs one of its own`);
    const own = JSON.stringify(decoder);
    const other = routes.findIndex((one) => one.topic === topic && JSON.stringify(one.decoder) !== own);
    if (other !== -1)
      complain(`choose another topic than that of mqtt.routes.${other}, or give both the same decoder`);
  });
}
