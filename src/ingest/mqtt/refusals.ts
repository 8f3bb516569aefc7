import type { Clock } from '../../core/clock.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { countFromZero, type Metrics } from '../../core/metrics.ts';
import { loginRefusals } from './access.ts';

/** Why a record was refused before its acknowledgement. */
const recordRefusals = [
  'log-unavailable',
  'log-overloaded',
  'record-too-large',
  'reserved-topic',
  'topic-too-long',
  /** The client has no right to publish there. */
  'not-allowed',
  'other',
] as const;

export type RecordRefusal = (typeof recordRefusals)[number];

/** Why a connection was refused or cut. */
const connectionRefusals = [
  ...recordRefusals,
  ...loginRefusals,
  /** Of the client: one that is not trusted, or that does not say who it is. */
  'bad-certificate',
  /** By the client, which does not trust the gateway's. */
  'certificate-refused',
  'client-id',
  'connect-timeout',
  'handshake-aborted',
  'handshake-timeout',
  'keep-alive',
  'malformed-packet',
  'no-certificate',
  'no-tls',
  'packet-timeout',
  'packet-too-large',
  'protocol',
  'protocol-version',
  'slow-subscriber',
  'tls',
  'tls-version',
  'too-many-connections',
  'websocket',
] as const;

export type ConnectionRefusal = (typeof connectionRefusals)[number];

/** A message that is not taken; the broker then closes the connection, which is all that MQTT 3.1.1 can say. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: RecordRefusal;

  constructor(reason: RecordRefusal, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What a client has sent, as a message shows it. */
export const quoted = (text: string): string =>
  text.length <= limits.quotedAnswerLengthMax ? text : `${text.slice(0, limits.quotedAnswerLengthMax)}…`;

/** Counts every refusal, and tells the first of each interval in the log; the others in one line at its end. */
export class Refusals {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #unsaid = new Map<string, number>();
  #lines = 0;
  #intervalStartMs: number;

  constructor(clock: Clock, logger: Logger, metrics: Metrics) {
    this.#clock = clock;
    this.#logger = logger;
    this.#metrics = metrics;
    this.#intervalStartMs = clock.monotonicMs();
    countFromZero(metrics, 'headwater_records_refused_total', 'reason', recordRefusals);
    countFromZero(metrics, 'headwater_mqtt_connections_refused_total', 'reason', connectionRefusals);
  }

  /** A connection was refused or is being cut. */
  connection(reason: ConnectionRefusal, fields: object, message: string): void {
    this.#metrics.add('headwater_mqtt_connections_refused_total', 1, { reason });
    this.#say(reason, fields, `connection closed: ${message}`);
  }

  /** A record was refused. To be told as well where that does not close the connection. */
  record(reason: RecordRefusal): void {
    this.#metrics.add('headwater_records_refused_total', 1, { reason });
  }

  /** A record was refused, and nobody else is told so. */
  dropped(reason: RecordRefusal, fields: object, message: string): void {
    this.record(reason);
    this.#say(reason, fields, `message dropped: ${message}`);
  }

  /** A subscription was refused, which the client is told by SUBACK. */
  subscription(fields: object, message: string): void {
    this.#metrics.add('headwater_mqtt_subscriptions_refused_total', 1);
    this.#say('subscription', fields, message);
  }

  /** Something that clients can cause as often as they like, and that refuses nothing. */
  remark(topic: string, fields: object, message: string): void {
    this.#say(topic, fields, message);
  }

  /** To be called now and then: ends the interval when its time has come. */
  sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#intervalStartMs < limits.mqttRefusalIntervalMs) return;
    this.#intervalStartMs = nowMs;
    this.#lines = 0;
    if (this.#unsaid.size === 0) return;
    const unsaid = Object.fromEntries(this.#unsaid);
    this.#unsaid.clear();
    this.#logger.warn({ unsaid }, 'more clients or messages were refused than the log shows one by one');
  }

  #say(reason: string, fields: object, message: string): void {
    if (this.#lines < limits.mqttRefusalLinesMax) {
      this.#lines++;
      this.#logger.warn({ reason, ...fields }, message);
    } else {
      this.#unsaid.set(reason, (this.#unsaid.get(reason) ?? 0) + 1);
    }
  }
}
