import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { TopicCreation } from '../../src/forwarder/cluster/target.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import { Forwarder } from '../../src/forwarder/forwarder.ts';
import {
  checkpointTopicFault,
  checkpointTopicSettings,
  settingsText,
} from '../../src/forwarder/kafka/checkpoint-topic.ts';
import { openAccess } from '../../src/forwarder/kafka/cluster-access.ts';
import { KafkaTarget } from '../../src/forwarder/kafka/kafka-target.ts';
import { SharedLink } from '../../src/forwarder/kafka/link-share.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { seededRandom, until, VirtualClock } from '../support/virtual-time.ts';
import { type FakeServer, fakeBroker } from './fake-broker.ts';

const TOPIC = 'gw1.headwater-checkpoint';
/** Whatever is wrong, the same command makes all of it right. */
const CORRECTION =
  'kafka-configs.sh --alter --entity-type topics --entity-name gw1.headwater-checkpoint --add-config cleanup.policy=compact,' +
  'segment.ms=300000,segment.bytes=1048576,min.cleanable.dirty.ratio=0.1,delete.retention.ms=60000';
/** Of Kafka itself, for a topic that is compacted and no more. */
const KAFKAS_OWN = {
  'cleanup.policy': 'compact',
  'segment.ms': '604800000',
  'segment.bytes': '1073741824',
  'min.cleanable.dirty.ratio': '0.5',
  'delete.retention.ms': '86400000',
};

const faultOf = (settings: Record<string, string>) =>
  checkpointTopicFault(TOPIC, new Map(Object.entries(settings)));

describe('a checkpoint topic', () => {
  test('is right as the gateway makes it, with smaller settings, and with such as are not told', () => {
    expect(faultOf(checkpointTopicSettings)).toBeNull();
    expect(faultOf({ ...checkpointTopicSettings, 'segment.ms': '60000' })).toBeNull();
    expect(faultOf({})).toBeNull();
  });

  test.each(['delete', 'compact,delete'])('forgets what has arrived with cleanup.policy=%s', (policy) => {
    const fault = faultOf({ ...KAFKAS_OWN, 'cleanup.policy': policy });
    expect(fault?.kind).toBe('forgets');
    expect(fault?.text).toBe(
      `topic ${TOPIC} has cleanup.policy=${policy}, so the cluster would forget what has arrived. Set it: ${CORRECTION}`,
    );
  });

  test("grows with Kafka's own settings, and with each of them alone", () => {
    const { text } = faultOf(KAFKAS_OWN) ?? {};
    expect(text).toContain(
      'with segment.ms=604800000 instead of 300000, segment.bytes=1073741824 instead of 1048576, ' +
        'min.cleanable.dirty.ratio=0.5 instead of 0.1, delete.retention.ms=86400000 instead of 60000, and',
    );
    expect(text?.endsWith(`Set it: ${CORRECTION}`)).toBe(true);
    for (const [name, value] of Object.entries(KAFKAS_OWN).slice(1)) {
      const fault = faultOf({ ...checkpointTopicSettings, [name]: value });
      expect(fault?.kind).toBe('grows');
      expect(fault?.text).toContain(`with ${name}=${value} instead of ${checkpointTopicSettings[name]}, and`);
    }
  });
});

const brokerWith = (settings: Record<string, string>, topics = [TOPIC]): Promise<FakeServer> =>
  fakeBroker((own) => ({ clusterId: 'c', nodes: [{ id: 1, address: own }], topics, settings }));

const addressOf = ({ address }: FakeServer): string => `${address.host}:${address.port}`;

async function prepared(broker: FakeServer, creation: TopicCreation) {
  const advice: string[] = [];
  const target = new KafkaTarget({
    brokers: [addressOf(broker)],
    readAccess: openAccess,
    clock: nodeClock,
    share: new SharedLink(nodeClock, null).shareOf('bulk'),
    advise: (text) => advice.push(text),
  });
  const failure = await target.prepare({
    transactionalId: 'headwater-1-bulk',
    othersToEnd: [],
    topics: [],
    creation,
    checkpointTopic: TOPIC,
    checkpointKeyPrefixes: ['1/'],
  });
  await target.close();
  return { failure, advice };
}

test('the README gives the same settings as the gateway does', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(`--partitions 1 --config ${settingsText(' --config ')}\n`);
  expect(readme).toContain(`--entity-name ${TOPIC} --add-config ${settingsText(',')}\n`);
});

describe('a session', () => {
  test('is refused by a topic that forgets, with the command that mends it', async () => {
    await using broker = await brokerWith({ ...KAFKAS_OWN, 'cleanup.policy': 'delete' });
    const { failure, advice } = await prepared(broker, { allowed: true });
    expect(failure?.kind).toBe('refused');
    expect(failure?.message.endsWith(CORRECTION)).toBe(true);
    expect(advice).toEqual([]);
  });

  test('begins with a topic that grows, and advises the command', async () => {
    await using broker = await brokerWith(KAFKAS_OWN);
    const { failure, advice } = await prepared(broker, { allowed: true });
    expect(failure).toBeNull();
    expect(advice).toEqual([expect.stringContaining(CORRECTION)]);
  });

  test('has nothing to advise with a topic as the gateway makes it', async () => {
    await using broker = await brokerWith(checkpointTopicSettings);
    expect(await prepared(broker, { allowed: true })).toEqual({ failure: null, advice: [] });
  });

  test('names the whole command where it may not make the topic itself', async () => {
    await using broker = await brokerWith({}, []);
    const { failure } = await prepared(broker, { allowed: false });
    expect(failure?.message).toContain(
      `kafka-topics.sh --create --topic ${TOPIC} --partitions 1 --config cleanup.policy=compact --config segment.ms=300000 ` +
        '--config segment.bytes=1048576 --config min.cleanable.dirty.ratio=0.1 --config delete.retention.ms=60000',
    );
  });
});

test('the service log hears of a topic that grows once, however many sessions both lanes begin', async () => {
  await using broker = await brokerWith(KAFKAS_OWN, [TOPIC, 'gw1.readings', 'gw1.alarms']);
  const lines: string[] = [];
  const say = (_fields: object, message: string): void => void lines.push(message);
  const logger: Logger = { ...silentLogger, info: say, warn: say, error: say };
  const log = new LogWithLives();
  log.createTopic('readings', 1);
  log.createTopic('alarms', 1, { lane: 'alarm' });
  const clock = new VirtualClock();
  const forwarder = new Forwarder({
    log,
    brokers: [addressOf(broker)],
    mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }),
    lingerMs: 0,
    onCheckpointLost: 'resume',
    board: null,
    clock,
    random: seededRandom(1),
    logger,
    metrics: noMetrics,
  });
  forwarder.start();
  // The coordinator that this broker names is not there, so sessions begin again and again.
  await until('several sessions', () => clock.sleeps.length >= 6);
  await forwarder.stop();
  expect(lines.filter((line) => line.includes('grows large'))).toHaveLength(1);
});
