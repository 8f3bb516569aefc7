import { limits } from '../../../core/limits.ts';
import type { Subscribed } from './topic-tree.ts';

/** A message on its way to one subscriber. */
export interface QueuedMessage {
  readonly client: string;
  /** Ascending in the order in which the messages became durable, over all sessions. */
  readonly number: number;
  readonly topic: string;
  payload: Uint8Array | string;
  readonly qos: number;
  messageId: number | null;
  /** The packet id that the store knows, so that a restart would not choose another. */
  safeId: number | null;
  isReleased: boolean;
  /** Whether the store knows that. */
  isReleaseSafe: boolean;
  /** Whether the store knows it. */
  isStored: boolean;
}

/** How the broker knows a message. */
export interface BrokerKey {
  readonly brokerId: string;
  readonly brokerCounter: number;
}

/** What a message weighs while it waits. */
export const weightOf = ({ topic, payload }: Pick<QueuedMessage, 'topic' | 'payload'>): number =>
  topic.length + payload.length + limits.mqttMessageOverheadBytes;

const PACKET_IDS = 65_535;

/** What outlasts the connections of one client: its subscriptions, and the messages that it has not acknowledged. */
export class Session {
  readonly client: string;
  readonly subscriptions = new Map<string, Subscribed>();
  readonly #queue = new Map<number, QueuedMessage>();
  readonly #byKey = new Map<string, QueuedMessage>();
  readonly #byId = new Map<number, QueuedMessage>();
  readonly #keys = new Map<QueuedMessage, BrokerKey>();
  /** Packet ids of retained messages that were given to a new subscription: nothing of them is kept. */
  readonly #passing = new Set<number>();
  /** How long the gateway has run without the client, milliseconds. */
  awayMs = 0;
  #connection: object | null = null;
  #isLive = false;
  #bytes = 0;
  #lastId = 0;

  constructor(client: string) {
    this.client = client;
  }

  /** What waits, oldest first. A message that is added while somebody iterates is seen, too. */
  get messages(): Iterable<QueuedMessage> {
    return this.#queue.values();
  }

  get count(): number {
    return this.#queue.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.subscriptions.size === 0 && this.#queue.size === 0;
  }

  /** Adds a message; a restored one may have a packet id already. */
  add(message: QueuedMessage): void {
    this.#queue.set(message.number, message);
    this.#bytes += weightOf(message);
    if (message.messageId !== null) this.#byId.set(message.messageId, message);
  }

  remove(message: QueuedMessage): void {
    if (!this.#queue.delete(message.number)) return;
    this.#bytes -= weightOf(message);
    if (message.messageId !== null && this.#byId.get(message.messageId) === message)
      this.#byId.delete(message.messageId);
    const key = this.#keys.get(message);
    if (key !== undefined) this.#byKey.delete(textOf(key));
    this.#keys.delete(message);
  }

  /** The subscriber has the message: only its packet id is still of interest. */
  release(message: QueuedMessage): void {
    this.#bytes -= weightOf(message);
    message.payload = new Uint8Array();
    message.isReleased = true;
    this.#bytes += weightOf(message);
  }

  /** From now on the broker knows the message by this; nothing happens to one that is not waiting any more. */
  name(message: QueuedMessage, { brokerId, brokerCounter }: BrokerKey): void {
    if (!this.#queue.has(message.number)) return;
    const key = { brokerId, brokerCounter };
    this.#byKey.set(textOf(key), message);
    this.#keys.set(message, key);
  }

  /** How the broker knows a message; one that it has not seen is told by its number. */
  keyOf(message: QueuedMessage): BrokerKey {
    return this.#keys.get(message) ?? { brokerId: 'earlier', brokerCounter: message.number };
  }

  byKey(key: BrokerKey): QueuedMessage | undefined {
    return this.#byKey.get(textOf(key));
  }

  byId(messageId: number): QueuedMessage | undefined {
    return this.#byId.get(messageId);
  }

  setId(message: QueuedMessage, messageId: number): void {
    if (message.messageId !== null && this.#byId.get(message.messageId) === message)
      this.#byId.delete(message.messageId);
    message.messageId = messageId;
    this.#byId.set(messageId, message);
  }

  /** A packet id that no unfinished handshake has. There is one: the queue is bounded far below their number. */
  freeId(): number {
    do this.#lastId = (this.#lastId % PACKET_IDS) + 1;
    while (this.#byId.has(this.#lastId) || this.#passing.has(this.#lastId));
    return this.#lastId;
  }

  /** A packet id for a message of which nothing is kept, until the client acknowledges it or its connection ends. */
  passingId(): number {
    // Whoever acknowledges none of so many is not to take the others' ids.
    if (this.#passing.size >= limits.mqttPassingIdsMax) this.#passing.clear();
    const messageId = this.freeId();
    this.#passing.add(messageId);
    return messageId;
  }

  passed(messageId: number): void {
    this.#passing.delete(messageId);
  }

  get isConnected(): boolean {
    return this.#connection !== null;
  }

  /** A connection begins: what waits is sent to it first. One before it counts no longer. */
  begin(connection: object): void {
    this.#connection = connection;
    this.#isLive = false;
    this.#passing.clear();
  }

  /** All that waited is sent: from now on the connection is sent messages as they come. */
  goLive(connection: object): void {
    if (this.#connection === connection) this.#isLive = true;
  }

  isLiveFor(connection: object): boolean {
    return this.#isLive && this.#connection === connection;
  }

  /** A connection ends; answers whether it still counted. */
  left(connection: object): boolean {
    if (this.#connection !== connection) return false;
    this.#connection = null;
    return true;
  }
}

const textOf = ({ brokerId, brokerCounter }: BrokerKey): string => `${brokerCounter} ${brokerId}`;
