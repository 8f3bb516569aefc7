import { isOperatingError } from '../../../core/errors.ts';
import { limits } from '../../../core/limits.ts';
import { countFromZero, type Metrics } from '../../../core/metrics.ts';
import type { NewRecord, RecordHeader } from '../../../core/record.ts';
import { deviceTimeOf, type ReceiptTime, type TimeRule, timeProblems } from './device-time.ts';
import {
  byDefault,
  type Destination,
  destinationOf,
  type Route,
  type RouteProblem,
  routeProblems,
} from './route.ts';

/** The header that tells the MQTT topic of a record where its key does not. */
export const mqttTopicHeader = 'mqtt.topic';

/** What routing needs of the log. */
export interface RoutedTopics {
  /** How many partitions the topic has; 0 if there is none of this name. */
  partitionsOf(topic: string): number;
  /**
   * Makes the topic exist with at least so many partitions.
   * @throws OperatingError `too-many-partitions`, `log-unavailable`
   */
  grow(topic: string, partitions: number): Promise<void>;
}

export interface RoutingOptions {
  readonly routes: readonly Route[];
  readonly topics: RoutedTopics;
  /** The gateway's clock, for the times of devices. */
  readonly receiptTime: () => ReceiptTime;
  readonly metrics: Metrics;
}

/** What came to the default topic although there are routes. */
export interface Unrouted {
  readonly mqttTopic: string;
  readonly problem: RouteProblem;
  readonly messages: number;
}

/** A message as it came. */
export interface Received {
  readonly mqttTopic: string;
  readonly payload: Uint8Array;
  /** By the monotonic clock, milliseconds. */
  readonly receivedMs: number;
  /** What its record is to have beside those of its route. */
  readonly headers: readonly RecordHeader[];
}

/** A destination with what its records have in common. */
interface Ready extends Destination {
  readonly keyBytes: Uint8Array;
  readonly headers: readonly RecordHeader[];
}

/** Makes records of messages: by routes, in topics that it makes where they are missing. */
export class Routing {
  readonly #options: RoutingOptions;
  #routes: readonly Route[];
  /** Of recent MQTT topics: devices publish to few, again and again. */
  readonly #known = new Map<string, Ready>();
  /** Topics that are being made; what goes to one of them waits, so that it stays in order. */
  readonly #growing = new Map<string, Promise<RouteProblem | null>>();
  /** The newest last. */
  readonly #unrouted = new Map<string, Unrouted>();

  constructor(options: RoutingOptions) {
    this.#options = options;
    this.#routes = options.routes;
    countFromZero(options.metrics, 'headwater_mqtt_unrouted_total', 'reason', routeProblems);
    countFromZero(options.metrics, 'headwater_mqtt_device_times_refused_total', 'reason', timeProblems);
  }

  /** Other routes count for what comes from now on; which MQTT topics follow none is found out anew. */
  useRoutes(routes: readonly Route[]): void {
    this.#routes = routes;
    this.#known.clear();
    this.#unrouted.clear();
  }

  /** What was not routed in this run, of the MQTT topics that were so last; at most `limits.unroutedTopicsMax`. */
  unrouted(): readonly Unrouted[] {
    return [...this.#unrouted.values()];
  }

  /**
   * The record of a message, whose topic is there by then. Those for one topic are ready in the order in which they came.
   * Rejects with an OperatingError if the topic could not be made for now.
   */
  recordOf(received: Received): NewRecord | Promise<NewRecord> {
    const destination = this.#destinationOf(received.mqttTopic);
    if (destination.problem !== null) this.#noteUnrouted(received.mqttTopic, destination.problem);
    return this.#recordAt(destination, received);
  }

  #recordAt(destination: Ready, received: Received): NewRecord | Promise<NewRecord> {
    const { topic, partition = 0, pattern } = destination;
    const growing = this.#growing.get(topic);
    if (growing === undefined && this.#options.topics.partitionsOf(topic) > partition)
      return this.#record(destination, received);
    const grown = growing ?? this.#grow(topic, partition + 1);
    return grown.then((refused) => {
      // It is there now; or it was made with fewer partitions, for another message.
      if (refused === null) return this.#recordAt(destination, received);
      this.#noteUnrouted(received.mqttTopic, refused);
      return this.#record(
        ready(byDefault(received.mqttTopic, pattern, refused), received.mqttTopic),
        received,
      );
    });
  }

  #record({ topic, keyBytes, partition, headers: own, time }: Ready, received: Received): NewRecord {
    const { payload: value, receivedMs } = received;
    const headers = received.headers.length === 0 ? own : [...own, ...received.headers];
    const timestampMs = time === null ? null : this.#deviceTime(value, time);
    const record =
      timestampMs === null
        ? { topic, key: keyBytes, value, headers, receivedMs }
        : { topic, key: keyBytes, value, headers, timestampMs };
    return partition === undefined ? record : { ...record, partition };
  }

  #deviceTime(payload: Uint8Array, rule: TimeRule): number | null {
    const time = deviceTimeOf(payload, rule, this.#options.receiptTime());
    if (typeof time === 'number') return time;
    this.#options.metrics.add('headwater_mqtt_device_times_refused_total', 1, { reason: time });
    return null;
  }

  #destinationOf(mqttTopic: string): Ready {
    const known = this.#known.get(mqttTopic);
    if (known !== undefined) return known;
    const found = ready(destinationOf(this.#routes, mqttTopic), mqttTopic);
    dropOldest(this.#known, limits.routedTopicsMax);
    this.#known.set(mqttTopic, found);
    return found;
  }

  /** All that wait get the same promise, so that they go on in the order in which they came. */
  #grow(topic: string, partitions: number): Promise<RouteProblem | null> {
    const grown = this.#options.topics.grow(topic, partitions).then(
      () => null,
      (error: unknown): RouteProblem => {
        if (isOperatingError(error) && error.code === 'too-many-partitions') return 'too-many-topics';
        throw error;
      },
    );
    this.#growing.set(topic, grown);
    const forget = (): void => {
      this.#growing.delete(topic);
    };
    grown.then(forget, forget);
    return grown;
  }

  #noteUnrouted(mqttTopic: string, problem: RouteProblem): void {
    this.#options.metrics.add('headwater_mqtt_unrouted_total', 1, { reason: problem });
    const messages = (this.#unrouted.get(mqttTopic)?.messages ?? 0) + 1;
    this.#unrouted.delete(mqttTopic);
    dropOldest(this.#unrouted, limits.unroutedTopicsMax);
    this.#unrouted.set(mqttTopic, { mqttTopic, problem, messages });
  }
}

const encoder = new TextEncoder();

function ready(destination: Destination, mqttTopic: string): Ready {
  const headers =
    destination.key === mqttTopic ? [] : [{ name: mqttTopicHeader, value: encoder.encode(mqttTopic) }];
  return { ...destination, keyBytes: encoder.encode(destination.key), headers };
}

function dropOldest(map: Map<string, unknown>, sizeMax: number): void {
  if (map.size < sizeMax) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
