import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/edge/config/read-config.ts';
import { defaultMqttLimits } from '../../../src/ingest/mqtt/mqtt-limits.ts';

const read = (settings: string) =>
  readConfig({
    file: { name: 'hw.yaml', text: `mqtt:\n  limits: { ${settings} }\n` },
    sets: [],
    workingDirectory: '/site',
    hostName: 'gw1',
  });

const limitsOf = (settings: string) => {
  const result = read(settings);
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.config.mqtt.limits;
};

describe('limits of MQTT clients', () => {
  it('are those of the product unless they are set', () => {
    expect(limitsOf('')).toEqual(defaultMqttLimits);
  });

  it('are read with sizes and durations', () => {
    const all =
      'connections: 50, packet: 64KiB, pendingPerClient: 128KiB, pending: 1MiB, topicLength: 200, topicLevels: 8, ' +
      'subscriptions: 10, queuedMessages: 5000, connectTimeout: 5s, keepAlive: 5m, messagesPerSecond: 100';
    expect(limitsOf(all)).toEqual({
      connectionsMax: 50,
      packetBytesMax: 65_536,
      clientPendingBytesMax: 131_072,
      pendingBytesMax: 1_048_576,
      topicBytesMax: 200,
      topicLevelsMax: 8,
      subscriptionsMax: 10,
      sessionQueuedMax: 5_000,
      connectTimeoutMs: 5_000,
      keepAliveMsMax: 300_000,
      messagesPerSecondMax: 100,
    });
  });

  it.each([
    ['connections: 0', 'mqtt.limits.connections: write a whole number of connections from 1 to 10000'],
    ['packet: 2MiB', 'mqtt.limits.packet: write a size from 1KiB to 1MiB'],
    ['pendingPerClient: 1MiB', 'mqtt.limits.pendingPerClient: write at least 1052672'],
    ['packet: 1KiB, pendingPerClient: 2MiB, pending: 1MiB', 'mqtt.limits.pending: write at least as much as'],
    ['keepAlive: 100ms', 'mqtt.limits.keepAlive: write a duration from 1s'],
    ['messagesPerSecond: 0', 'mqtt.limits.messagesPerSecond: write a whole number of messages from 1'],
    ['conections: 1', 'mqtt.limits.conections'],
  ])('are refused as %s', (settings, problem) => {
    const result = read(settings);
    expect('problems' in result && result.problems.join('\n')).toContain(problem);
  });
});
