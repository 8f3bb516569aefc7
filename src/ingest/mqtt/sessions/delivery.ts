import type { MqttState } from './mqtt-state.ts';
import type { QueuedMessage, Session } from './session.ts';
import { type Packet, packetOf } from './session-persistence.ts';

/** A connection of a client. */
export interface Connection {
  readonly id: string;
  readonly clean: boolean;
}

/** A PUBLISH that the broker is about to send to a client. */
export interface ForwardedPacket {
  readonly topic: string;
  readonly qos: number;
  readonly brokerId?: string | null;
  readonly brokerCounter?: number;
  readonly messageId?: number | undefined;
}

/**
 * Decides what the connection of a lasting session is sent, in which order, and under which packet ids: first what
 * waited, then messages as they come, each once. aedes alone would send what comes in between twice, and choose
 * packet ids that unfinished handshakes of an earlier connection have.
 */
export class Delivery {
  readonly #state: MqttState;
  /** What a connection is being sent of what waited, and whom to tell that the broker has it. */
  readonly #handing = new WeakMap<Connection, { readonly messageId: number | undefined; tell(): void }>();

  constructor(state: MqttState) {
    this.#state = state;
  }

  /** What waits for a client that connects, oldest first, until nothing waits that was not sent. */
  async *waiting(connection: Connection): AsyncGenerator<Packet> {
    const { sessions } = this.#state;
    const session = connection.clean ? undefined : sessions.begin(connection.id, connection);
    if (session === undefined) return;
    const sentBefore = new Set([...session.messages].filter(({ messageId }) => messageId !== null));
    await this.#makeSafe(session);
    for (const message of session.messages) {
      // It came meanwhile; the broker waits until its id is safe.
      if (message.messageId === null) sessions.setId(session, message, session.freeId());
      const packet = packetOf(session, message);
      if (packet.cmd === 'publish') packet.dup = sentBefore.has(message);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#handing.set(connection, { messageId: packet.messageId, tell: resolve });
      yield packet;
      // Streams collect some: what comes as it comes would overtake those.
      await promise;
    }
    session.goLive(connection);
  }

  /** The broker is about to send a packet to a client. */
  handed(connection: Connection, messageId: number | undefined): void {
    const handing = this.#handing.get(connection);
    if (handing?.messageId === messageId) handing?.tell();
  }

  /** A connection has ended. */
  ended(connection: Connection): void {
    this.#handing.get(connection)?.tell();
    this.#state.left(connection.id, connection);
  }

  /** A client has subscribed, by which its session may have begun. */
  subscribed(connection: Connection): void {
    const session = this.#state.sessions.find(connection.id);
    if (session === undefined || session.isConnected) return;
    session.begin(connection);
    session.goLive(connection);
  }

  /** The packet to be sent, which may be changed; null if it is not to be sent, or not now. */
  forward<Forwarded extends ForwardedPacket>(connection: Connection, packet: Forwarded): Forwarded | null {
    const { sessions } = this.#state;
    // One with an id is what waited.
    if (connection.clean || packet.qos === 0 || packet.messageId !== undefined) return packet;
    const session = sessions.find(connection.id);
    // A retained one for a new subscription: nothing is kept of it.
    if (session !== undefined && !packet.brokerId) return { ...packet, messageId: session.passingId() };
    const message = session && messageFor(session, packet);
    if (session === undefined || message === undefined) {
      // It had no room to wait; or the subscription is of QoS 0, and it needs none.
      const isAwaited = sessions.match(packet.topic).some(({ clientId }) => clientId === connection.id);
      return isAwaited ? null : packet;
    }
    // With an id it was sent while it waited.
    if (!session.isLiveFor(connection) || message.messageId !== null) return null;
    const messageId = session.freeId();
    sessions.setId(session, message, messageId);
    return { ...packet, messageId };
  }

  /** Gives all QoS 2 messages their packet ids and writes these, once for all. */
  async #makeSafe(session: Session): Promise<void> {
    const { sessions, writes } = this.#state;
    const waiting = [...session.messages];
    for (const message of waiting)
      if (message.messageId === null) sessions.setId(session, message, session.freeId());
    const unsafe = waiting.filter(({ qos, messageId, safeId }) => qos === 2 && messageId !== safeId);
    if (unsafe.length === 0) return;
    await writes.written();
    for (const message of unsafe) message.safeId = message.messageId;
  }
}

const messageFor = (session: Session, packet: ForwardedPacket): QueuedMessage | undefined =>
  packet.brokerId && packet.brokerCounter
    ? session.byKey({ brokerId: packet.brokerId, brokerCounter: packet.brokerCounter })
    : undefined;
