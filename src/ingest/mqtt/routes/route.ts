import { limits } from '../../../core/limits.ts';
import { isLegalTopicName, ownTopicNames, readingsTopicName } from '../../../core/topic-name.ts';
import type { TimeRule } from './device-time.ts';
import { type Captures, matchPattern, namesOf, type TopicPattern } from './topic-pattern.ts';

/** Where messages go whose MQTT topic a pattern stands for. In `topic`, `key` and `partition`, `{name}` is what that level was. */
export interface Route {
  readonly match: TopicPattern;
  readonly topic: string;
  /** Without one, the MQTT topic is the key. */
  readonly key: string | null;
  /** Without one, the key decides. */
  readonly partition: string | null;
  readonly time: TimeRule | null;
}

/** Why a message goes to the default topic though there are routes. */
export const routeProblems = [
  'no-route',
  'illegal-topic',
  'reserved-topic',
  'illegal-partition',
  'too-many-topics',
] as const;

export type RouteProblem = (typeof routeProblems)[number];

/** Where a message goes. */
export interface Destination {
  readonly topic: string;
  readonly key: string;
  readonly partition: number | undefined;
  readonly time: TimeRule | null;
  /** The pattern of the route, null if none stands for the topic. */
  readonly pattern: string | null;
  readonly problem: RouteProblem | null;
}

/** The topics that only the gateway writes to. */

/** Where messages of an MQTT topic go: by the first route that stands for it. Pure. */
export function destinationOf(routes: readonly Route[], mqttTopic: string): Destination {
  const levels = mqttTopic.split('/');
  for (const route of routes) {
    const captures = matchPattern(route.match, levels);
    if (captures !== null) return routed(route, captures, mqttTopic);
  }
  return byDefault(mqttTopic, null, routes.length === 0 ? null : 'no-route');
}

/** The default topic, by the MQTT topic as key. */
export const byDefault = (
  mqttTopic: string,
  pattern: string | null,
  problem: RouteProblem | null,
): Destination => ({
  topic: readingsTopicName,
  key: mqttTopic,
  partition: undefined,
  time: null,
  pattern,
  problem,
});

/** The words in braces that a template uses and its pattern does not name. */
export function unknownNames(template: string, pattern: TopicPattern): readonly string[] {
  const known = new Set(namesOf(pattern));
  return [...template.matchAll(placeholder)].flatMap(([, name = '']) => (known.has(name) ? [] : [name]));
}

/** Whether the text has no placeholders, so that it is the same for every message. */
export const isFixed = (template: string): boolean => !/[{}]/.test(template);

/** Whether only the gateway itself writes to the log topic. */
export const isOwnTopic = (topic: string): boolean => ownTopicNames.has(topic);

function routed(
  { match, topic: template, key, partition, time }: Route,
  captures: Captures,
  mqttTopic: string,
) {
  const topic = expanded(template, captures);
  if (!isLegalTopicName(topic)) return byDefault(mqttTopic, match.text, 'illegal-topic');
  if (isOwnTopic(topic)) return byDefault(mqttTopic, match.text, 'reserved-topic');
  const number = partition === null ? undefined : partitionNumber(expanded(partition, captures));
  if (number === null) return byDefault(mqttTopic, match.text, 'illegal-partition');
  return {
    topic,
    key: key === null ? mqttTopic : expanded(key, captures),
    partition: number,
    time,
    pattern: match.text,
    problem: null,
  };
}

const placeholder = /\{([^{}]*)\}/g;

const expanded = (template: string, captures: Captures): string =>
  template.replaceAll(placeholder, (_, name: string) => captures.get(name) ?? '');

/** Null if there can be no such partition. */
function partitionNumber(text: string): number | null {
  if (!/^\d{1,4}$/.test(text)) return null;
  const number = Number(text);
  return number < limits.partitionsPerTopicMax ? number : null;
}
