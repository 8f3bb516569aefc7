import mqtt, { type MqttClient } from 'mqtt';
import { messageOf } from '../src/core/errors.ts';
import type { Sensor } from './plant.ts';
import type { DatedReading } from './recording.ts';
import type { ReplayClock } from './replay-clock.ts';

/** So many readings may be under way. */
const unacknowledgedMax = 400;

/** A device of the demo: sends the readings of a sensor with QoS 1, in order, over a connection of its own. */
export class MqttDevice {
  readonly sensor: Sensor;
  readonly #client: MqttClient;
  readonly #lost = Promise.withResolvers<never>();
  #sent = 0;
  #acknowledged = 0;

  private constructor(sensor: Sensor, client: MqttClient) {
    this.sensor = sensor;
    this.#client = client;
    // It is looked at while something is sent.
    this.#lost.promise.catch(() => {});
    client.on('error', (error) => this.#lose(error.message));
    client.on('close', () => this.#lose('it was closed'));
  }

  /** Connects to a broker, `host:port`. */
  static async connect(address: string, sensor: Sensor): Promise<MqttDevice> {
    const clientId = `demo-${sensor.device}`;
    const client = await mqtt.connectAsync(`mqtt://${address}`, { clientId, reconnectPeriod: 0 });
    return new MqttDevice(sensor, client);
  }

  /** Readings that were given to the client so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Readings that the gateway has acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Sends each reading when the clock has come to its time; resolves when all are acknowledged. Rejects if the connection is lost. */
  async send(clock: ReplayClock, signal: AbortSignal): Promise<void> {
    const lost = this.#lost.promise;
    const underWay = new Set<Promise<void>>();
    for (const reading of this.sensor.readings) {
      await clock.reached(reading.timeMs, signal);
      if (underWay.size >= unacknowledgedMax) await Promise.race([lost, ...underWay]);
      const answered: Promise<void> = this.#publish(reading).finally(() => underWay.delete(answered));
      underWay.add(answered);
    }
    await Promise.race([lost, Promise.all(underWay)]);
  }

  async disconnect(): Promise<void> {
    await this.#client.endAsync(true);
  }

  /** Never rejects: what goes wrong is a lost connection. */
  async #publish(reading: DatedReading): Promise<void> {
    const { device, quantity } = this.sensor;
    const payload = payloadOf(this.sensor, reading);
    this.#sent += 1;
    try {
      await this.#client.publishAsync(`plant/${device}/${quantity}`, payload, { qos: 1 });
      this.#acknowledged += 1;
    } catch (error) {
      this.#lose(messageOf(error));
    }
  }

  #lose(reason: string): void {
    const { device } = this.sensor;
    this.#lost.reject(new Error(`the connection of the ${device} to the gateway is lost: ${reason}`));
  }
}

/** What a sensor sends: `{"time":"2013-12-02T21:15:00.000Z","temperature":73.97}`. */
export const payloadOf = ({ quantity }: Pick<Sensor, 'quantity'>, { timeMs, value }: DatedReading): string =>
  JSON.stringify({ time: new Date(timeMs).toISOString(), [quantity]: value });
