import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/edge/config/read-config.ts';

const read = (routes: string) =>
  readConfig({
    file: { name: 'hw.yaml', text: `mqtt:\n  routes: [${routes}]\n` },
    sets: [],
    workingDirectory: '/site',
    hostName: 'gw1',
  });

describe('a route', () => {
  it('is read with what it needs, and with all it can have', () => {
    const result = read(
      "{ match: 'a/#', topic: a }, { match: 's/{d}/{k}', topic: 's.{k}', key: '{d}', partition: '{d}', time: { path: m.ts, unit: iso } }, { match: x, topic: x, partition: 3 }",
    );
    expect('config' in result && result.config.mqtt.routes).toMatchObject([
      { match: { text: 'a/#' }, topic: 'a', key: null, partition: null, time: null },
      { topic: 's.{k}', key: '{d}', partition: '{d}', time: { path: ['m', 'ts'], unit: 'iso' } },
      { partition: '3' },
    ]);
  });

  it('may have a decoder, which others that lead to its topic share', () => {
    const result = read(
      '{ match: a, topic: a, decoder: sds011 }, { match: b, topic: a, decoder: sds011 }, { match: c, topic: c }',
    );
    expect('config' in result && result.config.mqtt.routes.map(({ decoder }) => decoder)).toEqual([
      { type: 'sds011' },
      { type: 'sds011' },
      null,
    ]);
  });

  it.each([
    ["{ match: 'a/#/b', topic: a }", 'mqtt.routes.0.match: write # at the end'],
    ["{ match: 'a/+x', topic: a }", 'mqtt.routes.0.match: write + or {name} for one level'],
    ["{ match: 'a', topic: 'a b' }", 'mqtt.routes.0.topic: write 1 to 249 letters'],
    ["{ match: 'a', topic: gaps }", 'mqtt.routes.0.topic: choose another topic'],
    ["{ match: 'a', topic: '{kind}' }", 'mqtt.routes.0.topic: name a level {kind} in match'],
    ["{ match: 'a', topic: a, key: '{x}' }", 'mqtt.routes.0.key: name a level {x} in match'],
    ["{ match: 'a', topic: a, partition: 64 }", 'mqtt.routes.0.partition: write a whole number from 0 to 63'],
    ["{ match: 'a', topic: a, partition: x }", 'mqtt.routes.0.partition: write a whole number from 0 to 63'],
    [
      "{ match: 'a', topic: a, time: { path: ts, unit: min } }",
      'mqtt.routes.0.time.unit: write one of s, ms',
    ],
    [
      "{ match: 'a/{k}', topic: '{k}', decoder: number }",
      'mqtt.routes.0.topic: write a topic without {name}: a decoder needs a topic of its own',
    ],
    [
      '{ match: a, topic: readings, decoder: number }',
      'mqtt.routes.0.topic: choose another topic than readings',
    ],
    [
      '{ match: a, topic: a }, { match: b, topic: a, decoder: number }',
      'mqtt.routes.1.topic: choose another topic than that of mqtt.routes.0',
    ],
    [
      "{ match: a, topic: a, decoder: { type: regex, pattern: '(?<a>x)' } }, { match: b, topic: a, decoder: { type: regex, pattern: '(?<b>x)' } }",
      'mqtt.routes.0.topic: choose another topic than that of mqtt.routes.1, or give both the same decoder',
    ],
    ['{ match: a, topic: a, decoder: csv }', 'mqtt.routes.0.decoder.columns: is missing; write a list'],
    ['{ topic: a }', 'mqtt.routes.0.match: is missing; write a pattern of MQTT topics'],
    ['{ match: a, topic: a, to: b }', 'mqtt.routes.0.to'],
  ])('is refused as %s', (route, problem) => {
    const result = read(route);
    expect('problems' in result && result.problems.join('\n')).toContain(problem);
  });
});
