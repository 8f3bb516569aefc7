import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { configChanges } from '../../../src/edge/config/config-changes.ts';
import { withExamples } from '../../../src/edge/config/example-comments.ts';
import { readConfig } from '../../../src/edge/config/read-config.ts';
import type { Config } from '../../../src/edge/config/schema.ts';

function configOf(text: string): Config {
  const file = { name: 'hw.yaml', text };
  const result = readConfig({ file, sets: [], workingDirectory: '/', hostName: 'h' });
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.config;
}

const changesOf = (before: string, wanted: string) => configChanges(configOf(before), configOf(wanted));

describe('what a reload changes', () => {
  test.each([
    ['', 'log: { level: debug }', 'log.level'],
    ['', 'topics: { a: {} }', 'topics.a'],
    ['topics: { a: {}, b: {} }', 'topics: { a: { priority: 1 }, b: {} }', 'topics.a'],
    ['topics: { a.b: {} }', '', 'topics."a.b"'],
    ['', 'mqtt: { routes: [{ match: a, topic: b }] }', 'mqtt.routes'],
    [
      "mqtt: { routes: [{ match: a, topic: b, decoder: { type: regex, pattern: '(?<x>1)' } }] }",
      "mqtt: { routes: [{ match: a, topic: b, decoder: { type: regex, pattern: '(?<x>2)' } }] }",
      'mqtt.routes',
    ],
    ['', "anomaly: { series: [{ match: '*', max: 5 }] }", 'anomaly.series'],
    [
      'forwarder: { bytesPerSecond: 64KiB }',
      'forwarder: { bytesPerSecond: 65KiB }',
      'forwarder.bytesPerSecond',
    ],
    ['forwarder: { bytesPerDay: 64MiB }', '', 'forwarder.bytesPerDay'],
    ['', "forwarder: { hours: ['22:00-06:00'] }", 'forwarder.hours'],
  ])('from "%s" to "%s" counts at once', (before, wanted, name) => {
    const { applied, needsRestart, config } = changesOf(before, wanted);
    expect({ applied, needsRestart }).toEqual({ applied: [name], needsRestart: [] });
    expect(config).toEqual(configOf(wanted));
  });

  test.each([
    ['', 'gateway: { name: gw2 }', 'gateway.name'],
    ['', 'data: { budget: 1GiB }', 'data.budget'],
    ['', 'mqtt: { listen: 127.0.0.1:1884 }', 'mqtt.listen'],
    ['', 'mqtt: { limits: { connections: 5 } }', 'mqtt.limits'],
    ['', 'mqtt: { tls: {} }', 'mqtt.tls'],
    ['', 'serial: [{ name: a, path: /dev/a, baud: 9600 }]', 'serial'],
    ['', 'forwarder: { brokers: [kafka1:9092] }', 'forwarder.brokers'],
    ['', 'anomaly: { enabled: false }', 'anomaly.enabled'],
  ])('from "%s" to "%s" needs a restart, until when nothing of it counts', (before, wanted, name) => {
    const { applied, needsRestart, config } = changesOf(before, wanted);
    expect({ applied, needsRestart }).toEqual({ applied: [], needsRestart: [name] });
    expect(config).toEqual(configOf(before));
  });

  test('is told of everything that differs, each in its list', () => {
    const example = readFileSync(new URL('../../../headwater.example.yaml', import.meta.url), 'utf8');
    const { applied, needsRestart } = changesOf('', withExamples(example));
    expect(applied).toEqual([
      'anomaly.series',
      'forwarder.bytesPerDay',
      'forwarder.bytesPerSecond',
      'forwarder.hours',
      'mqtt.routes',
      'topics.temperature',
    ]);
    expect(needsRestart).toEqual(
      expect.arrayContaining([
        'gateway.site',
        'mqtt.tls',
        'mqtt.sources',
        'serial',
        'modbus',
        'forwarder.sasl',
      ]),
    );
    expect(needsRestart.filter((name) => applied.includes(name))).toEqual([]);
  });

  test('is nothing if the same is written in another way', () => {
    const { applied, needsRestart } = changesOf(
      'data: { budget: 1GiB }',
      'data: { budget: 1073741824 }\nlog:\n',
    );
    expect({ applied, needsRestart }).toEqual({ applied: [], needsRestart: [] });
  });
});
