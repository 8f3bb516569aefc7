import fc from 'fast-check';
import mqemitter from 'mqemitter';
import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { MessageBus } from '../../../src/ingest/mqtt/message-bus.ts';

type Bus = Pick<MessageBus, 'on' | 'removeListener' | 'emit'>;

const level = fc.constantFrom('a', 'b', '');
const topic = fc.array(level, { minLength: 1, maxLength: 3 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 3 }), fc.boolean())
  .map(([levels, isWild]) => [...levels, ...(isWild || levels.length === 0 ? ['#'] : [])].join('/'))
  .filter((text) => text !== '');
const step = fc.oneof(
  fc.record({ kind: fc.constantFrom('on', 'removed'), filter, listener: fc.nat(2) }),
  fc.record({ kind: fc.constant('emitted'), topic }),
);

/** What listeners are given, in order, by number; `done` counts as well. */
async function played(bus: Bus, steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]) {
  const given: string[] = [];
  const listeners = [0, 1, 2].map((number) => (message: { topic: string }, done: () => void) => {
    given.push(`${message.topic} to ${number}`);
    done();
  });
  const entered = new Set<string>();
  for (const one of steps) {
    if (one.kind === 'emitted') {
      await new Promise<void>((resolve) =>
        bus.emit({ topic: (one as { topic: string }).topic }, () => resolve()),
      );
      given.push('done');
      continue;
    }
    const { filter: asked, listener: number } = one as { filter: string; listener: number };
    const listener = listeners[number];
    if (listener === undefined) continue;
    const row = `${number} ${asked}`;
    // As the broker does it: once for each client and filter, and away only what is there.
    if (one.kind === 'on' && !entered.has(row)) {
      entered.add(row);
      await new Promise<void>((resolve) => bus.on(asked, listener, resolve));
    } else if (one.kind === 'removed' && entered.delete(row)) {
      await new Promise<void>((resolve) => bus.removeListener(asked, listener, resolve));
    }
  }
  return given.toSorted();
}

test('it brings every message to just those to whom mqemitter brings it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const wanted = await played(mqemitter({ concurrency: 100, matchEmptyLevels: true }) as never, steps);
      expect(await played(new MessageBus(), steps)).toEqual(wanted);
    }),
  );
});

test('a wildcard at the beginning stands for no topic with a dollar sign', () => {
  const bus = new MessageBus();
  const given: string[] = [];
  bus.on('#', ({ topic: of }, done) => {
    given.push(of);
    done();
  });
  for (const of of ['$SYS/x', 'x']) bus.emit({ topic: of }, () => {});
  expect(given).toEqual(['x']);
});

test('topics without end, of which nobody hears, do not hide one from who subscribes then', () => {
  const bus = new MessageBus();
  const topics = Array.from({ length: limits.routedTopicsMax + 10 }, (_, index) => `t/${index}`);
  let done = 0;
  for (const of of topics)
    bus.emit({ topic: of }, () => {
      done += 1;
    });
  const given: string[] = [];
  bus.on('t/+', ({ topic: of }, next) => {
    given.push(of);
    next();
  });
  for (const of of topics) bus.emit({ topic: of }, () => {});
  expect([done, given.length]).toEqual([topics.length, topics.length]);
});
