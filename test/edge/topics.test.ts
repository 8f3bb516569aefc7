import { expect, test } from 'vitest';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import { topicStatuses } from '../../src/edge/status.ts';
import { ensureTopics } from '../../src/edge/topics.ts';
import { MemoryLog } from '../support/memory-log.ts';

test('readings always exists, with one partition unless it is configured', async () => {
  const log = new MemoryLog();
  await ensureTopics(log, {}, [], silentLogger);
  expect(log.topics()).toEqual([{ name: 'readings', partitions: 1, settings: {} }]);
  const other = new MemoryLog();
  await ensureTopics(other, { readings: { partitions: 4 } }, [], silentLogger);
  expect(other.topics()).toEqual([{ name: 'readings', partitions: 4, settings: {} }]);
});

test('needed topics exist too, as they are configured or with one partition', async () => {
  const log = new MemoryLog();
  await ensureTopics(log, { b: { partitions: 3 } }, ['a', 'b'], silentLogger);
  await ensureTopics(log, {}, ['a', 'b'], silentLogger);
  const partitions = Object.fromEntries(log.topics().map((topic) => [topic.name, topic.partitions]));
  expect(partitions).toEqual({ readings: 1, a: 1, b: 3 });
});

test('configured topics are created or grown, others are left alone', async () => {
  const log = new MemoryLog();
  await log.createTopic('temperature', 1);
  await log.createTopic('made-by-hand', 3);
  await ensureTopics(log, { temperature: { partitions: 2 }, alarms: { partitions: 1 } }, [], silentLogger);
  const partitions = Object.fromEntries(log.topics().map((topic) => [topic.name, topic.partitions]));
  expect(partitions).toEqual({ temperature: 2, 'made-by-hand': 3, readings: 1, alarms: 1 });
});

test('a smaller number of partitions takes nothing away and is a warning', async () => {
  const log = new MemoryLog();
  await log.createTopic('temperature', 3);
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_fields, message) => void warnings.push(message) };
  await ensureTopics(log, { temperature: { partitions: 2 } }, [], logger);
  expect(log.topics()).toContainEqual({ name: 'temperature', partitions: 3, settings: {} });
  expect(warnings).toEqual([expect.stringMatching(/temperature keeps its 3 partitions/)]);
  await ensureTopics(log, { temperature: { partitions: 3 } }, [], logger);
  expect(warnings).toHaveLength(1);
});

test('the status groups partitions by topic, each in its order', () => {
  const info = (topic: string, partition: number) => ({
    topic,
    partition,
    logStartOffset: 1,
    highWatermark: 5,
  });
  const grouped = topicStatuses([info('b', 0), info('a', 0), info('b', 2), info('b', 1)]);
  expect(grouped.map(({ name, partitions }) => [name, partitions.map(({ partition }) => partition)])).toEqual(
    [
      ['b', [0, 1, 2]],
      ['a', [0]],
    ],
  );
});
