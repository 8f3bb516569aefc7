import { isDeepStrictEqual } from 'node:util';
import { OperatingError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import {
  anomaliesTopicName,
  clockTopicName,
  deadLettersTopicName,
  gapsTopicName,
  readingsTopicName,
} from '../core/topic-name.ts';
import { isFixed } from '../ingest/mqtt/routes/route.ts';
import type { TopicInfo, TopicSettings } from '../log/types.ts';
import type { Config, TopicConfig } from './config/schema.ts';

/** What {@link ensureTopics} asks of the log. */
export interface TopicStore {
  topics(): readonly TopicInfo[];
  createTopic(name: string, partitions: number, settings?: TopicSettings): Promise<void>;
  growTopic(name: string, partitions: number): Promise<void>;
  setTopic(name: string, settings: TopicSettings): Promise<void>;
}

/** The topics that something of the gateway writes to by itself, each with what does, in words. */
export type TopicWriters = ReadonlyMap<string, readonly string[]>;

/** Who writes where by this configuration. These topics have to exist. */
export function topicWriters({
  serial,
  modbus,
  mqtt,
  anomaly,
}: Pick<Config, 'serial' | 'modbus' | 'mqtt' | 'anomaly'>): TopicWriters {
  const ports = serial.map(({ name }) => `the serial port ${name}`);
  const units = modbus.flatMap((bus) => bus.units);
  const sources = [...ports, ...mqtt.sources.map(({ name }) => `the broker ${name}`)];
  // Where every message lands that no route sends elsewhere: it always exists.
  const writers = new Map<string, readonly string[]>([[readingsTopicName, ['MQTT', ...sources]]]);
  for (const { topic, match } of mqtt.routes)
    if (isFixed(topic)) writers.set(topic, [...(writers.get(topic) ?? []), `the route ${match.text}`]);
  for (const { name, topic } of units)
    writers.set(topic, [...(writers.get(topic) ?? []), `the Modbus unit ${name}`]);
  const unreadable = [...sources, ...modbus.map(({ name }) => `the Modbus bus ${name}`)];
  if (unreadable.length > 0) writers.set(deadLettersTopicName, unreadable);
  if (anomaly.enabled) {
    writers.set(anomaliesTopicName, ['anomaly detection']);
    const { verdicts } = anomaly;
    if (verdicts !== undefined) writers.set(verdicts, [...(writers.get(verdicts) ?? []), 'other models']);
  }
  return writers;
}

/** The same with the topics that only the gateway writes to, whatever the configuration says. */
export const withOwnTopics = (writers: TopicWriters): TopicWriters =>
  new Map([
    ...writers,
    [gapsTopicName, ['the loss ledger']],
    [clockTopicName, ['what the log tells of the clock']],
  ]);

/** How topics of the gateway's own are made unless the configuration names them: alarms never wait behind readings (P7). */
const ownSettings: ReadonlyMap<string, TopicSettings> = new Map([[anomaliesTopicName, { lane: 'alarm' }]]);

/**
 * Makes the configured topics exist with at least so many partitions and exactly their settings, and those in
 * `needed` with at least one partition. Other topics keep what they have. A topic never shrinks and none is deleted:
 * a smaller number is a warning, because a configuration must not destroy data.
 * @throws OperatingError as the log's `createTopic`, `growTopic` and `setTopic`
 */
export async function ensureTopics(
  log: TopicStore,
  configured: Readonly<Record<string, TopicConfig>>,
  needed: Iterable<string>,
  logger: Logger,
): Promise<void> {
  const existing = new Map(log.topics().map((topic) => [topic.name, topic]));
  for (const name of needed) {
    if (!existing.has(name) && !(name in configured)) await log.createTopic(name, 1, ownSettings.get(name));
  }
  for (const [name, { partitions, settings }] of Object.entries(configured)) {
    const present = existing.get(name);
    if (present === undefined) {
      await log.createTopic(name, partitions, settings);
      continue;
    }
    if (present.partitions < partitions) {
      await log.growTopic(name, partitions);
    } else if (present.partitions > partitions) {
      logger.warn(
        { topic: name, partitions: present.partitions, configured: partitions },
        `topic ${name} keeps its ${present.partitions} partitions: partitions only grow. Set ` +
          `topics.${name}.partitions to ${present.partitions} to end this warning.`,
      );
    }
    if (isDeepStrictEqual(present.settings, settings)) continue;
    await log.setTopic(name, settings);
    logger.info({ topic: name, settings, before: present.settings }, `topic ${name} has new settings`);
  }
}

/**
 * Makes sure, before anything is changed, that {@link ensureTopics} will find room for all of it.
 * @throws OperatingError `too-many-partitions`
 */
export function checkRoom(
  log: Pick<TopicStore, 'topics'>,
  configured: Readonly<Record<string, TopicConfig>>,
  needed: Iterable<string>,
): void {
  const partitions = new Map(log.topics().map((topic) => [topic.name, topic.partitions]));
  const grow = (name: string, count: number): unknown =>
    partitions.set(name, Math.max(count, partitions.get(name) ?? 0));
  for (const name of needed) grow(name, 1);
  for (const [name, topic] of Object.entries(configured)) grow(name, topic.partitions);
  const total = partitions.values().reduce((sum, count) => sum + count, 0);
  if (total <= limits.partitionsMax) return;
  throw new OperatingError(
    'too-many-partitions',
    `with these topics the gateway would have ${total} partitions, above its limit of ${limits.partitionsMax}; write fewer topics ` +
      'or partitions, or delete a topic that nobody uses: headwater topics delete NAME',
  );
}
