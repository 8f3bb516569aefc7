import type { MqttClient } from 'mqtt';
import type { Harness } from '../ingest/mqtt/harness.ts';
import { within } from '../support/gateway-process.ts';

/** Nobody else knows the topic, so nobody else publishes there. */
const topic = 'undisturbed/7f3a9c1e';

/**
 * A well-behaved client (MQTT.js), which publishes at QoS 1 and 2 in turn to a topic that it has subscribed to, one message after the
 * other, and must get each back once and in order.
 */
export class UndisturbedClient {
  readonly #client: MqttClient;
  readonly #received: string[] = [];
  #next = 0;
  #isRunning = false;
  #run: Promise<void> = Promise.resolve();
  #isClosed = false;
  slowestMs = 0;

  private constructor(client: MqttClient) {
    this.#client = client;
    client.on('message', (_topic, payload) => this.#received.push(payload.toString()));
    client.on('close', () => {
      this.#isClosed = true;
    });
  }

  static readonly isOf = (mqttTopic: string): boolean => mqttTopic === topic;

  static async connect(harness: Harness): Promise<UndisturbedClient> {
    const client = await harness.client({ clientId: 'undisturbed-7f3a9c1e' });
    await client.subscribeAsync(topic, { qos: 2 });
    return new UndisturbedClient(client);
  }

  get sent(): number {
    return this.#next;
  }

  resume(): void {
    this.#isRunning = true;
    this.#run = this.#publish();
  }

  /** Ends what is under way; what was wrong since the last pause, empty if nothing. */
  async pause(patienceMs: number): Promise<readonly string[]> {
    this.#isRunning = false;
    const first = this.#next;
    const isDone = await within(
      patienceMs,
      this.#run.then(async () => {
        while (this.#received.length < this.#next)
          await new Promise<void>((resolve) => this.#client.once('message', () => resolve()));
        return true;
      }),
    );
    const wrong: string[] = [];
    if (this.#isClosed) wrong.push('the well-behaved client was disconnected');
    if (isDone === undefined)
      wrong.push(`the well-behaved client waits for message ${first} (${this.#received.length} came back)`);
    const at = this.#received.findIndex((payload, index) => payload !== `${index}`);
    if (at !== -1) wrong.push(`the well-behaved client got message ${this.#received[at]} instead of ${at}`);
    return wrong;
  }

  end(): void {
    this.#client.end(true);
  }

  async #publish(): Promise<void> {
    while (this.#isRunning && !this.#isClosed) {
      const sentMs = performance.now();
      const number = this.#next;
      this.#next += 1;
      await this.#client.publishAsync(topic, `${number}`, { qos: number % 2 === 0 ? 1 : 2 });
      this.slowestMs = Math.max(this.slowestMs, performance.now() - sentMs);
    }
  }
}
