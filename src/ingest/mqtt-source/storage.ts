import { isOperatingError, type OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { countFromZero, type Metrics } from '../../core/metrics.ts';
import type { Qos2Log } from '../../core/qos2.ts';
import { type Accept, type NewRecord, payloadBytes } from '../../core/record.ts';
import { deadLetter } from '../dead-letter.ts';
import { isReserved } from '../mqtt/topic-access.ts';
import type { Offer } from './intake.ts';
import type { Publish, Release } from './packets.ts';

/** The record of a message, at the latest when the log can take it. Rejects with an OperatingError if it could not be made for now. */
export type RecordOf = (
  mqttTopic: string,
  payload: Uint8Array,
  receivedMs: number,
) => NewRecord | Promise<NewRecord>;

/** Why a message cannot be a reading, whenever it is offered. */
const unfitReasons = ['record-too-large', 'reserved-topic', 'illegal-record'] as const;

export type Unfit = (typeof unfitReasons)[number];

export interface StorageOptions {
  /** The name of the source. */
  readonly name: string;
  /** Of its session at the broker; no MQTT device can have this client id. */
  readonly qos2Client: string;
  readonly recordOf: RecordOf;
  readonly accept: Accept;
  readonly qos2: Qos2Log;
  readonly metrics: Metrics;
  /** A message became a dead letter. */
  readonly onUnfit: (reason: Unfit, message: Publish) => void;
}

/** Makes records of a broker's messages, and stores each as its QoS demands. */
export class Storage {
  readonly #options: StorageOptions;
  /** QoS 2 messages that were offered to the log, perhaps in vain. */
  readonly #offered = new WeakSet<Publish>();

  constructor(options: StorageOptions) {
    this.#options = options;
    const { name: source, metrics } = options;
    countFromZero(metrics, 'headwater_records_accepted_total', 'source', ['broker']);
    countFromZero(metrics, 'headwater_mqtt_source_dead_letters_total', 'reason', unfitReasons, { source });
  }

  /** What makes the packet durable. */
  offerOf(packet: Publish | Release, receivedMs: number): Offer | Promise<Offer> {
    if (packet.kind === 'release') {
      const { qos2, qos2Client: client } = this.#options;
      return () => qos2.release({ client, packetId: packet.packetId });
    }
    const unfit = unfitAlone(packet);
    if (unfit !== null) return () => this.#storeUnfit(packet, receivedMs, unfit);
    const record = this.#options.recordOf(packet.topic, packet.payload, receivedMs);
    const offerOf = (made: NewRecord): Offer => {
      const isTooLarge = payloadBytes(made) > limits.recordBytesMax;
      if (isTooLarge) return () => this.#storeUnfit(packet, receivedMs, 'record-too-large');
      return () => this.#storeReading(packet, made, receivedMs);
    };
    return record instanceof Promise ? record.then(offerOf) : offerOf(record);
  }

  async #storeReading(message: Publish, record: NewRecord, receivedMs: number): Promise<void> {
    try {
      await this.#store(message, record);
    } catch (error) {
      if (!isOperatingError(error) || !isForGood(error)) throw error;
      await this.#storeUnfit(message, receivedMs, 'illegal-record');
    }
  }

  /** It would come again for ever if it were not acknowledged, so it has to be kept as something else. */
  async #storeUnfit(message: Publish, receivedMs: number, reason: Unfit): Promise<void> {
    const { name, metrics, onUnfit } = this.#options;
    const bytes = message.payload.subarray(0, limits.mqttSourceDeadLetterBytesMax);
    const isNew = await this.#store(message, deadLetter(name, bytes, receivedMs, reason));
    if (!isNew) return;
    metrics.add('headwater_mqtt_source_dead_letters_total', 1, { source: name, reason });
    onUnfit(reason, message);
  }

  /** Resolves with false for what is in the log already. */
  async #store(message: Publish, record: NewRecord): Promise<boolean> {
    const { metrics } = this.#options;
    const isNew = await this.#append(message, record);
    if (isNew) metrics.add('headwater_records_accepted_total', 1, { source: 'broker' });
    else metrics.add('headwater_mqtt_duplicates_total', 1);
    return isNew;
  }

  /** Not async, so that what comes in one chunk is in the log's queue in its order. */
  #append(message: Publish, record: NewRecord): Promise<boolean> {
    const { accept, qos2, qos2Client: client } = this.#options;
    const { qos, packetId, isDuplicate } = message;
    if (qos !== 2) return accept([record]).then(() => true);
    const id = { client, packetId };
    // A broker that was killed may have forgotten how far it had come, and use a packet id for another message before it has
    // released it. What it does not call a duplicate is none [MQTT-3.3.1-1]; only what we offer again ourselves is.
    const isReused = !isDuplicate && !this.#offered.has(message) && qos2.openQos2Ids(client).has(packetId);
    const append = (): Promise<boolean> => {
      this.#offered.add(message);
      return qos2.appendOnce(record, id);
    };
    return isReused ? qos2.release(id).then(append) : append();
  }
}

function unfitAlone({ topic, missingBytes }: Publish): Unfit | null {
  if (missingBytes > 0) return 'record-too-large';
  return isReserved(topic) ? 'reserved-topic' : null;
}

/** Whether the log would refuse the same record again. */
const isForGood = ({ code }: OperatingError): boolean =>
  code === 'record-too-large' || code === 'illegal-topic' || code === 'illegal-partition';
