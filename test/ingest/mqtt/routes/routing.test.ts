import { describe, expect, test } from 'vitest';
import { OperatingError } from '../../../../src/core/errors.ts';
import { limits } from '../../../../src/core/limits.ts';
import type { NewRecord } from '../../../../src/core/record.ts';
import type { Route } from '../../../../src/ingest/mqtt/routes/route.ts';
import { type RoutedTopics, Routing } from '../../../../src/ingest/mqtt/routes/routing.ts';
import { parsePattern } from '../../../../src/ingest/mqtt/routes/topic-pattern.ts';

const payload = Buffer.from('{"ts":1700000000}');

function route(match: string, topic: string, more: Partial<Route> = {}): Route {
  const pattern = parsePattern(match);
  if ('problem' in pattern) throw new Error(pattern.problem);
  return { match: pattern, topic, key: null, partition: null, time: null, ...more };
}

/** Topics that are made when the test says so. */
class Topics implements RoutedTopics {
  readonly partitions = new Map([['readings', 1]]);
  readonly asked: string[] = [];
  #waiting: (() => void)[] = [];
  refusal: OperatingError | null = null;

  partitionsOf(topic: string): number {
    return this.partitions.get(topic) ?? 0;
  }

  async grow(topic: string, partitions: number): Promise<void> {
    this.asked.push(`${topic}:${partitions}`);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.refusal !== null) throw this.refusal;
    this.partitions.set(topic, Math.max(partitions, this.partitionsOf(topic)));
  }

  make(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function world(routes: readonly Route[], isClockSet = true) {
  const topics = new Topics();
  const counted: string[] = [];
  const routing = new Routing({
    routes,
    topics,
    receiptTime: () => ({ isClockSet, wallMs: 1_700_000_000_500 }),
    metrics: {
      add: (name, by, labels) => void (by > 0 && counted.push(`${name} ${labels?.['reason']}`)),
      set() {},
      observe() {},
    },
  });
  return { topics, routing, counted };
}

const message = (mqttTopic: string, payload: Uint8Array, receivedMs: number) => ({
  mqttTopic,
  payload,
  receivedMs,
  headers: [],
});

const text = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString();

describe('routing', () => {
  test('makes records of messages, with the MQTT topic as a header where the key is another', () => {
    const { routing } = world([route('s/{device}', 'readings', { key: '{device}' })]);
    const routed = routing.recordOf(message('s/k', payload, 5)) as NewRecord;
    expect(routed).toMatchObject({ topic: 'readings', receivedMs: 5 });
    expect(text(routed.key)).toBe('k');
    expect(routed.headers.map(({ name, value }) => [name, text(value)])).toEqual([['mqtt.topic', 's/k']]);
    const other = routing.recordOf(message('other', payload, 5)) as NewRecord;
    expect([text(other.key), other.headers]).toEqual(['other', []]);
  });

  test('takes the time of the device, or says why not', () => {
    const time = { path: ['ts'], unit: 's' as const };
    const { routing, counted } = world([route('s/#', 'readings', { time })]);
    expect(routing.recordOf(message('s/k', payload, 5))).toMatchObject({ timestampMs: 1_700_000_000_000 });
    expect(routing.recordOf(message('s/k', Buffer.from('{}'), 5))).toMatchObject({ receivedMs: 5 });
    expect(counted).toEqual(['headwater_mqtt_device_times_refused_total unreadable']);
    expect(
      world([route('s/#', 'readings', { time })], false).routing.recordOf(message('s/k', payload, 5)),
    ).toMatchObject({ receivedMs: 5 });
  });

  test('makes a missing topic once, and what goes there meanwhile waits in its order', async () => {
    const { routing, topics } = world([route('s/{kind}', '{kind}')]);
    const order: string[] = [];
    const send = async (value: string): Promise<void> => {
      await routing.recordOf(message('s/new', Buffer.from(value), 0));
      order.push(value);
    };
    const sent = [send('1'), send('2'), send('3')];
    expect(order).toEqual([]);
    topics.make();
    await Promise.all(sent);
    await send('4');
    expect(order).toEqual(['1', '2', '3', '4']);
    expect(topics.asked).toEqual(['new:1']);
  });

  test('gives a topic the partition that a route names', async () => {
    const { routing, topics } = world([route('s/{n}', 'slots', { partition: '{n}' })]);
    const [second, first] = [
      routing.recordOf(message('s/3', payload, 0)),
      routing.recordOf(message('s/5', payload, 0)),
    ];
    for (let turns = 0; turns < 2; turns += 1) {
      topics.make();
      await new Promise(setImmediate);
    }
    expect([(await second).partition, (await first).partition]).toEqual([3, 5]);
    expect(topics.asked).toEqual(['slots:4', 'slots:6']);
  });

  test('sends what has no room for a topic of its own to readings, and tells so', async () => {
    const { routing, topics, counted } = world([route('s/{kind}', '{kind}')]);
    topics.refusal = new OperatingError('too-many-partitions', 'full');
    const record = routing.recordOf(message('s/new', payload, 0));
    topics.make();
    expect(await record).toMatchObject({ topic: 'readings' });
    expect(text((await record).key)).toBe('s/new');
    expect(counted).toEqual(['headwater_mqtt_unrouted_total too-many-topics']);
    expect(routing.unrouted()).toEqual([{ mqttTopic: 's/new', problem: 'too-many-topics', messages: 1 }]);
  });

  test('rejects while the log cannot make it, and tries again with the next message', async () => {
    const { routing, topics } = world([route('s/{kind}', '{kind}')]);
    topics.refusal = new OperatingError('log-unavailable', 'the disk fails');
    const refused = routing.recordOf(message('s/new', payload, 0));
    topics.make();
    await expect(refused).rejects.toThrow('the disk fails');
    topics.refusal = null;
    const taken = routing.recordOf(message('s/new', payload, 0));
    topics.make();
    expect(await taken).toMatchObject({ topic: 'new' });
  });

  test('tells what was not routed last, within a bound', () => {
    const { routing } = world([route('s/{kind}', '{kind}')]);
    for (let number = 0; number <= limits.unroutedTopicsMax; number += 1)
      void routing.recordOf(message(`other/${number}`, payload, 0));
    void routing.recordOf(message('other/5', payload, 0));
    const told = routing.unrouted();
    expect(told).toHaveLength(limits.unroutedTopicsMax);
    expect(told.at(-1)).toEqual({ mqttTopic: 'other/5', problem: 'no-route', messages: 2 });
    expect(told.some(({ mqttTopic }) => mqttTopic === 'other/0')).toBe(false);
    expect(world([]).routing.unrouted()).toEqual([]);
  });

  test('remembers where a bounded number of MQTT topics go, and the others all the same', () => {
    const { routing } = world([route('s/{device}', 'readings', { key: '{device}' })]);
    for (let round = 0; round < 2; round += 1)
      for (let number = 0; number < limits.routedTopicsMax * 1.5; number += 1)
        expect(text((routing.recordOf(message(`s/${number}`, payload, 0)) as NewRecord).key)).toBe(
          `${number}`,
        );
  });
});

test('other routes count for what comes from then on, also of topics that were known', async () => {
  const { topics, routing } = world([route('a', 'first')]);
  topics.partitions.set('first', 1).set('second', 1);
  expect(await routing.recordOf(message('a', payload, 0))).toMatchObject({ topic: 'first' });
  expect(await routing.recordOf(message('b', payload, 0))).toMatchObject({ topic: 'readings' });
  expect(routing.unrouted()).toHaveLength(1);
  routing.useRoutes([route('a', 'second'), route('b', 'second')]);
  expect(routing.unrouted()).toEqual([]);
  expect(await routing.recordOf(message('a', payload, 0))).toMatchObject({ topic: 'second' });
  expect(await routing.recordOf(message('b', payload, 0))).toMatchObject({ topic: 'second' });
});

test('a message that waits for its topic goes where it was to go, and the next one elsewhere', async () => {
  const { topics, routing } = world([route('a', 'first')]);
  const waiting = routing.recordOf(message('a', payload, 0));
  routing.useRoutes([route('a', 'readings')]);
  expect(await routing.recordOf(message('a', payload, 0))).toMatchObject({ topic: 'readings' });
  topics.make();
  expect(await waiting).toMatchObject({ topic: 'first' });
});
