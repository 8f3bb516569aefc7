import type { Duplex } from 'node:stream';
import { Aedes, type AedesPublishPacket, type Client } from 'aedes';
import type { Clock } from '../../core/clock.ts';
import { assert } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Qos2Log } from '../../core/qos2.ts';
import type { Accept } from '../../core/record.ts';
import type { Access } from './access.ts';
import { brokerPersistence } from './broker-persistence.ts';
import { ClientAccess } from './client-access.ts';
import { type ConnectedClientStatus, ConnectedClients } from './connected-clients.ts';
import { connectionRefusalOf } from './connection-errors.ts';
import { GrantedFilters } from './granted-filters.ts';
import { Guard } from './guard.ts';
import { publishLeftWills } from './left-wills.ts';
import type { Address } from './listen.ts';
import { Listener, type ListenerKind, type ListenerOptions } from './listener.ts';
import { MessageBus } from './message-bus.ts';
import type { MqttLimits } from './mqtt-limits.ts';
import type { Peer } from './peer.ts';
import { PendingBytes } from './pending-bytes.ts';
import { PublishGate } from './publish-gate.ts';
import { Refusals } from './refusals.ts';
import type { Routing, Unrouted } from './routes/routing.ts';
import type { History } from './sessions/catch-up.ts';
import { Delivery } from './sessions/delivery.ts';
import { type KeptStatus, MqttState } from './sessions/mqtt-state.ts';
import type { SessionStore } from './sessions/session-store.ts';
import { versionRefusal, versionRefusalMessage } from './version-refusal.ts';

export interface MqttIngestOptions {
  /** One of a kind at most. */
  readonly listeners: readonly ListenerOptions[];
  /** For QoS 0 and 1, and for wills. */
  readonly accept: Accept;
  readonly limits: MqttLimits;
  /** Makes records of messages. */
  readonly routing: Routing;
  readonly qos2: Qos2Log;
  readonly access: Access;
  /** Where sessions, retained messages and wills are kept, and the log that they are made good from. */
  readonly store: SessionStore;
  readonly history: History;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface MqttStatus extends KeptStatus {
  readonly unrouted: readonly Unrouted[];
}

/** The MQTT 3.1.1 broker of the gateway: every message becomes a record before anybody is told of it. */
export class MqttIngest {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #refusals: Refusals;
  readonly #access: ClientAccess;
  readonly #clients: ConnectedClients;
  readonly #gate: PublishGate;
  readonly #limits: MqttLimits;
  readonly #budget: PendingBytes;
  readonly #guards = new Map<Guard, Listener>();
  readonly #listeners: readonly Listener[];
  readonly #stopped = new AbortController();
  readonly #state: MqttState;
  readonly #delivery: Delivery;
  readonly #routing: Routing;
  readonly #filters: GrantedFilters;
  /** The broker reports each message in flight of a client that failed; the first report counts. */
  readonly #failed = new WeakSet<Client>();
  #broker: Aedes | null = null;

  private constructor(options: MqttIngestOptions, refusals: Refusals, state: MqttState) {
    this.#state = state;
    this.#delivery = new Delivery(state);
    this.#routing = options.routing;
    this.#limits = options.limits;
    this.#budget = new PendingBytes(options.limits.pendingBytesMax);
    this.#filters = new GrantedFilters(options.limits);
    const { listeners, accept, routing, qos2, access, clock, logger, metrics } = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#metrics = metrics;
    this.#refusals = refusals;
    this.#access = new ClientAccess(access, refusals);
    this.#clients = new ConnectedClients(clock);
    this.#gate = new PublishGate({
      identityOf: (client) => this.#access.identityOf(client),
      clients: this.#clients,
      limits: this.#limits,
      routing,
      accept,
      qos2,
      effectsOf: (topic, qos, retain) => state.effectsOf(topic, qos, retain),
      happened: (message, effects) => state.happened(message, effects),
      clock,
      metrics,
      refusals,
    });
    this.#listeners = listeners.map((one) => {
      const listener: Listener = new Listener(one, {
        hasRoom: () => this.#connections < this.#limits.connectionsMax,
        onConnection: (stream, peer) => this.#connect(listener, stream, peer),
        onFailed: ({ reason, message }, address) =>
          this.#refusals.connection(reason, { address, listener: one.kind }, message),
      });
      return listener;
    });
  }

  /**
   * Starts to take messages.
   * @throws OperatingError `port-unusable`
   */
  static async start(options: MqttIngestOptions): Promise<MqttIngest> {
    const refusals = new Refusals(options.clock, options.logger, options.metrics);
    const remark: Refusals['remark'] = (...told) => refusals.remark(...told);
    const state = await MqttState.open({ ...options, remark });
    const ingest = new MqttIngest(options, refusals, state);
    ingest.#broker = await ingest.#createBroker();
    try {
      for (const listener of ingest.#listeners) await listener.open(options.logger);
    } catch (error) {
      await ingest.stop();
      throw error;
    }
    void ingest.#sweep();
    void ingest.#publishLeftWills();
    return ingest;
  }

  /** How much it keeps for clients, and which MQTT topics followed no route last. */
  status(): MqttStatus {
    return { ...this.#state.status(), unrouted: this.#routing.unrouted() };
  }

  /** Who is connected. */
  clients(): readonly ConnectedClientStatus[] {
    return this.#clients.list();
  }

  /** Gives these to subscribers as the gateway's own, if they say something new; who subscribes later is given the last of each topic. */
  tell(messages: readonly { readonly topic: string; readonly payload: string }[]): void {
    for (const { topic, payload } of messages) {
      const packet = { cmd: 'publish', topic, payload, qos: 0, dup: false } as const;
      if (this.#state.retained.tell({ ...packet, retain: true }))
        this.#broker?.publish({ ...packet, retain: false }, () => {});
    }
  }

  /** Where it listens. */
  get addresses(): ReadonlyMap<ListenerKind, Address> {
    return new Map(this.#listeners.map(({ kind, address }) => [kind, address]));
  }

  get #connections(): number {
    return this.#listeners.reduce((sum, { connections }) => sum + connections, 0);
  }

  /**
   * Stops within about twice `limits.mqttStopMs`: no new clients and no new messages; messages in flight are answered
   * if the log is quick enough, and cut off otherwise; then all connections are closed, and wills are stored.
   */
  async stop(): Promise<void> {
    this.#stopped.abort();
    const closed = Promise.all(this.#listeners.map((listener) => listener.close()));
    for (const guard of this.#guards.keys()) guard.quiesce();
    await this.#allAnswered();
    for (const guard of this.#guards.keys()) guard.flush();
    const broker = this.#broker;
    if (broker !== null) await new Promise<void>((resolve) => broker.close(resolve));
    for (const guard of this.#guards.keys()) guard.destroy();
    await this.#allAnswered();
    await closed;
    await this.#state.stop();
    this.#reportGauges();
  }

  async #allAnswered(): Promise<void> {
    const endMs = this.#clock.monotonicMs() + limits.mqttStopMs;
    while (this.#gate.inFlight > 0 && this.#clock.monotonicMs() < endMs)
      await this.#clock.sleep(limits.mqttStopPollMs);
  }

  #connect(listener: Listener, stream: Duplex, peer: Peer): void {
    const guard = new Guard({
      stream,
      peer,
      limits: this.#limits,
      budget: this.#budget,
      onCut: (reason, message) => this.#refusals.connection(reason, { address: peer.address }, message),
      onSlowed: () => this.#slowed(peer),
    });
    this.#guards.set(guard, listener);
    const client = this.#broker?.handle(guard);
    guard.on('close', () => {
      this.#guards.delete(guard);
      if (client !== undefined) {
        this.#access.ended(client);
        this.#clients.ended(client);
        this.#delivery.ended(client);
      }
      this.#reportGauges();
    });
  }

  #slowed({ address }: Peer): void {
    this.#metrics.add('headwater_mqtt_slowed_total', 1);
    const message =
      'a client publishes faster than mqtt.limits.messagesPerSecond, and is held back; nothing of it is lost';
    this.#refusals.remark('message-rate', { address }, message);
  }

  async #createBroker(): Promise<Aedes> {
    const broker = await Aedes.createBroker({
      maxTopicLevels: this.#limits.topicLevelsMax,
      maxInflightInbound: limits.mqttClientQos2IdsMax,
      mq: new MessageBus(),
      persistence: brokerPersistence<Client>({
        gate: this.#gate,
        state: this.#state,
        delivery: this.#delivery,
        // The broker also ends the session of who was not let in: of a stranger with a device's client id.
        endsSession: (client) => this.#access.isLetIn(client) && client.clean,
        isGranted: (client, filter) => this.#filters.has(client, filter),
        connectOf: (client) => this.#access.connectOf(client),
        // Before the broker cuts the connection, and loses what it has not written out.
        flush: (client) => guardOf(client).flush(),
        cut: (client, refusal) => {
          guardOf(client).flush();
          this.#clientFailed(client, refusal);
          client.close();
        },
      }),
      drainTimeout: limits.mqttSubscriberStallMsMax,
      preConnect: (client, packet, done) => {
        const { clientId, clean, will, keepalive = 0, protocolVersion, properties } = packet;
        if (protocolVersion === 5) {
          guardOf(client).write(versionRefusal(properties?.maximumPacketSize));
          guardOf(client).flush();
          done(Object.assign(new Error(versionRefusalMessage), { errorCode: 1 }), false);
          return;
        }
        packet.keepalive = this.#keepAliveOf(keepalive);
        this.#access.connecting(client, { clientId, clean, will, keepAliveMs: packet.keepalive * 1000 });
        done(null, true);
      },
      authenticate: (client, user, password, done) => {
        const asked = this.#access.authenticate(client, user ?? null, password ?? null, guardOf(client).peer);
        void asked.then((refusal) => done(refusal, refusal === null));
      },
      authorizeSubscribe: (client, subscription, done) => {
        // Without one the broker answers 0x80 for it [MQTT-3.9.3-1].
        done(null, this.#mayAlsoSubscribe(client, subscription.topic) ? subscription : null);
      },
      authorizePublish: (client, packet, done) => {
        assert(client !== null, 'there are no other brokers whose wills we publish');
        this.#gate.publish(client, packet, (refusal) => {
          // The broker cuts the connection at once; the answers to earlier messages must be on their way.
          if (refusal !== null) guardOf(client).flush();
          done(refusal);
        });
      },
      authorizeForward: (client, packet) => this.#toBeForwarded(client, packet),
      published: (packet, client, done) => {
        this.#gate.published(packet, () => {
          // First the acknowledgement: what the guard lets pass then may be the DISCONNECT.
          done(null);
          if (client !== null && packet.length !== undefined) guardOf(client).answered(packet.length);
        });
      },
    });
    this.#listenTo(broker);
    return broker;
  }

  /** In seconds; 0 for none. */
  #keepAliveOf(asked: number): number {
    const max = (this.#limits.keepAliveMsMax ?? 0) / 1000;
    if (max === 0) return asked;
    return asked === 0 ? max : Math.min(asked, max);
  }

  #mayAlsoSubscribe(client: Client, filter: string): boolean {
    if (!this.#access.maySubscribe(client, filter)) return false;
    const { subscriptionsMax, topicBytesMax } = this.#limits;
    if (Buffer.byteLength(filter) <= topicBytesMax && this.#filters.grant(client, filter)) return true;
    const message =
      `subscription refused: a client has ${subscriptionsMax} of them at most, of ${topicBytesMax} bytes each and ` +
      `${limits.mqttSubscriptionBytesMax} in all; see mqtt.limits`;
    this.#refusals.subscription({ client: client.id }, message);
    return false;
  }

  #toBeForwarded(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
    if (!this.#gate.mayForward(packet)) return null;
    // What waited for a client that connects; its rights may have changed since.
    if (!client.connected && !this.#access.identityOf(client).maySubscribe(packet.topic)) return null;
    return this.#delivery.forward(client, packet);
  }

  async #publishLeftWills(): Promise<void> {
    const { leftWills: left, wills } = this.#state;
    await publishLeftWills({
      left,
      wills,
      gate: this.#gate,
      recall: (client, user) => this.#access.recall(client, user),
      deliver: ({ topic, payload, qos, retain }) =>
        this.#broker?.publish(
          { cmd: 'publish', topic, payload, qos: qos as AedesPublishPacket['qos'], retain, dup: false },
          () => {},
        ),
      clock: this.#clock,
      signal: this.#stopped.signal,
    });
  }

  #listenTo(broker: Aedes): void {
    broker.on('clientReady', (client) => {
      const guard = guardOf(client);
      this.#arrived(client, guard);
      guard.connected();
      this.#logger.debug({ client: client.id, address: guard.peer.address }, 'client connected');
      this.#reportGauges();
    });
    broker.on('clientDisconnect', (client) => {
      this.#logger.debug({ client: client.id, address: guardOf(client).peer.address }, 'client disconnected');
    });
    broker.on('unsubscribe', (filters, client) => this.#filters.revoke(client, filters));
    broker.on('clientError', (client, error) => this.#clientFailed(client, error));
    broker.on('connectionError', (client, error) => this.#clientFailed(client, error));
    // Without a listener this would end the process.
    (broker as NodeJS.EventEmitter).on('error', (error: Error) => {
      this.#logger.error(
        { error: error.message },
        'the MQTT broker failed to deliver to subscribers, which may miss messages; what is stored and mirrored is whole',
      );
    });
  }

  #arrived(client: Client, guard: Guard): void {
    const listener = this.#guards.get(guard)?.kind;
    // It may have gone meanwhile.
    if (listener === undefined) return;
    const { user } = this.#access.identityOf(client);
    this.#clients.connected(client, { id: client.id, user, address: guard.peer.address, listener });
  }

  #clientFailed(client: Client, error: Error): void {
    if (this.#failed.has(client)) return;
    this.#failed.add(client);
    const reason = connectionRefusalOf(error);
    const fields = { client: client.id, address: guardOf(client).peer.address };
    if (reason === null) this.#logger.debug(fields, 'client went away before its messages were answered');
    else this.#refusals.connection(reason, fields, error.message);
  }

  #reportGauges(): void {
    const connected = new Map(this.#listeners.map((listener) => [listener, 0]));
    for (const [guard, listener] of this.#guards)
      if (guard.isConnected) connected.set(listener, (connected.get(listener) ?? 0) + 1);
    for (const [{ kind }, count] of connected)
      this.#metrics.set('headwater_mqtt_connections', count, { listener: kind });
    this.#metrics.set('headwater_mqtt_pending_bytes', this.#budget.used);
  }

  async #sweep(): Promise<void> {
    let lastMs = this.#clock.monotonicMs();
    while (!this.#stopped.signal.aborted) {
      await this.#clock.sleep(limits.mqttSweepIntervalMs, this.#stopped.signal);
      const nowMs = this.#clock.monotonicMs();
      const elapsedMs = nowMs - lastMs;
      for (const guard of this.#guards.keys()) guard.sweep(elapsedMs);
      for (const listener of this.#listeners) listener.sweep(elapsedMs);
      lastMs = nowMs;
      this.#refusals.sweep();
      this.#state.sweep(elapsedMs);
      this.#reportGauges();
    }
  }
}

function guardOf(client: Client): Guard {
  assert(client.conn instanceof Guard, 'the broker knows its clients through their guards');
  return client.conn;
}
