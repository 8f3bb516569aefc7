import type { Clock } from '../../core/clock.ts';
import { isOperatingError, type OperatingError } from '../../core/errors.ts';
import { countFromZero, type Metrics } from '../../core/metrics.ts';
import type { Qos2Log } from '../../core/qos2.ts';
import type { Accept, NewRecord } from '../../core/record.ts';
import { type Identity, whoIs } from './access.ts';
import { AnswersInOrder } from './answers-in-order.ts';
import type { ConnectedClients } from './connected-clients.ts';
import type { MqttLimits } from './mqtt-limits.ts';
import { isTooLarge, type Message } from './record.ts';
import { quoted, type RecordRefusal, Refusal, type Refusals } from './refusals.ts';
import type { Routing } from './routes/routing.ts';
import { type Effects, effectHeaders } from './sessions/effects.ts';
import { isReserved } from './topic-access.ts';
import { TurnOffers } from './turn-offers.ts';

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
  /** Who a client is that has been let in. */
  readonly identityOf: (client: Publisher) => Identity;
  readonly clients: Pick<ConnectedClients, 'stored' | 'dropped'>;
  readonly limits: Pick<MqttLimits, 'topicBytesMax'>;
  readonly routing: Pick<Routing, 'recordOf'>;
  readonly accept: Accept;
  readonly qos2: Qos2Log;
  /** What a message is going to do once it is durable, beside being delivered. */
  readonly effectsOf: (topic: string, qos: number, retain: boolean) => Effects;
  /** It is durable: called in the turn of the event loop in which the log says so. False if it could not be retained. */
  readonly happened: (message: Message, effects: Effects) => boolean;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly refusals: Refusals;
}

/** What a QoS 0 message is dropped for, without closing the connection. */
const sparesQos0: ReadonlySet<RecordRefusal> = new Set(['log-unavailable', 'log-overloaded', 'not-allowed']);

/** What became of a message: a `duplicate` is durable since it came first. */
type Outcome = 'stored' | 'duplicate' | Refusal;

/** A way into the log. */
type Offer = (record: NewRecord, told: (outcome: Outcome) => void) => void;

/**
 * Decides about every message, and answers only when that is settled: durable, or refused. Messages are offered to
 * the log as they arrive, all of a chunk in one request, and answered in their order, client by client.
 */
export class PublishGate {
  readonly #identityOf: PublishGateOptions['identityOf'];
  readonly #clients: PublishGateOptions['clients'];
  readonly #topicBytesMax: number;
  readonly #routing: PublishGateOptions['routing'];
  readonly #offers: TurnOffers;
  readonly #qos2: Qos2Log;
  readonly #effectsOf: PublishGateOptions['effectsOf'];
  readonly #happened: PublishGateOptions['happened'];
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #refusals: Refusals;
  readonly #answers = new AnswersInOrder<Publisher>();
  /** Payloads of QoS 0 messages that the log did not take, and of duplicates: not to be forwarded to subscribers. */
  readonly #dropped = new WeakSet<object>();
  /** When every QoS 2 message of a client that arrived so far is acknowledged or refused. */
  readonly #turns = new WeakMap<Publisher, Promise<void>>();
  /** What to do once the subscribers of a QoS 2 message are served: acknowledges it when its turn has come. */
  readonly #acknowledge = new WeakMap<Publish, (done: () => void) => void>();
  /** Releases that are not answered. */
  #releasing = 0;

  constructor(options: PublishGateOptions) {
    const {
      identityOf,
      clients,
      limits: own,
      routing,
      accept,
      qos2,
      effectsOf,
      happened,
      clock,
      metrics,
      refusals,
    } = options;
    this.#identityOf = identityOf;
    this.#clients = clients;
    this.#topicBytesMax = own.topicBytesMax;
    this.#routing = routing;
    countFromZero(metrics, 'headwater_records_accepted_total', 'source', ['mqtt']);
    this.#offers = new TurnOffers(async (records) => {
      await accept(records);
      metrics.add('headwater_records_accepted_total', records.length, { source: 'mqtt' });
    }, isOfOneRecord);
    this.#qos2 = qos2;
    this.#effectsOf = effectsOf;
    this.#happened = happened;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#refusals = refusals;
  }

  /** Messages and releases that are offered and not answered. */
  get inFlight(): number {
    return this.#answers.awaited + this.#releasing;
  }

  /**
   * Offers a message to the log; one of QoS 2 passes, because {@link publishOnce} is its turn.
   * @param answer called in order: with null once the message is durable (or, QoS 0, dropped), with why it is refused otherwise
   */
  publish(client: Publisher, message: Publish, answer: (refusal: Refusal | null) => void): void {
    if (message.qos === 2 && message.length !== undefined) {
      answer(null);
      return;
    }
    const offer: Offer = (record, told) =>
      this.#offers.add(record, (error) => told(error === null ? 'stored' : refusalOf(error)));
    this.#answerInOrder(client, message, offer, this.#turns.get(client), answer);
  }

  /**
   * Offers a QoS 2 message to the log, which stores it unless its packet id is open.
   * @param answer called in order: with null once the message is durable, with why it is refused otherwise
   */
  publishOnce(
    client: Publisher,
    message: Publish,
    packetId: number,
    answer: (refusal: Refusal | null) => void,
  ): void {
    const offer: Offer = (record, told) => {
      this.#offers.flush();
      void this.#appendOnce(client, record, packetId).then(told);
    };
    const before = this.#turns.get(client);
    const turn = Promise.withResolvers<void>();
    this.#turns.set(client, turn.promise);
    const acknowledge = async (done: () => void): Promise<void> => {
      await before;
      done();
      turn.resolve();
    };
    this.#answerInOrder(client, message, offer, before, (refusal) => {
      if (refusal === null) this.#acknowledge.set(message, (done) => void acknowledge(done));
      answer(refusal);
      if (refusal !== null) turn.resolve();
    });
  }

  /**
   * The subscribers of a message are served.
   * @param done called when the broker may go on, which for QoS 2 is to acknowledge it: in order
   */
  published(message: Publish, done: () => void): void {
    const acknowledge = this.#acknowledge.get(message);
    if (acknowledge === undefined) done();
    else acknowledge(done);
  }

  /** Whether the packet id is durably open. */
  isOpen(client: Publisher, packetId: number): boolean {
    return this.#qos2.openQos2Ids(client.id).has(packetId);
  }

  /** Releases a packet id; answers null once that is durable, else why it is not. */
  release(client: Publisher, packetId: number, answer: (refusal: Refusal | null) => void): void {
    void this.#answerReleased(this.#qos2.release({ client: client.id, packetId }), answer);
  }

  /** Releases all packet ids of a client; answers null once that is durable, else why it is not. */
  releaseAll(client: Publisher, answer: (refusal: Refusal | null) => void): void {
    void this.#answerReleased(this.#qos2.releaseAll(client.id), answer);
  }

  /** Whether subscribers may see the message. */
  mayForward(message: Message): boolean {
    return typeof message.payload === 'string' || !this.#dropped.has(message.payload);
  }

  async #answerReleased(released: Promise<void>, answer: (refusal: Refusal | null) => void): Promise<void> {
    this.#releasing++;
    const refusal = await released.then(() => null, refusalOf);
    this.#releasing--;
    answer(refusal);
  }

  /** A refusal also waits for the acknowledgements of QoS 2 messages before it: it ends the connection. */
  #answerInOrder(
    client: Publisher,
    message: Publish,
    offer: Offer,
    turnsBefore: Promise<void> | undefined,
    answer: (refusal: Refusal | null) => void,
  ): void {
    const awaited = this.#answers.expect(client);
    const readMs = this.#clock.monotonicMs();
    const settle = (outcome: Outcome): void =>
      this.#answers.settle(client, awaited, () => {
        if (outcome === 'stored' && message.qos > 0 && message.length !== undefined) this.#measure(readMs);
        answer(this.#settle(client, message, outcome));
      });
    this.#offer(client, message, offer, (outcome) => {
      if (turnsBefore !== undefined && outcome instanceof Refusal)
        void turnsBefore.then(() => settle(outcome));
      else settle(outcome);
    });
  }

  #measure(readMs: number): void {
    const seconds = (this.#clock.monotonicMs() - readMs) / 1000;
    this.#metrics.observe('headwater_mqtt_acknowledge_seconds', seconds);
  }

  /** `told` is called when the message is durable, or when it is clear that it will not be. */
  #offer(client: Publisher, message: Publish, offer: Offer, told: (outcome: Outcome) => void): void {
    const refusal = this.#refusalOf(client, message);
    if (refusal !== null) {
      told(refusal);
      return;
    }
    const effects = this.#effectsOf(message.topic, message.qos, message.retain);
    const made = this.#recordOf(message, effects);
    const offerRecord = (record: NewRecord | Refusal): void => {
      if (record instanceof Refusal) told(record);
      else if (isTooLarge(record)) told(tooLargeForKafka());
      else
        offer(record, (outcome) => {
          if (outcome === 'stored') this.#stored(client, message, effects);
          told(outcome);
        });
    };
    if (made instanceof Promise) void made.then(offerRecord);
    else offerRecord(made);
  }

  /** Why a message is not even offered; null if it is. */
  #refusalOf(client: Publisher, { topic }: Publish): Refusal | null {
    if (isReserved(topic))
      return new Refusal('reserved-topic', 'only the gateway publishes below $SYS/ and $headwater/');
    if (topic.length * 3 > this.#topicBytesMax && Buffer.byteLength(topic) > this.#topicBytesMax)
      return new Refusal(
        'topic-too-long',
        `a topic of more than ${this.#topicBytesMax} bytes; have the device use a shorter one, or raise mqtt.limits.topicLength`,
      );
    const identity = this.#identityOf(client);
    if (identity.mayPublish(topic)) return null;
    return new Refusal(
      'not-allowed',
      `${whoIs(identity)} may not publish to ${quoted(topic)}; if it should, see headwater devices set --help`,
    );
  }

  #stored(client: Publisher, message: Publish, effects: Effects): void {
    this.#clients.stored(client);
    if (this.#happened(message, effects)) return;
    this.#refusals.remark(
      'retained-messages',
      { client: client.id, topic: message.topic },
      'too much is retained already: the message is stored, but new subscribers will not be given it',
    );
  }

  async #appendOnce(client: Publisher, record: NewRecord, packetId: number): Promise<Outcome> {
    try {
      const isNew = await this.#qos2.appendOnce(record, { client: client.id, packetId });
      if (!isNew) return 'duplicate';
    } catch (error) {
      return refusalOf(error);
    }
    this.#metrics.add('headwater_records_accepted_total', 1, { source: 'mqtt' });
    return 'stored';
  }

  /** A message for a topic that is missing waits until that is made; any other goes on at once, and so in its order. */
  #recordOf({ topic, payload }: Message, effects: Effects): NewRecord | Promise<NewRecord | Refusal> {
    const record = this.#routing.recordOf({
      mqttTopic: topic,
      payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
      receivedMs: this.#clock.monotonicMs(),
      headers: effectHeaders(effects),
    });
    return record instanceof Promise ? record.catch(refusalOf) : record;
  }

  #settle(client: Publisher, message: Publish, outcome: Outcome): Refusal | null {
    if (outcome === 'stored') return null;
    if (outcome === 'duplicate') {
      this.#metrics.add('headwater_mqtt_duplicates_total', 1);
      this.#keepFromSubscribers(message);
      return null;
    }
    return this.#settleRefused(client, message, outcome);
  }

  #settleRefused(client: Publisher, message: Publish, refusal: Refusal): Refusal | null {
    if (message.length !== undefined && (message.qos > 0 || !sparesQos0.has(refusal.reason))) {
      this.#refusals.record(refusal.reason);
      return refusal;
    }
    // A will, whose client is gone; or QoS 0, which promises nothing: closing would only bring the device back at once.
    this.#refusals.dropped(refusal.reason, { client: client.id }, refusal.message);
    this.#clients.dropped(client, refusal.message);
    if (message.length === undefined) return refusal;
    this.#keepFromSubscribers(message);
    return null;
  }

  #keepFromSubscribers(message: Publish): void {
    if (typeof message.payload !== 'string') this.#dropped.add(message.payload);
  }
}

const tooLargeForKafka = (): Refusal =>
  new Refusal('record-too-large', 'a message too large for Kafka; have the device send smaller ones');

/** Why the log did not take something. Anything else is a bug of ours: nobody catches it, and the process ends. */
function refusalOf(error: unknown): Refusal {
  if (!isOperatingError(error)) throw error;
  return new Refusal(isOfTheLog(error) ? error.code : 'other', error.message);
}

/** Whether the log takes nothing at the moment, whatever it is. */
const isOfTheLog = (
  error: unknown,
): error is OperatingError & { code: 'log-unavailable' | 'log-overloaded' } =>
  isOperatingError(error) && (error.code === 'log-unavailable' || error.code === 'log-overloaded');

/** Whether the log takes others. */
const isOfOneRecord = (error: unknown): boolean => isOperatingError(error) && !isOfTheLog(error);
