import { describe, expect, test, vi } from 'vitest';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import { routeOf } from '../../src/edge/config/route-section.ts';
import { topicStatuses } from '../../src/edge/status.ts';
import { ensureTopics, topicWriters } from '../../src/edge/topics.ts';
import { defaultMqttLimits } from '../../src/ingest/mqtt/mqtt-limits.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { serialPort } from '../support/serial-port-config.ts';

test('a needed topic exists, with one partition unless it is configured', async () => {
  const log = new MemoryLog();
  await ensureTopics(log, {}, ['readings'], silentLogger);
  expect(log.topics()).toEqual([{ name: 'readings', partitions: 1, settings: {} }]);
  const other = new MemoryLog();
  await ensureTopics(other, { readings: { partitions: 4, settings: {} } }, ['readings'], silentLogger);
  expect(other.topics()).toEqual([{ name: 'readings', partitions: 4, settings: {} }]);
});

test('alerts have a topic that passes any backlog, unless the configuration wants it otherwise', async () => {
  const log = new MemoryLog();
  await ensureTopics(log, {}, ['anomalies'], silentLogger);
  expect(log.topics()).toEqual([{ name: 'anomalies', partitions: 1, settings: { lane: 'alarm' } }]);
  const other = new MemoryLog();
  const configured = { anomalies: { partitions: 2, settings: { lane: 'bulk' as const } } };
  await ensureTopics(other, configured, ['anomalies'], silentLogger);
  expect(other.topics()).toEqual([{ name: 'anomalies', partitions: 2, settings: { lane: 'bulk' } }]);
});

test('what writes to a topic makes it needed: MQTT always, serial ports and brokers also dead letters, and routes to one topic', () => {
  const mqtt = { listen: { host: '127.0.0.1', port: 0 }, limits: defaultMqttLimits, routes: [], sources: [] };
  const url = { host: 'b', port: 1883, isTls: false, text: 'mqtt://b:1883' };
  const login = { clientId: undefined, username: undefined, password: undefined };
  const plant = { name: 'plant', url, topics: ['#'], qos: 2 as const, ...login, tls: {} };
  const anomaly = { enabled: false, topics: ['*'], series: [], seriesMax: 1, stateBytesPerDay: 1 };
  const serial = [serialPort('wind', '/dev/ttyUSB0')];
  expect([...topicWriters({ serial: [], modbus: [], mqtt, anomaly })]).toEqual([['readings', ['MQTT']]]);
  expect([...topicWriters({ serial, modbus: [], mqtt: { ...mqtt, sources: [plant] }, anomaly })]).toEqual([
    ['readings', ['MQTT', 'the serial port wind', 'the broker plant']],
    ['dead-letters', ['the serial port wind', 'the broker plant']],
  ]);
  const units = [
    { name: 'meter', unit: 1, topic: 'energy', intervalMs: 1000, registers: [] },
    { name: 'air', unit: 2, topic: 'readings', intervalMs: 1000, registers: [] },
  ];
  const settings = { kind: 'tcp', host: 'b', port: 502 } as const;
  const bus = { name: 'cabinet', settings, timeoutMs: 100, retries: 0, units };
  expect([...topicWriters({ serial: [], modbus: [bus], mqtt, anomaly })]).toEqual([
    ['readings', ['MQTT', 'the Modbus unit air']],
    ['energy', ['the Modbus unit meter']],
    ['dead-letters', ['the Modbus bus cabinet']],
  ]);
  const detecting = { serial: [], modbus: [], mqtt, anomaly: { ...anomaly, enabled: true } };
  expect(topicWriters(detecting).get('anomalies')).toEqual(['anomaly detection']);
  const asking = { ...detecting, anomaly: { ...detecting.anomaly, verdicts: 'verdicts' } };
  expect(topicWriters(asking).get('verdicts')).toEqual(['other models']);
  const routes = [
    routeOf({ match: 'a/{b}', topic: 'temperature' }),
    routeOf({ match: 'c', topic: 'temperature' }),
    routeOf({ match: 'd/{e}', topic: '{e}' }),
  ];
  expect(
    topicWriters({ serial: [], modbus: [], mqtt: { ...mqtt, routes }, anomaly }).get('temperature'),
  ).toEqual(['the route a/{b}', 'the route c']);
});

test('configured topics are created or grown, others are left alone', async () => {
  const log = new MemoryLog();
  await log.createTopic('temperature', 1);
  await log.createTopic('made-by-hand', 3);
  const configured = {
    temperature: { partitions: 2, settings: {} },
    alarms: { partitions: 1, settings: {} },
  };
  await ensureTopics(log, configured, ['readings'], silentLogger);
  const partitions = Object.fromEntries(log.topics().map((topic) => [topic.name, topic.partitions]));
  expect(partitions).toEqual({ temperature: 2, 'made-by-hand': 3, readings: 1, alarms: 1 });
});

test('a smaller number of partitions takes nothing away and is a warning', async () => {
  const log = new MemoryLog();
  await log.createTopic('temperature', 3);
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_fields, message) => void warnings.push(message) };
  await ensureTopics(log, { temperature: { partitions: 2, settings: {} } }, [], logger);
  expect(log.topics()).toContainEqual({ name: 'temperature', partitions: 3, settings: {} });
  expect(warnings).toEqual([expect.stringMatching(/temperature keeps its 3 partitions/)]);
  await ensureTopics(log, { temperature: { partitions: 3, settings: {} } }, [], logger);
  expect(warnings).toHaveLength(1);
});

describe('settings', () => {
  const settingsOf = (log: MemoryLog, name: string) =>
    log.topics().find((topic) => topic.name === name)?.settings;

  test('those of the configuration win at each start, also by what they leave out', async () => {
    const log = new MemoryLog();
    const configured = { air: { partitions: 1, settings: { priority: 7 } } };
    await ensureTopics(log, configured, [], silentLogger);
    expect(settingsOf(log, 'air')).toEqual({ priority: 7 });
    await log.setTopic('air', { priority: 1, compression: 'gzip' });
    await ensureTopics(log, configured, [], silentLogger);
    expect(settingsOf(log, 'air')).toEqual({ priority: 7 });
  });

  test('they come together with more partitions', async () => {
    const log = new MemoryLog();
    await log.createTopic('air', 1);
    await ensureTopics(log, { air: { partitions: 2, settings: { priority: 7 } } }, [], silentLogger);
    expect(log.topics()).toEqual([{ name: 'air', partitions: 2, settings: { priority: 7 } }]);
  });

  test('a topic that the configuration does not name, or no longer, keeps its records and settings', async () => {
    const log = new MemoryLog();
    await log.createTopic('made-by-hand', 2, { retention: { bytes: 5 } });
    await ensureTopics(log, { air: { partitions: 1, settings: { priority: 7 } } }, [], silentLogger);
    await ensureTopics(log, {}, ['readings'], silentLogger);
    expect(log.topics()).toEqual([
      { name: 'made-by-hand', partitions: 2, settings: { retention: { bytes: 5 } } },
      { name: 'air', partitions: 1, settings: { priority: 7 } },
      { name: 'readings', partitions: 1, settings: {} },
    ]);
  });

  test('only a change is written and told', async () => {
    const log = new MemoryLog();
    await log.createTopic('air', 1, { retention: { bytes: 5, ageMs: 6 } });
    const told: object[] = [];
    const logger: Logger = { ...silentLogger, info: (fields) => void told.push(fields) };
    const set = vi.spyOn(log, 'setTopic');
    const configured = (bytes: number) => ({
      air: { partitions: 1, settings: { retention: { ageMs: 6, bytes } } },
    });
    await ensureTopics(log, configured(5), [], logger);
    expect({ sets: set.mock.calls, told }).toEqual({ sets: [], told: [] });
    await ensureTopics(log, configured(4), [], logger);
    expect(set).toHaveBeenCalledExactlyOnceWith('air', { retention: { bytes: 4, ageMs: 6 } });
    expect(told).toMatchObject([{ topic: 'air', before: { retention: { bytes: 5 } } }]);
  });
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
