import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLegalPattern, TopicAccess } from '../../../src/ingest/mqtt/topic-access.ts';

const pump = { user: 'pump', clientId: 'pump-1' };

test.each([
  [['a/b'], 'a/b', true],
  [['a/b'], 'a/b/c', false],
  [['a/b'], 'a', false],
  [['a/+'], 'a/b', true],
  [['a/+'], 'a/', true],
  [['a/+'], 'a', false],
  [['a/+'], 'a/b/c', false],
  [['a/#'], 'a', true],
  [['a/#'], 'a/b/c', true],
  [['a/#'], 'ab', false],
  [['+/b'], '/b', true],
  [['#'], 'a/b', true],
  [['#'], '$a', false],
  [['+/a'], '$x/a', false],
  [['$x/#'], '$x/a', true],
  [['$SYS/#', '$headwater/#'], '$SYS/a', false],
  [['$SYS/#', '$headwater/#'], '$headwater/a', false],
  [['no', 'a/b'], 'a/b', true],
  [[], 'a', false],
  [['data/%u/%c/#'], 'data/pump/pump-1/x', true],
  [['data/%u/%c/#'], 'data/pump/pump-2/x', false],
  [['data/v-%c'], 'data/v-pump-1', true],
] as const)('by the list %j the topic %s: %s', (publish, topic, isAllowed) => {
  const access = new TopicAccess({ publish }, pump);
  expect(access.mayPublish(topic)).toBe(isAllowed);
  // What was allowed is remembered.
  expect(access.mayPublish(topic)).toBe(isAllowed);
});

test.each([
  [['#'], '#', true],
  [['#'], '+/a', true],
  [['#'], '$SYS/#', false],
  [['+/#'], '$SYS/#', false],
  [['a/#'], '#', false],
  [['a/#'], 'a/#', true],
  [['a/#'], 'a/+/b', true],
  [['a/#'], '+/#', false],
  [['a/+'], 'a/#', false],
  [['a/+'], 'a/+', true],
  [['a/+/c'], 'a/+/+', false],
  [['a/b'], 'a/+', false],
  [['a/b/#'], 'a', false],
  [['a/b', 'a/c'], 'a/c', true],
])('by the list %j the filter %s: %s', (subscribe, filter, isAllowed) => {
  expect(new TopicAccess({ subscribe }, pump).maySubscribe(filter)).toBe(isAllowed);
});

test('without lists everything is allowed but what only the gateway tells, and each list counts by itself', () => {
  const access = new TopicAccess({}, pump);
  const topics = ['a', '$a', '$SYS/a', '$headwater/a'];
  expect(topics.map((topic) => access.mayPublish(topic))).toEqual([true, true, false, false]);
  const filters = ['#', '$a/#', '$headwater/#', '$SYS/#', '$SYS'];
  expect(filters.map((filter) => access.maySubscribe(filter))).toEqual([true, true, true, false, false]);
  const silent = new TopicAccess({ publish: [] }, pump);
  expect([silent.mayPublish('a'), silent.maySubscribe('#')]).toEqual([false, true]);
});

test.each(['#', '+', 'a/b', 'a+', '', '$SYS', '%u'])(
  'a client called %j gets no more by its id',
  (clientId) => {
    const lists = { publish: ['a/%c', '%c/#', 'b'], subscribe: ['a/%c', '%c/#'] };
    const access = new TopicAccess(lists, { user: 'secret', clientId });
    const topics = ['a/x', 'a/b/c', 'a/', 'a', 'x', '/x', '$SYS/x', 'secret/x', 'a/secret'];
    expect(topics.filter((topic) => access.mayPublish(topic))).toEqual([]);
    expect(
      ['#', 'a/#', 'a/+', '+/#', '$SYS/#', 'secret/#'].filter((filter) => access.maySubscribe(filter)),
    ).toEqual([]);
    expect(access.mayPublish('b')).toBe(true);
  },
);

test('who has no user gets nothing by %u', () => {
  const access = new TopicAccess({ publish: ['a/%u', 'null', 'a/null'] }, { user: null, clientId: 'c' });
  expect(['a/', 'a/null', 'a'].map((topic) => access.mayPublish(topic))).toEqual([false, true, false]);
});

test.each(['a', 'a/b', '/', 'a//b', '+', '#', 'a/+/b/#', '%u/%c', 'x-%c', '$x/#'])(
  '%s is a pattern',
  (pattern) => {
    expect(isLegalPattern(pattern)).toBe(true);
  },
);

test.each([
  '',
  'a#',
  '#/a',
  'a/#/b',
  'a+/b',
  '+a',
  'a\0',
  'a\n',
  '%i',
  '%',
  'x'.repeat(257),
  '/'.repeat(100),
])('%j is no pattern', (pattern) => {
  expect(isLegalPattern(pattern)).toBe(false);
});

const level = fc.constantFrom('', 'a', 'b', '$a');
const topics = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filters = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 3 }), fc.boolean())
  .map(([levels, isOpen]) => [...levels, ...(isOpen || levels.length === 0 ? ['#'] : [])].join('/'));

/** MQTT's rules once more, as a regular expression. */
function matches(filter: string, topic: string): boolean {
  if (/^[+#]/.test(filter) && topic.startsWith('$')) return false;
  const levels = filter.split('/').map((part) => (part === '+' ? '[^/]*' : part.replaceAll('$', '\\$')));
  const source =
    levels.at(-1) === '#'
      ? levels.length === 1
        ? '.*'
        : `${levels.slice(0, -1).join('/')}(/.*)?`
      : levels.join('/');
  return new RegExp(`^${source}$`).test(topic);
}

test('a topic may be published to if and only if a pattern stands for it', () => {
  fc.assert(
    fc.property(fc.array(filters, { maxLength: 3 }), topics, (publish, topic) => {
      const isAllowed = new TopicAccess({ publish }, pump).mayPublish(topic);
      expect(isAllowed).toBe(publish.some((pattern) => matches(pattern, topic)));
    }),
    { numRuns: 2000 },
  );
});

test('a filter that may be subscribed to stands for no topic that no pattern stands for', () => {
  let allowed = 0;
  fc.assert(
    fc.property(filters, filters, fc.array(topics, { maxLength: 20 }), (pattern, filter, some) => {
      if (!new TopicAccess({ subscribe: [pattern] }, pump).maySubscribe(filter)) return;
      allowed++;
      for (const topic of some) if (matches(filter, topic)) expect(matches(pattern, topic)).toBe(true);
    }),
    { numRuns: 5000 },
  );
  expect(allowed).toBeGreaterThan(100);
});

test('whatever a client and a user are called, %c and %u stand for one level that is theirs', () => {
  const names = fc.oneof(
    fc.constantFrom('#', '+', 'a/b', '%u', '%c', '$SYS', ''),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(
    fc.property(names, names, topics, (user, clientId, rest) => {
      const access = new TopicAccess({ publish: ['u/%u/#', 'c/%c/#'] }, { user, clientId });
      for (const [kind, name] of [
        ['u', user],
        ['c', clientId],
      ]) {
        const isSafe = name !== '' && !/[+#/]|^\$/.test(String(name));
        expect(access.mayPublish(`${kind}/${name}/x`)).toBe(isSafe);
        expect(access.mayPublish(`${kind}/${name}x/${rest}`)).toBe(false);
      }
    }),
  );
});
