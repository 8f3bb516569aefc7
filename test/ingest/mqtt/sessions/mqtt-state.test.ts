import { expect, test } from 'vitest';
import type { Clock } from '../../../../src/core/clock.ts';
import { OperatingError } from '../../../../src/core/errors.ts';
import { limits } from '../../../../src/core/limits.ts';
import type { StoredRecord } from '../../../../src/core/record.ts';
import { defaultMqttLimits } from '../../../../src/ingest/mqtt/mqtt-limits.ts';
import type { History } from '../../../../src/ingest/mqtt/sessions/catch-up.ts';
import { Delivery } from '../../../../src/ingest/mqtt/sessions/delivery.ts';
import { type Effects, effectHeaders } from '../../../../src/ingest/mqtt/sessions/effects.ts';
import { MqttState } from '../../../../src/ingest/mqtt/sessions/mqtt-state.ts';
import type { PublishPacket } from '../../../../src/ingest/mqtt/sessions/session-persistence.ts';
import type { Positions, SessionStore } from '../../../../src/ingest/mqtt/sessions/session-store.ts';
import { nodeClock } from '../../../../src/platform/node-clock.ts';
import { MemorySessionStore, noHistory } from '../../../support/memory-session-store.ts';
import { CountingMetrics, KeepingLogger } from '../harness.ts';

/** One run after the other, on one store and one log. */
class Runs implements History {
  readonly store = new MemorySessionStore();
  readonly metrics = new CountingMetrics();
  readonly logger = new KeepingLogger();
  readonly records: StoredRecord[] = [];
  /** Records that are too far back to be read. */
  farBackOffset = 0;
  readError: Error | null = null;
  #run = 0;

  /** Those before it end at once: nothing of them is written any more. */
  open(clock: Clock = nodeClock): Promise<MqttState> {
    const { store: kept, metrics, logger } = this;
    this.#run += 1;
    const run = this.#run;
    const store: SessionStore = {
      load: () => kept.load(),
      begin: () => kept.begin(),
      write: (changes) => (run === this.#run ? kept.write(changes) : Promise.resolve()),
      close: () => kept.close(),
    };
    return MqttState.open({
      limits: defaultMqttLimits,
      store,
      history: this,
      clock,
      metrics,
      logger,
      remark() {},
    });
  }

  /** A record becomes durable; with a run, that run sees it. */
  append(topic: string, text: string, effects: Effects, run?: MqttState): void {
    const value = Buffer.from(text);
    const headers = effectHeaders(effects);
    this.records.push({
      offset: this.records.length,
      key: Buffer.from(topic),
      value,
      headers,
      timestampMs: 0,
    });
    run?.happened({ topic, payload: value }, effects);
  }

  ends(): Positions {
    return { 'readings/0': this.records.length };
  }

  farBack(): number {
    return this.farBackOffset;
  }

  async *read(_partition: string, from: number): AsyncGenerator<readonly StoredRecord[]> {
    await Promise.resolve();
    if (this.readError !== null) throw this.readError;
    yield this.records.slice(from);
  }
}

const queue: Effects = { retain: null, queue: 1 };
const retain: Effects = { retain: 1, queue: null };
const waiting = (state: MqttState, client: string): string[] =>
  [...(state.sessions.find(client)?.messages ?? [])].map(({ payload }) => Buffer.from(payload).toString());
const retained = (state: MqttState): string[] =>
  [...state.retained.matching(['#'])].map(({ topic, payload }) => `${topic} ${Buffer.from(payload)}`);

test('whenever a run ends, the next one has each message that waits once, and what is retained last', async () => {
  for (let writtenAfter = 0; writtenAfter <= 6; writtenAfter += 1) {
    const runs = new Runs();
    const first = await runs.open();
    first.sessions.subscribe('c', [{ topic: 'q/#', qos: 1 }]);
    await first.writes.written();
    for (let index = 0; index < 6; index += 1) {
      if (index === writtenAfter) await first.writes.written();
      runs.append('q/1', `${index}`, queue, first);
      runs.append('r', `${index}`, retain, first);
      runs.append('nothing', 'x', { retain: null, queue: null }, first);
    }
    // In the log, but the process ended before anybody heard of it.
    runs.append('q/1', 'unheard', queue);
    for (let start = 0; start < 2; start += 1) {
      const next = await runs.open();
      expect(waiting(next, 'c')).toEqual(['0', '1', '2', '3', '4', '5', 'unheard']);
      expect(retained(next)).toEqual(['r 5']);
      if (start === 0) await next.stop();
    }
  }
});

test('with the store lost, retained messages are found in the log, but none older than what came meanwhile', async () => {
  const runs = new Runs();
  for (const text of ['a', 'b']) runs.append('old', text, retain);
  runs.append('both', 'older', retain);
  runs.append('cleared', 'x', retain);
  runs.append('cleared', '', retain);
  runs.append('q', 'x', queue);
  runs.store.begin();
  const state = await runs.open();
  expect(retained(state).toSorted()).toEqual(['both older', 'old b']);
  await state.writes.written();
  expect((await runs.store.load()).positions).toEqual({ 'readings/0': 6 });
  await state.stop();
});

test('a store that was written too long ago does not hold up a start: it is told what was passed over', async () => {
  const runs = new Runs();
  const first = await runs.open();
  first.sessions.subscribe('c', [{ topic: '#', qos: 1 }]);
  await first.writes.written();
  for (const text of ['a', 'b', 'c']) runs.append('q', text, queue);
  runs.farBackOffset = 2;
  const next = await runs.open();
  expect(waiting(next, 'c')).toEqual(['c']);
  expect(runs.logger.lines.join()).toMatch(/were written too long ago.*"records":2/);
  await next.stop();
});

test('a log that cannot be read does not keep the gateway from starting, with the store or without', async () => {
  for (const isLost of [false, true]) {
    const runs = new Runs();
    const first = await runs.open();
    first.sessions.subscribe('c', [{ topic: '#', qos: 1 }]);
    if (isLost) runs.store.begin();
    else await first.writes.written();
    runs.append('q', 'a', queue);
    runs.readError = new OperatingError('offset-out-of-range', 'it is not there any more');
    const next = await runs.open();
    expect(runs.logger.lines.join()).toMatch(/may be incomplete.*not there any more/);
    await next.stop();
  }
});

test('a session ends when the gateway has run long enough without its client, over restarts; a return begins anew', async () => {
  const runs = new Runs();
  const first = await runs.open();
  for (const client of ['lost', 'found', 'here']) first.sessions.subscribe(client, [{ topic: '#', qos: 1 }]);
  first.sessions.begin('here', {});
  first.sweep(limits.mqttSessionAwayMsMax - limits.mqttSessionAgeStepMs);
  await first.stop();
  const next = await runs.open();
  const connection = {};
  next.sessions.begin('found', connection);
  next.left('found', connection);
  next.sessions.begin('here', {});
  next.sweep(2 * limits.mqttSessionAgeStepMs);
  expect([...next.sessions.all].map(({ client }) => client).toSorted()).toEqual(['found', 'here']);
  expect(runs.metrics.value('headwater_mqtt_given_up_total', { what: 'session-expired' })).toBe(1);
  await next.stop();
  expect((await runs.store.load()).sessions.map(({ client }) => client).toSorted()).toEqual([
    'found',
    'here',
  ]);
});

test('with as many sessions as there may be, a new one takes the place of that of the client away longest', async () => {
  const runs = new Runs();
  const state = await runs.open();
  const name = (index: number): string => `c${index}`;
  for (let index = 0; index < limits.mqttSessionsMax; index += 1)
    state.sessions.subscribe(name(index), [{ topic: '#', qos: 1 }]);
  const connection = {};
  state.sessions.begin(name(0), connection);
  state.sessions.begin(name(1), connection);
  state.left(name(1), connection);
  state.sessions.subscribe('new', [{ topic: '#', qos: 1 }]);
  expect(state.sessions.counts.sessions).toBe(limits.mqttSessionsMax);
  expect([0, 1, 2].map((index) => state.sessions.find(name(index)) !== undefined)).toEqual([
    true,
    true,
    false,
  ]);
  expect(runs.metrics.value('headwater_mqtt_given_up_total', { what: 'session-given-up' })).toBe(1);
  await state.stop();
});

test('retained messages are bounded in number; a topic whose newest found no room has none', async () => {
  const runs = new Runs();
  const state = await runs.open();
  for (let index = 0; index < limits.mqttRetainedMax; index += 1) runs.append(`${index}`, 'x', retain, state);
  expect(state.happened({ topic: 'more', payload: Buffer.from('x') }, retain)).toBe(false);
  expect(state.happened({ topic: '7', payload: Buffer.from('y') }, retain)).toBe(true);
  const large = Buffer.alloc(limits.mqttRetainedBytesMax);
  expect(state.happened({ topic: '8', payload: large }, retain)).toBe(false);
  expect([...state.retained.matching(['8', 'more'])]).toEqual([]);
  expect(runs.metrics.value('headwater_mqtt_given_up_total', { what: 'retained' })).toBe(2);
  await state.stop();
});

test('wills are bounded: one that finds no room is counted', async () => {
  const runs = new Runs();
  const state = await runs.open();
  const will = {
    user: null,
    topic: 'w',
    payload: Buffer.alloc(60_000),
    qos: 1,
    retain: false,
    keepAliveMs: 0,
  };
  const count = Math.floor(limits.mqttWillsBytesMax / 60_000) + 1;
  for (let index = 0; index < count; index += 1) state.keepWill({ client: `c${index}`, ...will });
  expect(runs.metrics.value('headwater_mqtt_given_up_total', { what: 'will' })).toBe(1);
  await state.stop();
});

test('nothing overtakes what waited: the connection goes live only when the broker has sent the last of it', async () => {
  const runs = new Runs();
  const state = await runs.open();
  const delivery = new Delivery(state);
  state.sessions.subscribe('c', [{ topic: '#', qos: 1 }]);
  runs.append('t', 'waited', queue, state);
  const connection = { id: 'c', clean: false };
  const packets = delivery.waiting(connection);
  const first = (await packets.next()).value as PublishPacket;
  const end = packets.next();
  const live = { topic: 't', payload: Buffer.from('live'), qos: 1, brokerId: 'b', brokerCounter: 1 };
  const forwarded = () => delivery.forward(connection, live);
  state.happened(live, queue);
  state.sessions.name([{ clientId: 'c' }], live, 1, live);
  expect(forwarded()).toBe(null);
  delivery.handed(connection, first.messageId);
  const second = (await end).value as PublishPacket;
  expect(Buffer.from(second.payload).toString()).toBe('live');
  expect(second.messageId).not.toBe(first.messageId);
  const last = packets.next();
  delivery.handed(connection, second.messageId);
  expect((await last).done).toBe(true);
  const later = { ...live, payload: Buffer.from('later'), brokerCounter: 2 };
  state.happened(later, queue);
  state.sessions.name([{ clientId: 'c' }], later, 1, later);
  expect(delivery.forward(connection, later)).toMatchObject({ messageId: (second.messageId ?? 0) + 1 });
  await state.stop();
});

test('what was sent while it waited is not sent again when the broker comes to it, acknowledged by then or not', async () => {
  for (const isAcknowledged of [false, true]) {
    const runs = new Runs();
    const state = await runs.open();
    const delivery = new Delivery(state);
    state.sessions.subscribe('c', [{ topic: '#', qos: 2 }]);
    const slow = { topic: 't', payload: Buffer.from('slow'), qos: 2, brokerId: 'b', brokerCounter: 1 };
    state.happened(slow, { retain: null, queue: 2 });
    const connection = { id: 'c', clean: false };
    const packets = delivery.waiting(connection);
    const { messageId } = (await packets.next()).value as PublishPacket;
    delivery.handed(connection, messageId);
    expect((await packets.next()).done).toBe(true);
    const session = state.sessions.find('c');
    const [message] = session?.messages ?? [];
    if (session === undefined || message === undefined) throw new Error('it waits');
    if (isAcknowledged) state.sessions.acknowledged(session, message);
    state.sessions.name([{ clientId: 'c' }], slow, 2, slow);
    expect(delivery.forward(connection, slow)).toBe(null);
    await state.stop();
  }
});

test('whoever asks again as soon as it is answered does not wait for the next round', async () => {
  const runs = new Runs();
  // The next round would come by itself after an hour.
  const slow = (ms: number, signal?: AbortSignal): Promise<void> =>
    nodeClock.sleep(ms === 0 ? 0 : 3_600_000, signal);
  const state = await runs.open({ ...nodeClock, sleep: slow });
  const rounds = 5;
  for (let round = 0; round < rounds; round += 1) {
    state.sessions.subscribe(`${round}`, [{ topic: '#', qos: 1 }]);
    await state.writes.written();
  }
  expect(runs.store.writes).toBe(rounds);
  await state.stop();
});

test('a store with nothing to keep is not written', async () => {
  const store = new MemorySessionStore();
  const shared = {
    limits: defaultMqttLimits,
    clock: nodeClock,
    metrics: new CountingMetrics(),
    logger: new KeepingLogger(),
  };
  const state = await MqttState.open({ ...shared, store, history: noHistory, remark() {} });
  state.happened({ topic: 't', payload: Buffer.from('x') }, { retain: null, queue: null });
  state.sweep(10 * limits.mqttStoreIntervalMs);
  await state.stop();
  expect(store.writes).toBe(0);
});
