import type { Duplex } from 'node:stream';
import { MqttClient } from 'mqtt';

export interface ClientOptions {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly keepAliveMs: number;
  readonly connectTimeoutMs: number;
}

/** The broker has answered our CONNECT with no. */
export class ConnectRefused extends Error {
  override readonly name = 'ConnectRefused';
  /** Of the CONNACK, 1 to 5 [MQTT-3.2.2.3]. */
  readonly returnCode: number;

  constructor(returnCode: number, message: string) {
    super(message);
    this.returnCode = returnCode;
  }
}

/** What the broker granted of a subscription: a QoS, or `refused`. */
export type Granted = ReadonlyMap<string, number | 'refused'>;

/**
 * One connection to a broker by MQTT.js, with a session that outlasts it (MQTT 3.1.1, clean session 0): login, subscriptions,
 * keep-alive, goodbye. It sees no messages: the stream keeps them.
 */
export class Client {
  readonly #client: MqttClient;
  /** Resolves when the connection is over, with the library's reason if it has one. */
  readonly ended: Promise<Error | null>;
  /** Resolves once the broker has let us in, with whether it has kept our session; null if the connection ended before. */
  readonly connected: Promise<{ readonly isSessionPresent: boolean } | null>;

  constructor(stream: Duplex, options: ClientOptions) {
    const { clientId, username, password, keepAliveMs, connectTimeoutMs } = options;
    this.#client = new MqttClient(() => stream, {
      clientId,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      clean: false,
      protocolVersion: 4,
      keepalive: keepAliveMs / 1000,
      connectTimeout: connectTimeoutMs,
      // A connection each: what it takes to get in is read anew, and our backoff counts.
      reconnectPeriod: 0,
      resubscribe: false,
    });
    let reason: Error | null = null;
    this.#client.on('error', (error) => {
      reason ??= refusalIn(error) ?? error;
    });
    this.ended = new Promise((resolve) => {
      stream.once('close', () => resolve(reason));
    });
    const entered = new Promise<{ readonly isSessionPresent: boolean }>((resolve) => {
      this.#client.once('connect', ({ sessionPresent }) => resolve({ isSessionPresent: sessionPresent }));
    });
    this.connected = Promise.race([entered, this.ended.then(() => null)]);
  }

  /** Subscribes; undefined if the connection ended before the answer. */
  async subscribe(topics: readonly string[], qos: 1 | 2): Promise<Granted | undefined> {
    const asked = new Promise<readonly number[] | undefined>((resolve) => {
      // The library makes an error of one refusal among others; the packet says more.
      this.#client.subscribe([...topics], { qos }, (_error, _subscriptions, packet) => {
        resolve(packet?.granted.map(Number));
      });
    });
    const granted = await Promise.race([asked, this.ended.then(() => undefined)]);
    if (granted === undefined) return undefined;
    return new Map(topics.map((topic, index) => [topic, qosOf(granted[index])]));
  }

  /** Ends subscriptions; false if the connection ended before the answer. */
  async unsubscribe(topics: readonly string[]): Promise<boolean> {
    const asked = new Promise<boolean>((resolve) => {
      this.#client.unsubscribe([...topics], (error) => resolve(error === undefined || error === null));
    });
    return await Promise.race([asked, this.ended.then(() => false)]);
  }

  /** Says goodbye, if there is somebody to say it to, and ends the connection. The session stays. */
  end(): void {
    this.#client.end(!this.#client.connected);
  }
}

const REFUSED = 0x80;

const qosOf = (granted: number | undefined): number | 'refused' =>
  granted === undefined || granted >= REFUSED ? 'refused' : granted;

function refusalIn(error: Error): ConnectRefused | null {
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'number' && error.message.startsWith('Connection refused')
    ? new ConnectRefused(code, error.message)
    : null;
}
