import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { destinationOf, type Route, unknownNames } from '../../../../src/ingest/mqtt/routes/route.ts';
import { matchPattern, parsePattern } from '../../../../src/ingest/mqtt/routes/topic-pattern.ts';

function pattern(text: string) {
  const parsed = parsePattern(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
}

const route = (match: string, topic: string, more: Partial<Route> = {}): Route => ({
  match: pattern(match),
  topic,
  key: null,
  partition: null,
  time: null,
  ...more,
});

const captured = (match: string, topic: string): unknown => {
  const captures = matchPattern(pattern(match), topic.split('/'));
  return captures === null ? null : Object.fromEntries(captures);
};

describe('a pattern of MQTT topics', () => {
  test.each([
    ['sensors/+/temperature', 'sensors/kitchen/temperature', {}],
    ['sensors/{device}/temperature', 'sensors/kitchen/temperature', { device: 'kitchen' }],
    ['sensors/{device}/temperature', 'sensors//temperature', { device: '' }],
    ['sensors/{device}/temperature', 'sensors/a/b/temperature', null],
    ['sensors/{device}', 'sensors/kitchen/temperature', null],
    ['{site}/{rest#}', 'north/a/b', { site: 'north', rest: 'a/b' }],
    ['north/#', 'north', {}],
    ['north/{rest#}', 'north', { rest: '' }],
    ['#', 'anything/at/all', {}],
    ['#', '$SYS/uptime', null],
    ['{first}/uptime', '$SYS/uptime', null],
    ['$aws/{thing}', '$aws/pump', { thing: 'pump' }],
    ['Sensors', 'sensors', null],
  ])('%s and %s', (match, topic, expected) => {
    expect(captured(match, topic)).toEqual(expected);
  });

  test.each([
    ['', /write a pattern/],
    ['a/#/b', /write # at the end/],
    ['a/{rest#}/b', /at the end/],
    ['a/b+', /instead of b\+/],
    ['a/{b', /instead of \{b/],
    ['a/x{b}', /instead of x\{b\}/],
    ['{a}/{a}', /\{a\} once/],
    ['a/'.repeat(100), /write a pattern/],
  ])('%s is refused', (match, problem) => {
    expect(parsePattern(match)).toEqual({ problem: expect.stringMatching(problem) });
  });

  test('without names it stands for what the same topic filter stands for', () => {
    const level = fc.constantFrom('a', 'b', '');
    const filter = fc.array(fc.constantFrom('a', 'b', '', '+', '#'), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(filter, fc.array(level, { minLength: 1, maxLength: 4 }), (levels, topic) => {
        const end = levels.indexOf('#');
        const legal = end === -1 ? levels : levels.slice(0, end + 1);
        fc.pre(legal.join('/') !== '');
        const parts = legal.map((one) => (one === '+' ? '[^/]*' : one === '#' ? '.*' : one));
        const expression = new RegExp(`^${parts.join('/').replace(/\/\.\*$/, '(/.*)?')}$`);
        const stands = matchPattern(pattern(legal.join('/')), topic) !== null;
        expect(stands).toBe(expression.test(topic.join('/')));
      }),
    );
  });
});

describe('where a message goes', () => {
  const routes = [
    route('sensors/{device}/temperature', 'temperature', { key: '{device}' }),
    route('sensors/{device}/{kind}', '{kind}'),
    route('slots/{n}', 'slots', { partition: '{n}' }),
    route('own/{topic}', '{topic}'),
  ];

  test('the first route that stands for it counts', () => {
    const destination = destinationOf(routes, 'sensors/kitchen/temperature');
    expect(destination).toMatchObject({ topic: 'temperature', key: 'kitchen', partition: undefined });
    expect(destinationOf(routes, 'sensors/kitchen/humidity')).toMatchObject({
      topic: 'humidity',
      key: 'sensors/kitchen/humidity',
      pattern: 'sensors/{device}/{kind}',
    });
    expect(destinationOf(routes, 'slots/7')).toMatchObject({ topic: 'slots', partition: 7 });
  });

  test.each([
    ['other', 'no-route'],
    ['sensors/kitchen/°C', 'illegal-topic'],
    ['sensors/kitchen/', 'illegal-topic'],
    ['own/gaps', 'reserved-topic'],
    ['own/clock', 'reserved-topic'],
    ['own/dead-letters', 'reserved-topic'],
    ['slots/64', 'illegal-partition'],
    ['slots/-1', 'illegal-partition'],
    ['slots/x', 'illegal-partition'],
    ['slots/', 'illegal-partition'],
  ])('%s goes to readings by its MQTT topic: %s', (mqttTopic, problem) => {
    const expected = { topic: 'readings', key: mqttTopic, partition: undefined, problem };
    expect(destinationOf(routes, mqttTopic)).toMatchObject(expected);
  });

  test('without routes everything goes to readings, and that is no problem', () => {
    expect(destinationOf([], 'a/b')).toMatchObject({ topic: 'readings', key: 'a/b', problem: null });
  });

  test('what a level was is taken as it is, braces and dollars included', () => {
    const keyed = [route('{a}/{b}', 'x', { key: '{a}-{b}' })];
    expect(destinationOf(keyed, '{b}/$&').key).toBe('{b}-$&');
  });

  test('a template may use the names of its pattern only', () => {
    expect(unknownNames('{device}.{kind}', pattern('a/{device}'))).toEqual(['kind']);
  });
});
