import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { isOperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { countFromZero, type Metrics } from '../../core/metrics.ts';
import type { Qos2Log } from '../../core/qos2.ts';
import type { Random } from '../../core/random.ts';
import type { Accept } from '../../core/record.ts';
import { quoted } from '../mqtt/refusals.ts';
import { Notices } from '../notices.ts';
import { Client, type Granted } from './client.ts';
import { Intake } from './intake.ts';
import type { Publish, Release } from './packets.ts';
import { type RecordOf, Storage, type Unfit } from './storage.ts';
import { causes, type Trouble, troubleOf } from './trouble.ts';
import { Upstream } from './upstream.ts';

/** What it takes to get into a broker, as it is at this moment. */
export interface UpstreamAccess {
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Begins to connect. */
  readonly open: () => Socket;
  readonly isTls: boolean;
  /** Why TLS failed and what to do, in words; null if it is not TLS. */
  readonly tlsTrouble: (error: unknown) => string | null;
}

export type UpstreamAccessRead =
  | { readonly ok: true; readonly access: UpstreamAccess }
  /** What is wrong with the files and the environment, each with what to do. No secret is in it. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** What a session at a broker subscribes to. */
export interface Subscribed {
  /** Which session: another broker or client id is another one. */
  readonly session: string;
  readonly topics: readonly string[];
  readonly qos: 1 | 2;
}

/** Keeps over restarts what was subscribed to: a broker does not tell. */
export interface SourceMemory {
  recall(): Subscribed | null;
  /** Never rejects: what is not remembered is subscribed to once more. */
  remember(subscribed: Subscribed): Promise<void>;
}

export interface MqttSourceOptions {
  readonly name: string;
  /** For people, without secrets. */
  readonly url: string;
  /** Names the session at the broker; see {@link Subscribed}. */
  readonly session: string;
  readonly clientId: string;
  readonly topics: readonly string[];
  readonly qos: 1 | 2;
  /** Asked anew for every connection. Never rejects. */
  readonly readAccess: () => Promise<UpstreamAccessRead>;
  readonly memory: SourceMemory;
  readonly recordOf: RecordOf;
  readonly accept: Accept;
  readonly qos2: Qos2Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What the status says of a source. Counts are of this run, times are wall clock, milliseconds since 1970 UTC. */
export interface MqttSourceStatus {
  readonly name: string;
  readonly url: string;
  /** `connecting`: it was not connected yet in this run; `lost`: it was. Both are tried until it is connected. */
  readonly state: 'connecting' | 'connected' | 'lost';
  readonly topics: readonly string[];
  /** Those that the broker does not grant. */
  readonly refusedTopics: readonly string[];
  readonly qos: 1 | 2;
  /** What the broker has sent again included. */
  readonly messages: number;
  readonly deadLetters: number;
  /** Packets received and not answered yet, and how long the oldest has waited. */
  readonly unanswered: number;
  readonly lagSeconds: number;
  readonly reconnects: number;
  /** How often the broker no longer knew our session, with what it had queued. */
  readonly sessionsLost: number;
  /** Null before the first. */
  readonly lastMessageMs: number | null;
  /** What was last wrong with the connection, the messages, or their way into the log. */
  readonly lastError: { readonly message: string; readonly atMs: number } | null;
}

interface Connection {
  readonly upstream: Upstream;
  readonly intake: Intake;
  readonly client: Client;
  readonly access: UpstreamAccess;
}

/**
 * A broker that the gateway subscribes to: connected again and again with the same session, its messages brought into the log
 * and acknowledged once they are durable.
 */
export class MqttSource {
  readonly #options: MqttSourceOptions;
  readonly #notices: Notices;
  readonly #storage: Storage;
  readonly #qos2Client: string;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  #connection: Connection | null = null;
  #backoffMs: number = limits.mqttSourceBackoffMsMin;
  #status: Omit<MqttSourceStatus, 'unanswered' | 'lagSeconds'>;

  private constructor(options: MqttSourceOptions) {
    const { name, url, session, topics, qos, clock, logger, metrics } = options;
    this.#options = options;
    this.#notices = new Notices(clock, logger);
    // No device can have a client id with a zero character [MQTT-1.5.3-2].
    this.#qos2Client = `\0source/${name}/${session}`;
    this.#storage = new Storage({
      ...options,
      qos2Client: this.#qos2Client,
      onUnfit: (reason, message) => this.#tellUnfit(reason, message),
    });
    this.#status = {
      ...{ name, url, state: 'connecting', topics, refusedTopics: [], qos },
      ...{
        messages: 0,
        deadLetters: 0,
        reconnects: 0,
        sessionsLost: 0,
        lastMessageMs: null,
        lastError: null,
      },
    };
    metrics.set('headwater_mqtt_source_connected', 0, { source: name });
    countFromZero(metrics, 'headwater_mqtt_source_messages_total', 'source', [name]);
    countFromZero(metrics, 'headwater_mqtt_source_sessions_lost_total', 'source', [name]);
    countFromZero(metrics, 'headwater_mqtt_source_reconnects_total', 'cause', causes, { source: name });
    this.#running = this.#run();
  }

  /** Starts at once, whether the broker is there or not. */
  static start(options: MqttSourceOptions): MqttSource {
    return new MqttSource(options);
  }

  status(): MqttSourceStatus {
    const intake = this.#connection?.intake;
    const oldestMs = intake?.oldestReceivedMs ?? null;
    const lagMs = oldestMs === null ? 0 : this.#options.clock.monotonicMs() - oldestMs;
    return { ...this.#status, unanswered: intake?.unanswered ?? 0, lagSeconds: lagMs / 1000 };
  }

  /**
   * Takes nothing more, waits `limits.mqttSourceStopMs` at most until what was received is durable and answered, and says goodbye.
   * What is not answered then comes again at the next start.
   */
  async stop(): Promise<void> {
    this.#stopped.abort();
    if (this.#connection !== null) await this.#close(this.#connection);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random, metrics, name, url } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const trouble = await this.#session();
      metrics.set('headwater_mqtt_source_connected', 0, { source: name });
      if (this.#status.state === 'connected') this.#update({ state: 'lost' });
      if (trouble === null) continue;
      metrics.add('headwater_mqtt_source_reconnects_total', 1, { source: name, cause: trouble.cause });
      this.#update({ reconnects: this.#status.reconnects + 1 });
      this.#fail(`the broker at ${url} is tried again and again: ${trouble.message}`);
      await clock.sleep(this.#backoffMs * (0.5 + random.next() / 2), signal);
      this.#backoffMs = Math.min(this.#backoffMs * 2, limits.mqttSourceBackoffMsMax);
    }
  }

  /** One connection, to its end; null if it was ended by a stop. */
  async #session(): Promise<Trouble | null> {
    const read = await this.#options.readAccess();
    if (!read.ok) return { cause: 'access', message: read.problems.join('; ') };
    if (this.#stopped.signal.aborted) return null;
    const connection = this.#open(read.access);
    this.#connection = connection;
    const trouble = await this.#enter(connection);
    if (trouble !== null) await this.#close(connection);
    await connection.client.ended;
    this.#connection = null;
    if (this.#stopped.signal.aborted) return null;
    return trouble ?? (await this.#endOf(connection, true));
  }

  #open(access: UpstreamAccess): Connection {
    const { clientId, clock } = this.#options;
    const intake = new Intake({
      offerOf: (packet, receivedMs) => this.#storage.offerOf(packet, receivedMs),
      answer: (bytes) => upstream.answer(bytes),
      onAnswered: () => upstream.resumeReading(),
      onRefused: (reason) => this.#fail(`messages of the broker wait unacknowledged: ${reason}`),
      clock,
    });
    const upstream = new Upstream(access.open(), {
      take: (packet) => this.#take(intake, packet),
      get isFull() {
        return intake.isFull;
      },
      close: () => intake.close(),
    });
    const client = new Client(upstream, {
      clientId,
      username: access.username,
      password: access.password,
      keepAliveMs: limits.mqttSourceKeepAliveMs,
      connectTimeoutMs: limits.mqttSourceConnectTimeoutMs,
    });
    return { upstream, intake, client, access };
  }

  #take(intake: Intake, packet: Publish | Release): void {
    if (packet.kind === 'publish') {
      const { name, clock, metrics } = this.#options;
      this.#update({ messages: this.#status.messages + 1, lastMessageMs: clock.wallMs() });
      metrics.add('headwater_mqtt_source_messages_total', 1, { source: name });
    }
    intake.take(packet);
  }

  /** From the login to the subscriptions. Null once it is subscribed. */
  async #enter(connection: Connection): Promise<Trouble | null> {
    const { qos2, metrics, name, url } = this.#options;
    const { client } = connection;
    const entered = await client.connected;
    if (entered === null) return await this.#endOf(connection, false);
    if (!entered.isSessionPresent) {
      this.#tellLost();
      try {
        // Its packet ids begin anew. Before a subscription nothing can arrive.
        await qos2.releaseAll(this.#qos2Client);
      } catch (error) {
        if (!isOperatingError(error)) throw error;
        return { cause: 'log', message: error.message };
      }
    }
    const trouble = await this.#subscribe(connection, entered.isSessionPresent);
    if (trouble !== null) return trouble;
    this.#backoffMs = limits.mqttSourceBackoffMsMin;
    this.#update({ state: 'connected' });
    metrics.set('headwater_mqtt_source_connected', 1, { source: name });
    this.#notices.say('info', `subscribed at the broker ${url}`);
    return null;
  }

  /** To what the session does not have yet: to subscribe once more would bring all retained messages once more. */
  async #subscribe(connection: Connection, isSessionPresent: boolean): Promise<Trouble | null> {
    const { session, topics, qos, memory } = this.#options;
    const { client } = connection;
    const remembered = memory.recall();
    const present = isSessionPresent && remembered?.session === session ? remembered : null;
    const had = present?.qos === qos ? topics.filter((topic) => present.topics.includes(topic)) : [];
    const missing = topics.filter((topic) => !had.includes(topic));
    const unwanted = (present?.topics ?? []).filter((topic) => !topics.includes(topic));
    if (unwanted.length > 0 && !(await client.unsubscribe(unwanted)))
      return await this.#endOf(connection, true);
    const granted: Granted | undefined =
      missing.length === 0 ? new Map() : await client.subscribe(missing, qos);
    if (granted === undefined) return await this.#endOf(connection, true);
    const refused = missing.filter((topic) => granted.get(topic) === 'refused');
    this.#update({ refusedTopics: refused });
    if (refused.length === topics.length)
      return {
        cause: 'topics',
        message:
          'it refuses to let this gateway subscribe to any of its topics; give its user the right to read them',
      };
    const lower = missing.filter((topic) => Number(granted.get(topic)) < qos);
    this.#tellGranted(refused, lower);
    await memory.remember({ session, topics: topics.filter((topic) => !refused.includes(topic)), qos });
    return null;
  }

  async #close({ upstream, intake, client }: Connection): Promise<void> {
    const { clock } = this.#options;
    upstream.quiesce();
    await within(clock, intake.settled());
    client.end();
    await within(clock, client.ended);
    upstream.destroy();
  }

  async #endOf({ upstream, client, access }: Connection, wasConnected: boolean): Promise<Trouble> {
    const { clientId } = this.#options;
    const { isTls, tlsTrouble } = access;
    const reason = await client.ended;
    return troubleOf({ clientId, failure: upstream.failure, reason, wasConnected, tlsTrouble, isTls });
  }

  #tellLost(): void {
    const { memory, session, metrics, name, url } = this.#options;
    if (memory.recall()?.session !== session) return;
    metrics.add('headwater_mqtt_source_sessions_lost_total', 1, { source: name });
    this.#update({ sessionsLost: this.#status.sessionsLost + 1 });
    this.#fail(
      `the broker at ${url} no longer knows the session of this gateway: what it had queued there is lost, and retained messages ` +
        'come once more. Let it keep sessions over restarts (Mosquitto: persistence true) and long enough',
    );
  }

  #tellGranted(refused: readonly string[], lower: readonly string[]): void {
    const { qos } = this.#options;
    if (refused.length > 0)
      this.#fail(
        `the broker refuses subscriptions to ${quoted(refused.join(', '))}; give the user of this gateway the right to read there, or remove them`,
      );
    if (lower.length > 0)
      this.#fail(
        `the broker grants less than QoS ${qos} for ${quoted(lower.join(', '))}; raise what it allows`,
      );
  }

  #tellUnfit(reason: Unfit, { topic }: Publish): void {
    this.#update({ deadLetters: this.#status.deadLetters + 1 });
    this.#fail(
      `a message to ${quoted(topic)} cannot be a record (${reason}); it is acknowledged, and kept in the topic dead-letters`,
    );
  }

  #fail(message: string): void {
    this.#update({ lastError: { message, atMs: this.#options.clock.wallMs() } });
    this.#notices.say('warn', message);
  }

  #update(changed: Partial<MqttSourceStatus>): void {
    this.#status = { ...this.#status, ...changed };
  }
}

async function within(clock: Clock, ending: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([ending, clock.sleep(limits.mqttSourceStopMs, timer.signal)]);
  timer.abort();
}
