import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { OperatingError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import type { Accept } from '../../../src/core/record.ts';
import {
  MqttSource,
  type MqttSourceOptions,
  type SourceMemory,
  type Subscribed,
} from '../../../src/ingest/mqtt-source/mqtt-source.ts';
import type { Log } from '../../../src/log/log.ts';
import { nodeClock } from '../../../src/platform/node-clock.ts';
import { openLog, readTexts, textRecord } from '../../support/log-on-disk.ts';
import { SimDisk } from '../../support/sim-disk.ts';
import { SimRandom } from '../../support/sim-random.ts';
import { CountingMetrics, HeldLog, KeepingLogger, noQos2Log, until } from '../mqtt/harness.ts';
import { packet, publish, pubrel } from '../mqtt/packets.ts';
import { FakeBroker } from './fake-broker.ts';

/** A memory that lasts as long as the test. */
class Memory implements SourceMemory {
  subscribed: Subscribed | null = null;
  recall = () => this.subscribed;
  remember = (subscribed: Subscribed): Promise<void> => {
    this.subscribed = subscribed;
    return Promise.resolve();
  };
}

/** Waits last a hundredth, so that a test does not wait for backoffs. */
const quickClock = {
  ...nodeClock,
  sleep: (ms: number, signal?: AbortSignal) => nodeClock.sleep(ms / 100, signal),
};

class Bench implements AsyncDisposable {
  readonly held = new HeldLog();
  readonly memory = new Memory();
  readonly metrics = new CountingMetrics();
  readonly logger = new KeepingLogger();
  readonly broker: FakeBroker;
  #source: MqttSource | null = null;

  constructor(broker: FakeBroker) {
    this.broker = broker;
  }

  start(change: Partial<MqttSourceOptions> = {}): MqttSource {
    const { port } = this.broker;
    const access = { username: undefined, password: undefined, isTls: false, tlsTrouble: () => null };
    this.#source = MqttSource.start({
      name: 'plant',
      url: `mqtt://127.0.0.1:${port}`,
      session: '0123456789abcdef',
      clientId: 'headwater-gw1-plant',
      topics: ['sensors/#'],
      qos: 2,
      readAccess: () =>
        Promise.resolve({
          ok: true,
          access: { ...access, open: () => connect({ host: '127.0.0.1', port }) },
        }),
      memory: this.memory,
      recordOf: (topic, payload) =>
        textRecord('readings', Buffer.from(payload).toString(), { key: Buffer.from(topic) }),
      accept: this.held.accept,
      qos2: noQos2Log,
      clock: quickClock,
      random: new SimRandom(1),
      logger: this.logger,
      metrics: this.metrics,
      ...change,
    });
    return this.#source;
  }

  /** The connection of this number, subscribed. */
  async subscribed(count = 1) {
    const session = await this.broker.session(count);
    await until(() => this.source.status().state === 'connected', 'the subscription');
    return session;
  }

  get source(): MqttSource {
    if (this.#source === null) throw new Error('not started');
    return this.#source;
  }

  async stop(): Promise<void> {
    await this.#source?.stop();
    this.#source = null;
  }

  reconnects(cause: string): number {
    return this.metrics.value('headwater_mqtt_source_reconnects_total', { source: 'plant', cause });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.broker[Symbol.asyncDispose]();
  }
}

const bench = async (): Promise<Bench> => new Bench(await FakeBroker.start());

async function realLog(): Promise<{
  log: Log;
  accept: Accept;
  qos2: Log;
  readings: () => Promise<string[]>;
}> {
  const log = await openLog(new SimDisk(new SimRandom(1)).session());
  await log.createTopic('readings', 1);
  const accept: Accept = async (records) => {
    await log.append(records);
  };
  return { log, accept, qos2: log, readings: async () => [...(await readTexts(log, 'readings', 0))] };
}

test('it asks for a session that lasts, under its client id, and subscribes with its QoS', async () => {
  await using own = await bench();
  own.start();
  const session = await own.subscribed();
  const [connectPacket] = session.received;
  // The flags after the protocol's name and level: no clean session.
  expect((connectPacket?.bytes[9] ?? 0xff) & 2).toBe(0);
  expect(connectPacket?.bytes.toString()).toContain('headwater-gw1-plant');
  expect(session.topics(8)).toEqual(['sensors/#']);
  expect(own.metrics.value('headwater_mqtt_source_connected', { source: 'plant' })).toBe(1);
});

test('messages are offered at once and acknowledged when they are durable, in order', async () => {
  await using own = await bench();
  own.held.isHolding = true;
  own.start();
  const session = await own.subscribed();
  session.send(...[1, 2, 3].map((id) => publish('sensors/1', `m${id}`, { qos: 1, id })));
  await until(() => own.held.offers.length === 3, 'the offers');
  own.held.offers[2]?.resolve();
  own.held.offers[1]?.resolve();
  expect(own.source.status()).toMatchObject({ messages: 3, unanswered: 3 });
  expect(session.ids(4)).toEqual([]);
  own.held.offers[0]?.resolve();
  await until(() => session.ids(4).length === 3, 'the acknowledgements');
  expect(session.ids(4)).toEqual([1, 2, 3]);
  expect(own.held.values()).toEqual(['m1', 'm2', 'm3']);
});

test('while the log refuses nothing is acknowledged, and it goes on by itself', async () => {
  await using own = await bench();
  own.held.failWith = new OperatingError('log-unavailable', 'the disk is full');
  own.start();
  const session = await own.subscribed();
  session.send(publish('sensors/1', 'a', { qos: 1, id: 1 }), publish('sensors/1', 'b', { qos: 1, id: 2 }));
  await until(() => own.held.offers.length >= 6, 'some attempts');
  expect(session.ids(4)).toEqual([]);
  expect(own.source.status().lastError?.message).toContain('the disk is full');
  own.held.failWith = null;
  await until(() => session.ids(4).length === 2, 'the acknowledgements');
  expect(session.isClosed).toBe(false);
});

test('a broker that sends more than is stored is not read on', async () => {
  await using own = await bench();
  own.held.isHolding = true;
  own.start();
  const session = await own.subscribed();
  const payload = Buffer.alloc(64 * 1024);
  for (let id = 1; id <= 256; id += 1) session.send(publish('sensors/1', payload, { qos: 1, id }));
  await until(() => own.held.offers.length > 10, 'the first offers');
  const { socket } = session;
  let before = -1;
  await until(() => {
    const isStill = socket.bytesWritten - socket.writableLength === before;
    before = socket.bytesWritten - socket.writableLength;
    return isStill && socket.writableLength > 0;
  }, 'the broker held back');
  expect(own.held.bytes()).toBeLessThanOrEqual(limits.mqttSourcePendingBytesMax);
  own.held.letGo();
  await until(() => session.ids(4).length === 256, 'all acknowledgements');
});

test('QoS 2 is stored once through lost connections and restarts on both sides of PUBREC', async () => {
  await using own = await bench();
  const { log, readings, ...ports } = await realLog();
  own.broker.behaviour = { isSessionPresent: true };
  own.start(ports);
  const first = await own.subscribed();
  first.send(publish('sensors/1', 'one', { qos: 2, id: 7 }));
  await until(() => first.ids(5).length === 1, 'PUBREC');
  first.socket.destroy();
  const second = await own.broker.session(2);
  second.send(publish('sensors/1', 'one', { qos: 2, id: 7, dup: true }));
  await until(() => second.ids(5).length === 1, 'PUBREC again');
  await own.stop();
  own.start(ports);
  const third = await own.broker.session(3);
  third.send(publish('sensors/1', 'one', { qos: 2, id: 7, dup: true }), pubrel(7));
  await until(() => third.ids(7).length === 1, 'PUBCOMP');
  third.socket.destroy();
  const fourth = await own.broker.session(4);
  fourth.send(pubrel(7));
  await until(() => fourth.ids(7).length === 1, 'PUBCOMP again');
  fourth.send(publish('sensors/1', 'two', { qos: 2, id: 7 }));
  await until(() => fourth.ids(5).length === 1, 'PUBREC of another message');
  expect(await readings()).toEqual(['one', 'two']);
  expect(own.metrics.value('headwater_mqtt_duplicates_total')).toBe(2);
  await log.close();
});

test('with a new session the packet ids begin anew, and a lost one is told', async () => {
  await using own = await bench();
  const { log, readings, ...ports } = await realLog();
  own.start(ports);
  const first = await own.subscribed();
  first.send(publish('sensors/1', 'one', { qos: 2, id: 7 }));
  await until(() => first.ids(5).length === 1, 'PUBREC');
  expect(own.source.status().sessionsLost).toBe(0);
  first.socket.destroy();
  const second = await own.broker.session(2);
  await until(() => second.topics(8).length === 1, 'the subscription');
  second.send(publish('sensors/1', 'two', { qos: 2, id: 7, dup: true }));
  await until(() => second.ids(5).length === 1, 'PUBREC');
  expect(await readings()).toEqual(['one', 'two']);
  expect(own.source.status().sessionsLost).toBe(1);
  expect(own.logger.lines.join()).toContain('no longer knows the session');
  await log.close();
});

test('a session that is still there is subscribed only to what it lacks, and no longer to what is not wanted', async () => {
  await using own = await bench();
  own.start({ topics: ['a', 'b'] });
  expect((await own.subscribed()).topics(8)).toEqual(['a', 'b']);
  await own.stop();
  own.broker.behaviour = { isSessionPresent: true };
  own.start({ topics: ['a', 'b'] });
  expect((await own.subscribed(2)).topics(8)).toEqual([]);
  await own.stop();
  own.start({ topics: ['b', 'c'] });
  const third = await own.subscribed(3);
  expect([third.topics(10), third.topics(8)]).toEqual([['a'], ['c']]);
  await own.stop();
  own.start({ topics: ['b', 'c'], qos: 1 });
  expect((await own.subscribed(4)).topics(8)).toEqual(['b', 'c']);
  await own.stop();
  own.start({ topics: ['b', 'c'], qos: 1, session: 'another' });
  expect((await own.subscribed(5)).topics(8)).toEqual(['b', 'c']);
});

test('topics that are refused, or granted with less, are told; the others are received', async () => {
  await using own = await bench();
  own.broker.behaviour = { grant: (topic, qos) => (topic === 'secret' ? 0x80 : topic === 'low' ? 0 : qos) };
  own.start({ topics: ['a', 'secret', 'low'] });
  await own.subscribed();
  expect(own.source.status().refusedTopics).toEqual(['secret']);
  expect(own.logger.lines.join()).toContain('refuses subscriptions to secret; give the user');
  expect(own.logger.lines.join()).toContain('less than QoS 2 for low');
  expect(own.memory.subscribed?.topics).toEqual(['a', 'low']);
});

test('a broker that grants nothing is asked again', async () => {
  await using own = await bench();
  own.broker.behaviour = { grant: () => 0x80 };
  own.start();
  await own.broker.session(2);
  expect(own.reconnects('topics')).toBeGreaterThan(0);
  own.broker.behaviour = {};
  await until(() => own.source.status().state === 'connected', 'the subscription');
});

test.each([
  [1, 'broker', 'does not speak MQTT 3.1.1'],
  [2, 'client-id', 'set clientId'],
  [4, 'login', 'correct username'],
  [5, 'login', 'correct username'],
])('CONNACK %i is told as %s, and tried again', async (returnCode, cause, words) => {
  await using own = await bench();
  own.broker.behaviour = { returnCode };
  own.start();
  await own.broker.session(2);
  expect(own.reconnects(cause)).toBeGreaterThan(0);
  expect(own.source.status()).toMatchObject({
    state: 'connecting',
    lastError: { message: expect.stringContaining(words) },
  });
  own.broker.behaviour = {};
  await until(() => own.source.status().state === 'connected', 'the subscription');
});

test('what does not speak MQTT, or breaks it, is told', async () => {
  await using own = await bench();
  own.start();
  const first = await own.subscribed();
  first.send(packet(0x32, Buffer.from([0, 9, 0x61])));
  await until(() => own.reconnects('protocol') === 1, 'the end');
  own.broker.behaviour = {};
  const second = await own.subscribed(2);
  second.socket.destroy();
  await until(() => own.reconnects('closed') === 1, 'the end');
  expect(own.source.status().lastError?.message).toContain(
    'another client may use the client id headwater-gw1-plant',
  );
});

test('what is wrong with our own files is told without asking anybody, and read anew each time', async () => {
  await using own = await bench();
  let reads = 0;
  own.start({
    readAccess: () => {
      reads += 1;
      return Promise.resolve({ ok: false, problems: ['mqtt.sources.plant.passwordFile: it is not there'] });
    },
  });
  await until(() => reads > 2, 'attempts');
  expect(own.reconnects('access')).toBeGreaterThan(1);
  expect(own.broker.sessions).toEqual([]);
});

test('a stop answers what was received, takes nothing more, says goodbye and leaves the session', async () => {
  await using own = await bench();
  own.held.isHolding = true;
  own.start({ clock: nodeClock });
  const session = await own.subscribed();
  session.send(publish('sensors/1', 'a', { qos: 1, id: 1 }));
  await until(() => own.held.offers.length === 1, 'the offer');
  const stopped = own.stop();
  session.send(publish('sensors/1', 'b', { qos: 1, id: 2 }));
  own.held.letGo();
  await stopped;
  await until(() => session.isClosed, 'the end');
  expect(session.ids(4)).toEqual([1]);
  expect(session.received.at(-1)?.type).toBe(14);
  expect(own.held.values()).toEqual(['a']);
});

test('a stop does not wait for a log that is stuck, nor for a broker that does not answer', async () => {
  await using own = await bench();
  own.held.isHolding = true;
  own.start();
  const session = await own.subscribed();
  session.send(publish('sensors/1', 'a', { qos: 1, id: 1 }));
  await until(() => own.held.offers.length === 1, 'the offer');
  await own.stop();
  await until(() => session.isClosed, 'the end');
  expect(session.ids(4)).toEqual([]);
});
