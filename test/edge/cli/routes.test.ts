import { expect, test } from 'vitest';
import { type RouteTest, testRoute, unroutedRows } from '../../../src/edge/cli/routes.ts';
import type { Terminal } from '../../../src/edge/cli/terminal.ts';
import { routeOf } from '../../../src/edge/config/route-section.ts';
import { topicDecoders } from '../../../src/edge/topic-decoders.ts';

const routes = [
  routeOf({
    match: 'sensors/{device}/temperature',
    topic: 'temperature',
    key: '{device}',
    time: { path: 'ts', unit: 's' },
  }),
  routeOf({ match: 'raw/{name#}', topic: '{name}', partition: 2 }),
  routeOf({
    match: 'wind/+',
    topic: 'wind',
    decoder: { type: 'csv', columns: ['speed', 'from'], separator: ',' },
  }),
];

async function run(mqttTopic: string, more: Partial<RouteTest> = {}) {
  let text = '';
  const write = async (line: string): Promise<boolean> => {
    text += line;
    return await Promise.resolve(true);
  };
  const terminal = { output: { write } } as unknown as Terminal;
  const code = await testRoute(
    {
      routes,
      topicBytesMax: 1024,
      mqttTopic,
      decoders: topicDecoders(routes),
      payload: undefined,
      json: false,
      ...more,
    },
    terminal,
  );
  return { code, text };
}

test('says where a message goes', async () => {
  expect(await run('sensors/kitchen/temperature')).toEqual({
    code: 0,
    text: [
      'route      sensors/{device}/temperature',
      'topic      temperature',
      'key        kitchen',
      'partition  by the key',
      'time       from ts of the payload (--payload tries one)',
      '',
    ].join('\n'),
  });
  expect((await run('raw/x')).text).toContain('partition  2\ntime       the gateway');
});

test('tries a payload for its time', async () => {
  const { text } = await run('sensors/k/temperature', { payload: Buffer.from('{"ts":1700000000}') });
  expect(text).toContain('time       2023-11-14T22:13:20.000Z, from ts of the payload');
  const { text: none } = await run('sensors/k/temperature', { payload: Buffer.from('21.5') });
  expect(none).toContain("time       the gateway's, since ts of the payload is unreadable");
});

test('tries a payload for its decoder', async () => {
  expect((await run('wind/1', { payload: Buffer.from('3.5,270') })).text).toContain(
    'readings   {"speed":3.5,"from":270}',
  );
  expect((await run('wind/1', { payload: Buffer.from('3.5') })).text).toContain(
    'readings   nothing: wrong-columns',
  );
  expect((await run('wind/1')).text).toContain('readings   by the decoder (--payload tries one)');
  expect(JSON.parse((await run('wind/1', { payload: Buffer.from('1,2'), json: true })).text)).toMatchObject({
    decoded: '{"speed":1,"from":2}',
  });
});

test('ends with 1 where no route was followed, and says why', async () => {
  const none = await run('other/topic');
  expect(none).toMatchObject({ code: 1, text: expect.stringContaining('route      none: no pattern') });
  const illegal = await run('raw/a/b');
  expect(illegal).toMatchObject({ code: 1, text: expect.stringContaining('that Kafka would refuse') });
});

test('answers programs as JSON', async () => {
  const { text } = await run('raw/x', { json: true });
  expect(JSON.parse(text)).toEqual({
    mqttTopic: 'raw/x',
    route: 'raw/{name#}',
    topic: 'x',
    key: 'raw/x',
    partition: 2,
    problem: null,
    time: null,
    decoded: null,
  });
});

test.each(['', 'a/+', 'a/#', 'x'.repeat(1025)])('%s is no topic of a message', async (mqttTopic) => {
  await expect(run(mqttTopic)).rejects.toThrow('nobody can publish to');
});

test('the topic may be as long as the configuration allows', async () => {
  expect((await run('x'.repeat(2000), { topicBytesMax: 2000 })).text).toContain('no pattern');
  await expect(run('ab', { topicBytesMax: 1 })).rejects.toThrow('nobody can publish to');
});

test('the status has a row for each MQTT topic that was not routed', () => {
  expect(unroutedRows([{ mqttTopic: 'a/b', problem: 'no-route', messages: 3 }])).toEqual([
    'a/b: 3 messages, no pattern of mqtt.routes stands for it',
  ]);
});
