import { connect as connectSocket, type Socket } from 'node:net';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { Logger } from '../../../src/core/logger.ts';
import type { MetricLabels, Metrics } from '../../../src/core/metrics.ts';
import type { Qos2Log } from '../../../src/core/qos2.ts';
import type { Accept, NewRecord } from '../../../src/core/record.ts';
import type { Access, Identity, Login, LoginAttempt } from '../../../src/ingest/mqtt/access.ts';
import type { ListenerKind, ListenerOptions } from '../../../src/ingest/mqtt/listener.ts';
import { MqttIngest } from '../../../src/ingest/mqtt/mqtt-ingest.ts';
import { defaultMqttLimits, type MqttLimits } from '../../../src/ingest/mqtt/mqtt-limits.ts';
import type { History } from '../../../src/ingest/mqtt/sessions/catch-up.ts';
import type { SessionStore } from '../../../src/ingest/mqtt/sessions/session-store.ts';
import { type AccessLists, TopicAccess } from '../../../src/ingest/mqtt/topic-access.ts';
import { nodeClock } from '../../../src/platform/node-clock.ts';
import { memoryRouting } from '../../support/memory-routing.ts';
import { MemorySessionStore, noHistory } from '../../support/memory-session-store.ts';

const DEADLINE_MS = 15_000;

/** Polls until the condition holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const endMs = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(`in vain: waited for ${what}`);
    await nodeClock.sleep(2);
  }
}

/** One call of `accept`. */
export interface Offer {
  readonly record: NewRecord;
  resolve(): void;
  reject(error: Error): void;
}

/** A log that takes records, or holds them until the test says so. */
export class HeldLog {
  readonly offers: Offer[] = [];
  isHolding = false;
  failWith: Error | null = null;

  readonly accept = async (records: readonly NewRecord[]): Promise<void> => {
    await Promise.all(records.map((record) => this.#offer(record)));
  };

  #offer(record: NewRecord): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.offers.push({ record, resolve, reject });
    if (this.failWith !== null) reject(this.failWith);
    else if (!this.isHolding) resolve();
    return promise;
  }

  values(): string[] {
    return this.offers.map(({ record }) => Buffer.from(record.value ?? []).toString());
  }

  bytes(): number {
    return this.offers.reduce((sum, { record }) => sum + (record.value?.length ?? 0), 0);
  }

  /** Takes all that it holds, and from now on everything at once. */
  letGo(): void {
    this.isHolding = false;
    for (const offer of this.offers) offer.resolve();
  }
}

/** For tests without QoS 2. */
export const noQos2Log: Qos2Log = {
  appendOnce: () => Promise.reject(new Error('nobody publishes with QoS 2 here')),
  release: () => Promise.reject(new Error('nobody publishes with QoS 2 here')),
  releaseAll: () => Promise.resolve(),
  openQos2Ids: () => new Set(),
};

export class CountingMetrics implements Metrics {
  readonly #values = new Map<string, number>();

  add(name: string, by: number, labels: MetricLabels = {}): void {
    this.#values.set(keyOf(name, labels), this.value(name, labels) + by);
  }

  set(name: string, value: number, labels: MetricLabels = {}): void {
    this.#values.set(keyOf(name, labels), value);
  }

  /** Counts what is entered under the name of the histogram. */
  observe(name: string): void {
    this.add(name, 1);
  }

  value(name: string, labels: MetricLabels = {}): number {
    return this.#values.get(keyOf(name, labels)) ?? 0;
  }
}

const keyOf = (name: string, labels: MetricLabels): string => `${name} ${JSON.stringify(labels)}`;

/** Keeps the warnings and errors. */
export class KeepingLogger implements Logger {
  readonly lines: string[] = [];

  debug(): void {}
  info(): void {}
  warn(fields: object, message: string): void {
    this.lines.push(`${message} ${JSON.stringify(fields)}`);
  }
  error(fields: object, message: string): void {
    this.warn(fields, message);
  }
  child(): Logger {
    return this;
  }
}

/** A client without a library: sees the bytes. */
export class RawClient {
  received = Buffer.alloc(0);
  isClosed = false;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connectSocket({ host: '127.0.0.1', port });
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }

  send(...packets: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(packets));
  }
}

/** Users without hashes; a client without a user is let in while the name `` has lists. */
export class TestAccess implements Access {
  readonly users = new Map<string, AccessLists & { readonly password?: string }>([['', {}]]);
  readonly attempts: LoginAttempt[] = [];
  #revoked: () => void = () => {};

  onRevoked(listener: () => void): void {
    this.#revoked = listener;
  }

  /** Changes or, without lists, removes a user. */
  set(name: string, lists?: AccessLists & { readonly password?: string }): void {
    if (lists === undefined) this.users.delete(name);
    else this.users.set(name, lists);
    this.#revoked();
  }

  recall(user: string | null, clientId: string): Identity | null {
    const answer = this.#answer(
      {
        user,
        password: null,
        clientId,
        peer: { host: '', address: '', certificateName: null, origin: null },
      },
      false,
    );
    return 'identity' in answer ? answer.identity : null;
  }

  login(attempt: LoginAttempt): Promise<Login> {
    this.attempts.push(attempt);
    return Promise.resolve(this.#answer(attempt));
  }

  #answer(attempt: LoginAttempt, isAsked = true): Login {
    const name = attempt.user ?? '';
    const found = this.users.get(name);
    if (found === undefined && name === '') return { refusal: 'anonymous', message: 'no user' };
    const given = Buffer.from(attempt.password ?? []).toString();
    if (found === undefined || (isAsked && (found.password ?? '') !== given))
      return { refusal: 'bad-login', message: 'wrong password' };
    const { users } = this;
    const access = new TopicAccess(found, attempt);
    return {
      identity: {
        user: attempt.user,
        get isRevoked() {
          return users.get(name) !== found;
        },
        mayPublish: (topic) => users.get(name) === found && access.mayPublish(topic),
        maySubscribe: (filter) => access.maySubscribe(filter),
      },
    };
  }
}

/** On a free port of 127.0.0.1. */
export const plainListener: ListenerOptions = {
  kind: 'mqtt',
  listen: { host: '127.0.0.1', port: 0 },
  setting: 'mqtt.listen',
  tls: null,
};

/** Ingest with a log that can be held, and clients, all of which end with the test. */
export class Harness implements AsyncDisposable {
  readonly log = new HeldLog();
  readonly access = new TestAccess();
  readonly metrics = new CountingMetrics();
  readonly logger = new KeepingLogger();
  readonly #clients: MqttClient[] = [];
  readonly #rawClients: RawClient[] = [];
  #ingest: MqttIngest | null = null;

  static async start(
    qos2: Qos2Log = noQos2Log,
    own: {
      readonly accept?: Accept;
      readonly store?: SessionStore;
      readonly history?: History;
      readonly listeners?: readonly ListenerOptions[];
      readonly limits?: Partial<MqttLimits>;
    } = {},
  ): Promise<Harness> {
    const harness = new Harness();
    harness.#ingest = await MqttIngest.start({
      listeners: [plainListener],
      accept: harness.log.accept,
      routing: memoryRouting(),
      qos2,
      access: harness.access,
      store: new MemorySessionStore(),
      history: noHistory,
      ...own,
      limits: { ...defaultMqttLimits, ...own.limits },
      clock: nodeClock,
      logger: harness.logger,
      metrics: harness.metrics,
    });
    return harness;
  }

  get ingest(): MqttIngest {
    if (this.#ingest === null) throw new Error('not started');
    return this.#ingest;
  }

  /** The port of a listener. */
  port(kind: ListenerKind = 'mqtt'): number {
    const address = this.ingest.addresses.get(kind);
    if (address === undefined) throw new Error(`nothing listens for ${kind}`);
    return address.port;
  }

  /** How many are connected to a listener. */
  connections(listener: ListenerKind = 'mqtt'): number {
    return this.metrics.value('headwater_mqtt_connections', { listener });
  }

  raw(kind: ListenerKind = 'mqtt'): RawClient {
    const client = new RawClient(this.port(kind));
    this.#rawClients.push(client);
    return client;
  }

  /** A connected MQTT.js client. It does not reconnect unless told so. */
  async client(options: IClientOptions = {}): Promise<MqttClient> {
    const client = this.unconnectedClient(options);
    await until(() => client.connected, 'the CONNACK');
    return client;
  }

  unconnectedClient(options: IClientOptions = {}): MqttClient {
    const protocol = (options.protocol ?? 'mqtt') as ListenerKind;
    const client = mqtt.connect({
      host: '127.0.0.1',
      port: this.port(protocol),
      protocol,
      reconnectPeriod: 0,
      ...options,
    });
    client.on('error', () => {});
    this.#clients.push(client);
    return client;
  }

  refusedConnections(reason: string): number {
    return this.metrics.value('headwater_mqtt_connections_refused_total', { reason });
  }

  refusedRecords(reason: string): number {
    return this.metrics.value('headwater_records_refused_total', { reason });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.end(true);
    for (const { socket } of this.#rawClients) socket.destroy();
    this.log.letGo();
    await this.#ingest?.stop();
  }
}
