import { randomBytes } from 'node:crypto';
import { connect, type MqttClient } from 'mqtt';
import { within } from './gateway-process.ts';

const CONNECT_MS_MAX = 2_000;
const RETRY_PAUSE_MS = 50;

export interface FleetOptions {
  readonly devices: number;
  readonly readingsPerDevice: number;
  /** Readings of one device that are sent and not yet acknowledged. */
  readonly window: number;
  /** `host:port` of the gateway's MQTT listener; the same after each restart. */
  readonly mqtt: string;
  /** Random bytes that each reading carries besides what it says, so that it has some size; none by default. */
  readonly noiseBytes?: number;
  /** As whom all devices log in; without it as nobody. */
  readonly login?: { readonly username: string; readonly password: string };
  /** How many readings may be sent, all devices together, until {@link SensorFleet.allow} is called; all by default. */
  readonly allowed?: number;
}

/** What a device sends: its name and a number that rises by one. */
export interface Reading {
  readonly device: string;
  readonly sequence: number;
}

export const readingOf = (payload: string): Reading => JSON.parse(payload);

/**
 * Sensors that keep their own list of what was acknowledged to them (the oracle) and, after a lost connection, send
 * what was not acknowledged again, in its order, as QoS 1 devices do. The MQTT client is not ours.
 */
export class SensorFleet {
  readonly #options: FleetOptions;
  readonly #acknowledged: Reading[] = [];
  readonly #waiters: { readonly count: number; readonly resolve: () => void }[] = [];
  readonly #senders = new Set<() => void>();
  /** Of each device. */
  #allowed: number;
  #stopped = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    const { devices, readingsPerDevice, allowed } = options;
    this.#allowed = allowed === undefined ? readingsPerDevice : Math.ceil(allowed / devices);
  }

  /** Every reading that the gateway has acknowledged, in the order of the acknowledgements. */
  get acknowledged(): readonly Reading[] {
    return this.#acknowledged;
  }

  /** Resolves when all readings of all devices are acknowledged. */
  async run(): Promise<void> {
    const devices = Array.from({ length: this.#options.devices }, (_, index) =>
      this.#device(`device-${index}`),
    );
    await Promise.all(devices);
  }

  /** Resolves when so many readings are acknowledged. */
  async reached(count: number): Promise<void> {
    if (this.#acknowledged.length >= count) return;
    await new Promise<void>((resolve) => this.#waiters.push({ count, resolve }));
  }

  /** From now on so many readings may be sent in all, by each device its share. */
  allow(count: number): void {
    this.#allowed = Math.ceil(count / this.#options.devices);
    for (const sendMore of this.#senders) sendMore();
  }

  /** Ends all devices; `run` resolves. */
  stop(): void {
    this.#stopped = true;
  }

  async #device(device: string): Promise<void> {
    let next = 0;
    while (next < this.#options.readingsPerDevice && !this.#stopped) {
      next = await this.#connection(device, next);
    }
  }

  /** Sends from `first` on until all is acknowledged or the connection ends; gives the first not acknowledged. */
  async #connection(device: string, first: number): Promise<number> {
    const { readingsPerDevice, window, mqtt, login } = this.#options;
    const [host = '', port = ''] = mqtt.split(':');
    const client = connect({
      host,
      port: Number(port),
      clientId: device,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_MS_MAX,
      ...login,
    });
    client.on('error', () => {});
    const closed = new Promise<'closed'>((resolve) => client.once('close', () => resolve('closed')));
    const done = Promise.withResolvers<'done'>();
    let acknowledged = first;
    let sent = first;
    const sendMore = (): void => {
      const end = Math.min(readingsPerDevice, this.#allowed, acknowledged + window);
      for (; sent < end && !this.#stopped; sent += 1) {
        this.#publish(client, { device, sequence: sent }, () => {
          acknowledged += 1;
          if (acknowledged === readingsPerDevice) done.resolve('done');
          else sendMore();
        });
      }
    };
    client.once('connect', () => {
      this.#senders.add(sendMore);
      sendMore();
    });
    const end = await Promise.race([closed, done.promise]);
    this.#senders.delete(sendMore);
    client.end(true);
    if (end === 'closed') await within(RETRY_PAUSE_MS, new Promise<never>(() => {}));
    return acknowledged;
  }

  #publish(client: MqttClient, reading: Reading, acknowledged: () => void): void {
    const { noiseBytes = 0 } = this.#options;
    const noise = noiseBytes === 0 ? {} : { noise: randomBytes(noiseBytes).toString('base64') };
    const payload = JSON.stringify({ ...reading, ...noise });
    client.publish(`sensors/${reading.device}`, payload, { qos: 1 }, (error) => {
      if (error) return;
      this.#acknowledged.push(reading);
      acknowledged();
      for (const waiter of this.#waiters) if (this.#acknowledged.length >= waiter.count) waiter.resolve();
    });
  }
}
