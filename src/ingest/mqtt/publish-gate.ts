import type { Clock } from '../../core/clock.ts';
import { isOperatingError } from '../../core/errors.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Accept } from '../../core/record.ts';
import { isTooLarge, type Message, recordOf } from './record.ts';
import { Refusal, type Refusals } from './refusals.ts';
import { RetainedBound } from './retained-bound.ts';

/** A PUBLISH as the broker hands it over, or a will. */
export interface Publish extends Message {
  payload: string | Buffer;
  qos: number;
  retain: boolean;
  /** "Remaining length" of the packet; a will has none. */
  readonly length?: number | undefined;
}

export interface Publisher {
  readonly id: string;
  readonly closed: boolean;
}

export interface PublishGateOptions {
  readonly accept: Accept;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly refusals: Refusals;
}

const SYS = '$SYS/';

/**
 * Decides about every message, and answers only when that is settled: durable, or refused. Messages are offered to
 * the log as they arrive, all of a chunk at once, and answered in their order, client by client [MQTT-4.6.0].
 */
export class PublishGate {
  readonly #accept: Accept;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #refusals: Refusals;
  readonly #retained = new RetainedBound();
  /** When everything of a client that arrived so far is answered. */
  readonly #answered = new WeakMap<Publisher, Promise<void>>();
  /** Payloads of QoS 0 messages that the log did not take: not to be forwarded to subscribers either. */
  readonly #dropped = new WeakSet<object>();
  #inFlight = 0;

  constructor({ accept, clock, metrics, refusals }: PublishGateOptions) {
    this.#accept = accept;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#refusals = refusals;
  }

  /** Messages that are offered and not answered. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Offers a message to the log.
   * @param answer called in order: with null once the message is durable (or, QoS 0, dropped), with why it is refused otherwise
   */
  publish(client: Publisher, message: Publish, answer: (error: Error | null) => void): void {
    this.#inFlight++;
    const offered = this.#offer(message);
    const earlier = this.#answered.get(client) ?? Promise.resolve();
    const answered = earlier
      .then(() => offered)
      .then((refusal) => {
        this.#inFlight--;
        answer(this.#settle(client, message, refusal));
      });
    this.#answered.set(client, answered);
  }

  /** Whether subscribers may see the message. */
  mayForward(message: Message): boolean {
    return typeof message.payload === 'string' || !this.#dropped.has(message.payload);
  }

  /** Resolves with null when the message is durable, else with why it is not. */
  async #offer(message: Publish): Promise<Refusal | null> {
    if (message.topic.startsWith(SYS)) {
      return new Refusal('reserved-topic', `only the gateway publishes below ${SYS}`);
    }
    if (message.qos === 2 && message.length !== undefined) {
      return new Refusal('qos-2', 'QoS 2 is not supported yet; have the device publish with QoS 1');
    }
    const record = recordOf(message, this.#clock.wallMs());
    if (isTooLarge(record)) {
      return new Refusal(
        'record-too-large',
        'a message too large for Kafka; have the device send smaller ones',
      );
    }
    try {
      await this.#accept([record]);
      return null;
    } catch (error) {
      // Anything else is a bug of ours: nobody catches it, and the process ends.
      if (!isOperatingError(error)) throw error;
      const isOfTheLog = error.code === 'log-unavailable' || error.code === 'log-overloaded';
      return new Refusal(isOfTheLog ? error.code : 'other', error.message);
    }
  }

  #settle(client: Publisher, message: Publish, refusal: Refusal | null): Refusal | null {
    if (refusal === null) {
      this.#metrics.add('headwater_records_accepted_total', 1, { source: 'mqtt' });
      this.#boundRetained(client, message);
      return null;
    }
    const isLogFailing = refusal.reason === 'log-unavailable' || refusal.reason === 'log-overloaded';
    if (message.length !== undefined && (message.qos > 0 || !isLogFailing)) {
      this.#refusals.record(refusal.reason);
      return refusal;
    }
    // A will, whose client is gone; or QoS 0, which promises nothing: closing would only bring the device back at once.
    this.#refusals.dropped(refusal.reason, { client: client.id }, refusal.message);
    if (message.length === undefined) return refusal;
    message.retain = false;
    if (typeof message.payload !== 'string') this.#dropped.add(message.payload);
    return null;
  }

  #boundRetained(client: Publisher, message: Publish): void {
    if (!message.retain) return;
    if (this.#retained.take(message.topic, message.payload.length)) {
      // A copy: the payload is a slice of a whole chunk of the socket, which would be retained with it.
      message.payload = Buffer.from(message.payload);
      return;
    }
    message.retain = false;
    this.#refusals.remark(
      'retained-messages',
      { client: client.id, topic: message.topic },
      'too much is retained already: the message is stored, but new subscribers will not be given it',
    );
  }
}
