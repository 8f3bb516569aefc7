import { limits } from '../../../core/limits.ts';
import type { Message } from '../record.ts';
import { type BrokerKey, type QueuedMessage, Session, weightOf } from './session.ts';
import type {
  Changes,
  StoreContent,
  StoredHandshake,
  StoredMessage,
  StoredSession,
} from './session-store.ts';
import { type Subscribed, TopicTree } from './topic-tree.ts';

/** What a bound of the sessions made be given up. */
export const sessionLosses = ['queue-full', 'session-given-up', 'session-expired'] as const;

export type SessionLoss = (typeof sessionLosses)[number];

export interface SessionsOptions {
  /** Messages that wait in one of them. */
  readonly sessionQueuedMax: number;
  /** Something is to be written. */
  readonly onChange: () => void;
  /** Something was given up, of this client. */
  readonly onLoss: (loss: SessionLoss, client: string) => void;
}

/** What of the sessions is to be written. */
export interface SessionChanges {
  readonly sessions: Changes<string, StoredSession>;
  readonly queued: Changes<number, StoredMessage>;
  readonly handshakes: readonly StoredHandshake[];
}

type NewMessage = Pick<QueuedMessage, 'client' | 'qos'> & Message;

/**
 * The sessions that outlast connections. They live in memory, within bounds; what changes is noted, and written by
 * somebody else ({@link changes}).
 */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  /** Subscriptions that messages wait for: those of QoS 1 and 2. */
  readonly #tree = new TopicTree<Subscribed>();
  readonly #changedSessions = new Set<string>();
  readonly #changedMessages = new Set<QueuedMessage>();
  readonly #removedMessages = new Set<number>();
  /** Messages by their payload, until the broker names them. */
  readonly #unnamed = new WeakMap<object, QueuedMessage[]>();
  #queued = 0;
  #queuedBytes = 0;
  #lastNumber = 0;
  #unsaidMs = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Sessions, messages that wait in them, and subscriptions of QoS 1 and 2. */
  get counts(): { readonly sessions: number; readonly queued: number; readonly subscriptions: number } {
    return { sessions: this.#sessions.size, queued: this.#queued, subscriptions: this.#tree.size };
  }

  get all(): Iterable<Session> {
    return this.#sessions.values();
  }

  find(client: string): Session | undefined {
    return this.#sessions.get(client);
  }

  /** Takes in what was stored. */
  restore({ sessions, queued }: Pick<StoreContent, 'sessions' | 'queued'>): void {
    for (const { client, awayMs, subscriptions } of sessions) {
      const session = new Session(client);
      session.awayMs = awayMs;
      this.#sessions.set(client, session);
      for (const subscription of subscriptions) this.#enter(session, { ...subscription, clientId: client });
    }
    for (const row of queued) {
      this.#lastNumber = Math.max(this.#lastNumber, row.number);
      const session = this.#sessions.get(row.client);
      if (session === undefined) this.#removedMessages.add(row.number);
      else
        this.#add(session, { ...row, safeId: row.messageId, isReleaseSafe: row.isReleased, isStored: true });
    }
  }

  /** Whether a message of QoS 1 or 2 to the topic is to wait for somebody. */
  isAwaited(topic: string): boolean {
    return this.#tree.match(topic).length > 0;
  }

  /** Subscriptions of QoS 1 and 2 that the topic matches. */
  match(topic: string): Subscribed[] {
    return this.#tree.match(topic);
  }

  /** Enters subscriptions of a client, whose session begins with the first of them. */
  subscribe(client: string, subscriptions: Iterable<Omit<Subscribed, 'clientId'>>): void {
    const session = this.#sessionOf(client);
    for (const subscription of subscriptions) this.#enter(session, { ...subscription, clientId: client });
    this.#noteSession(client);
  }

  unsubscribe(client: string, filters: Iterable<string>): void {
    const session = this.#sessions.get(client);
    if (session === undefined) return;
    for (const filter of filters) {
      this.#tree.delete(filter, client);
      session.subscriptions.delete(filter);
    }
    this.#noteSession(client);
    this.#endIfEmpty(session);
  }

  /** Ends a session with all that waits in it; answers whether there was one. */
  end(client: string): boolean {
    const session = this.#sessions.get(client);
    if (session === undefined) return false;
    for (const filter of session.subscriptions.keys()) this.#tree.delete(filter, client);
    for (const message of session.messages) this.#remove(session, message);
    this.#sessions.delete(client);
    this.#noteSession(client);
    return true;
  }

  /** A client has come, and is sent what waits first. */
  begin(client: string, connection: object): Session | undefined {
    const session = this.#sessions.get(client);
    session?.begin(connection);
    if (session === undefined || session.awayMs === 0) return session;
    session.awayMs = 0;
    this.#noteSession(client);
    return session;
  }

  /** A client has gone. */
  left(client: string, connection: object): void {
    const session = this.#sessions.get(client);
    if (session === undefined || !session.left(connection)) return;
    // So that those that are away stand in the order in which they went.
    this.#sessions.delete(client);
    this.#sessions.set(client, session);
  }

  /** A message of QoS 1 or 2 has become durable: it waits in each session that has subscribed to it, once. */
  enqueue(message: Message, qos: number): void {
    const byClient = mostByClient(this.#tree.match(message.topic), qos);
    if (byClient.size === 0) return;
    // Of its own: the payload is a slice of a whole chunk of the socket, which would be kept with it.
    const payload = typeof message.payload === 'string' ? message.payload : ownBytes(message.payload);
    const queued: QueuedMessage[] = [];
    for (const [client, most] of byClient) {
      const added = this.#enqueue({ client, topic: message.topic, payload, qos: most });
      if (added !== null) queued.push(added);
    }
    if (typeof message.payload !== 'string') this.#unnamed.set(message.payload, queued);
  }

  /** The broker passes a message to these subscribers, and knows it by `key` from now on: it waits for each of them, once. */
  name(
    subscribers: Iterable<Partial<Subscribed> & { readonly clientId: string }>,
    message: Message,
    qos: number,
    key: BrokerKey,
  ): void {
    const known = typeof message.payload === 'string' ? undefined : this.#unnamed.get(message.payload);
    for (const queued of known ?? []) this.#sessions.get(queued.client)?.name(queued, key);
    if (known !== undefined) return;
    // It was not awaited when it was offered to the log: somebody has subscribed to it since.
    const since = mostByClient(subscribers, qos);
    if (since.size === 0) return;
    const payload = typeof message.payload === 'string' ? message.payload : ownBytes(message.payload);
    for (const [client, most] of since) {
      const session = this.#sessionOf(client);
      const queued = this.#enqueue({ client, topic: message.topic, payload, qos: most });
      if (queued !== null) session.name(queued, key);
    }
  }

  /** Gives a message a packet id. */
  setId(session: Session, message: QueuedMessage, messageId: number): void {
    if (message.messageId === messageId) return;
    session.setId(message, messageId);
    this.#noteMessage(message);
  }

  /** QoS 2: the subscriber has the message. */
  release(session: Session, message: QueuedMessage): void {
    if (message.isReleased) return;
    this.#queuedBytes -= weightOf(message);
    session.release(message);
    this.#queuedBytes += weightOf(message);
    this.#noteMessage(message);
  }

  /** The subscriber is done with a message. */
  acknowledged(session: Session, message: QueuedMessage): void {
    this.#remove(session, message);
    this.#endIfEmpty(session);
  }

  /** Time has passed: a session whose client has been away for too long ends. */
  age(elapsedMs: number): void {
    this.#unsaidMs += elapsedMs;
    if (this.#unsaidMs < limits.mqttSessionAgeStepMs) return;
    for (const session of [...this.#sessions.values()]) {
      if (session.isConnected) continue;
      session.awayMs += this.#unsaidMs;
      this.#noteSession(session.client);
      if (session.awayMs <= limits.mqttSessionAwayMsMax) continue;
      this.end(session.client);
      this.#options.onLoss('session-expired', session.client);
    }
    this.#unsaidMs = 0;
  }

  /** What has changed since the last call; or everything. It counts as stored from now on. */
  changes(isWhole: boolean): SessionChanges {
    if (isWhole) this.#noteAll();
    const changed = [...this.#changedSessions];
    const messages = [...this.#changedMessages];
    const isNew = ({ isStored }: QueuedMessage): boolean => isWhole || !isStored;
    const result: SessionChanges = {
      sessions: {
        put: changed.flatMap((client) => rowOf(this.#sessions.get(client))),
        remove: changed.filter((client) => !this.#sessions.has(client)),
      },
      queued: {
        put: messages.filter(isNew).map(messageRow),
        remove: [...this.#removedMessages],
      },
      handshakes: messages.filter((message) => !isNew(message)).map(handshakeOf),
    };
    for (const message of messages) message.isStored = true;
    this.#changedSessions.clear();
    this.#changedMessages.clear();
    this.#removedMessages.clear();
    return result;
  }

  #sessionOf(client: string): Session {
    const present = this.#sessions.get(client);
    if (present !== undefined) return present;
    this.#makeRoom();
    const session = new Session(client);
    this.#sessions.set(client, session);
    this.#noteSession(client);
    return session;
  }

  /** Gives up who has been away longest; there are more sessions than there can be connections. */
  #makeRoom(): void {
    if (this.#sessions.size < limits.mqttSessionsMax) return;
    for (const { client, isConnected } of this.#sessions.values()) {
      if (isConnected) continue;
      this.end(client);
      this.#options.onLoss('session-given-up', client);
      return;
    }
  }

  #enter(session: Session, subscription: Subscribed): void {
    session.subscriptions.set(subscription.topic, subscription);
    if (subscription.qos > 0) this.#tree.set(subscription);
    else this.#tree.delete(subscription.topic, subscription.clientId);
  }

  /** Null if there is no room for it. What came first stays: so a full queue costs nothing, not even the card. */
  #enqueue(message: NewMessage): QueuedMessage | null {
    const session = this.#sessionOf(message.client);
    const bytes = weightOf(message);
    if (
      session.count >= this.#options.sessionQueuedMax ||
      session.bytes + bytes > limits.mqttSessionQueuedBytesMax ||
      this.#queuedBytes + bytes > limits.mqttQueuedBytesMax
    ) {
      this.#options.onLoss('queue-full', message.client);
      return null;
    }
    this.#lastNumber += 1;
    const queued = {
      ...message,
      number: this.#lastNumber,
      messageId: null,
      safeId: null,
      isReleased: false,
      isReleaseSafe: false,
      isStored: false,
    };
    this.#add(session, queued);
    this.#noteMessage(queued);
    return queued;
  }

  #add(session: Session, message: QueuedMessage): void {
    session.add(message);
    this.#queued += 1;
    this.#queuedBytes += weightOf(message);
  }

  #remove(session: Session, message: QueuedMessage): void {
    session.remove(message);
    this.#queued -= 1;
    this.#queuedBytes -= weightOf(message);
    this.#changedMessages.delete(message);
    if (!message.isStored) return;
    this.#removedMessages.add(message.number);
    this.#options.onChange();
  }

  #endIfEmpty(session: Session): void {
    if (!session.isEmpty) return;
    this.#sessions.delete(session.client);
    this.#noteSession(session.client);
  }

  #noteSession(client: string): void {
    this.#changedSessions.add(client);
    this.#options.onChange();
  }

  #noteMessage(message: QueuedMessage): void {
    this.#changedMessages.add(message);
    this.#options.onChange();
  }

  #noteAll(): void {
    for (const session of this.#sessions.values()) {
      this.#changedSessions.add(session.client);
      for (const message of session.messages) this.#changedMessages.add(message);
    }
  }
}

/** The QoS at which each client gets a message: that of its highest subscription, and not above its own. */
function mostByClient(
  subscribers: Iterable<Partial<Subscribed> & { readonly clientId: string }>,
  qos: number,
): Map<string, number> {
  const byClient = new Map<string, number>();
  for (const { clientId, qos: most = qos } of subscribers)
    byClient.set(clientId, Math.max(byClient.get(clientId) ?? 0, Math.min(qos, most)));
  return byClient;
}

function rowOf(session: Session | undefined): StoredSession[] {
  if (session === undefined) return [];
  const { client, awayMs, subscriptions } = session;
  const rows = [...subscriptions.values()].map(({ topic, qos }) => ({ topic, qos }));
  return [{ client, awayMs, subscriptions: rows }];
}

const messageRow = (message: QueuedMessage): StoredMessage => ({
  ...handshakeOf(message),
  client: message.client,
  topic: message.topic,
  qos: message.qos,
  payload: bytesOf(message.payload),
});

const handshakeOf = ({ number, messageId, isReleased }: QueuedMessage): StoredHandshake => ({
  number,
  messageId,
  isReleased,
});

/** A copy in memory of its own. */
export function ownBytes(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

const bytesOf = (payload: Uint8Array | string): Uint8Array =>
  typeof payload === 'string' ? Buffer.from(payload) : payload;
