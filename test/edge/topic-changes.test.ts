import { beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { TopicChanges } from '../../src/edge/topic-changes.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import { MemoryLog } from '../support/memory-log.ts';

let log: MemoryLog;
let topics: TopicChanges;

beforeEach(async () => {
  log = new MemoryLog();
  const configured = { fixed: { partitions: 1, settings: { priority: 9 } } };
  const writers = new Map([
    ['readings', ['MQTT', 'the serial port wind', 'the serial port rain']],
    ['dead-letters', ['the serial port wind']],
  ]);
  topics = new TopicChanges({
    log,
    mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }),
    configured,
    writers,
  });
  for (const name of ['readings', 'dead-letters', 'air']) await log.createTopic(name, 2);
  await log.createTopic('fixed', 1, { priority: 9 });
});

const settingsOf = (name: string) => log.topics().find((topic) => topic.name === name)?.settings;

describe('a topic that the configuration names', () => {
  const where = /edit topics\.fixed in the configuration file .* headwater reload/;

  test('is neither created nor changed by anybody else, who is told where to', async () => {
    await expect(topics.create('fixed', 1, {})).rejects.toMatchObject({
      code: 'topic-configured',
      message: expect.stringMatching(where),
    });
    for (const change of [{ partitions: 2 }, { settings: { priority: 1 } }])
      await expect(topics.change('fixed', change)).rejects.toMatchObject({
        code: 'topic-configured',
        message: expect.stringMatching(where),
      });
    expect(log.topics()).toContainEqual({ name: 'fixed', partitions: 1, settings: { priority: 9 } });
  });

  test('is not deleted, because it would come back', async () => {
    await expect(topics.delete('fixed')).rejects.toMatchObject({
      code: 'topic-configured',
      message: expect.stringMatching(/take topics\.fixed out of the configuration file/),
    });
    expect(settingsOf('fixed')).toBeDefined();
  });

  test('is described as such', () => {
    expect(topics.describe('fixed')).toMatchObject({
      isConfigured: true,
      settings: { priority: { value: 9, source: 'configuration' } },
    });
  });
});

describe('a topic that something writes to', () => {
  test.each([
    ['readings', 'MQTT, the serial port wind and the serial port rain would have nowhere to write to'],
    ['dead-letters', 'the serial port wind would have nowhere to write to'],
  ])('%s is not deleted, and who writes is named', async (name, words) => {
    await expect(topics.delete(name)).rejects.toMatchObject({
      code: 'topic-in-use',
      message: expect.stringContaining(words),
    });
    expect(settingsOf(name)).toBeDefined();
  });

  test('is told how its records go instead, where its settings are changed', async () => {
    await expect(topics.delete('readings')).rejects.toThrow(
      'such as: headwater topics set readings --retention-age 1h',
    );
    const configured = { readings: { partitions: 1, settings: {} } };
    const ofConfiguration = new TopicChanges({
      log,
      mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }),
      configured,
      writers: new Map([['readings', ['MQTT']]]),
    });
    await expect(ofConfiguration.delete('readings')).rejects.toThrow('topics.readings.retention.age: 1h');
  });

  test('is changed like others, and described with its writers', async () => {
    await topics.change('dead-letters', { settings: { priority: 1 } });
    expect(settingsOf('dead-letters')).toEqual({ priority: 1 });
    expect(topics.describe('dead-letters').writers).toEqual(['the serial port wind']);
  });
});

describe('another configuration', () => {
  const writersOf = (...names: readonly string[]): Map<string, readonly string[]> =>
    new Map(names.map((name) => [name, ['MQTT']]));

  test('has its topics made and set, and those that are written to; who is named in it no longer is changed elsewhere', async () => {
    const wanted = {
      air: { partitions: 3, settings: { priority: 2 } },
      water: { partitions: 1, settings: {} },
    };
    await topics.reconfigure(wanted, writersOf('readings', 'wind'), silentLogger);
    expect(log.topics()).toContainEqual({ name: 'air', partitions: 3, settings: { priority: 2 } });
    expect(settingsOf('water')).toEqual({});
    expect(settingsOf('wind')).toEqual({});
    await expect(topics.change('air', { partitions: 4 })).rejects.toMatchObject({ code: 'topic-configured' });
    await expect(topics.delete('wind')).rejects.toMatchObject({ code: 'topic-in-use' });
    await expect(topics.delete('gaps')).rejects.toMatchObject({ code: 'unknown-topic' });
    expect(settingsOf('fixed')).toEqual({ priority: 9 });
    await topics.change('fixed', { settings: { priority: 1 } });
    expect(topics.describe('fixed')).toMatchObject({ isConfigured: false });
  });

  test('changes nothing if there is no room for all of it, or the cluster would refuse a topic of it', async () => {
    const before = structuredClone(log.topics());
    const one = { air: { partitions: 3, settings: {} } };
    const many = Object.fromEntries(
      Array.from({ length: 4 }, (_, index) => [`t${index}`, { partitions: 64, settings: {} }]),
    );
    await expect(
      topics.reconfigure({ ...one, ...many }, writersOf('readings'), silentLogger),
    ).rejects.toMatchObject({ code: 'too-many-partitions' });
    const long = { [`${'a'.repeat(246)}`]: { partitions: 1, settings: {} } };
    await expect(
      topics.reconfigure({ ...one, ...long }, writersOf('readings'), silentLogger),
    ).rejects.toMatchObject({ code: 'illegal-topic' });
    expect(log.topics()).toEqual(before);
    await expect(topics.change('fixed', { partitions: 2 })).rejects.toMatchObject({
      code: 'topic-configured',
    });
  });
});

test('a topic that the cluster would refuse is not created', async () => {
  const longest = 'a'.repeat(249 - 'gw1.'.length);
  for (const name of ['headwater-checkpoint', `${longest}a`])
    await expect(topics.create(name, 1, {})).rejects.toMatchObject({ code: 'illegal-topic' });
  await topics.create(longest, 1, {});
  expect(settingsOf(longest)).toBeDefined();
});

describe('any other topic', () => {
  test('is changed in what is named only', async () => {
    await topics.change('air', { settings: { priority: 1, retention: { bytes: 5 } } });
    await topics.change('air', { settings: { retention: { ageMs: 6 } } });
    await topics.change('air', { partitions: 3 });
    expect(log.topics()).toContainEqual({
      name: 'air',
      partitions: 3,
      settings: { priority: 1, retention: { bytes: 5, ageMs: 6 } },
    });
  });

  test('is not undone by another change at the same time', async () => {
    await Promise.all([
      topics.change('air', { partitions: 3, settings: { priority: 1 } }),
      topics.change('air', { partitions: 3, settings: { compression: 'gzip' } }),
    ]);
    expect(settingsOf('air')).toEqual({ priority: 1, compression: 'gzip' });
  });

  test('does not shrink, and nothing else of the change is done then', async () => {
    const change = topics.change('air', { partitions: 1, settings: { priority: 1 } });
    await expect(change).rejects.toMatchObject({ code: 'illegal-partition' });
    expect(settingsOf('air')).toEqual({});
  });

  test('takes no contradictory settings, and nothing else of the change is done then', async () => {
    const settings = { dropUnforwarded: true } as const;
    for (const refused of [
      topics.create('new', 1, settings),
      topics.change('air', { partitions: 3, settings }),
    ])
      await expect(refused).rejects.toMatchObject({ code: 'contradictory-settings' });
    expect(log.topics()).toContainEqual({ name: 'air', partitions: 2, settings: {} });
    expect(settingsOf('new')).toBeUndefined();
  });

  test('is deleted, then unknown, and the next change is served all the same', async () => {
    await topics.delete('air');
    await expect(topics.delete('air')).rejects.toMatchObject({
      code: 'unknown-topic',
      message: 'there is no topic air; there are: readings, dead-letters, fixed',
    });
    await expect(topics.change('air', { partitions: 4 })).rejects.toMatchObject({ code: 'unknown-topic' });
    expect(settingsOf('air')).toBeUndefined();
    await topics.create('air', 1, { compression: 'none' });
    expect(settingsOf('air')).toEqual({ compression: 'none' });
  });
});
