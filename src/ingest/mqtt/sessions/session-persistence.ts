import { Readable } from 'node:stream';
import aedesPersistence from 'aedes-persistence';
import type { MqttState } from './mqtt-state.ts';
import type { RetainedPacket } from './retained.ts';
import type { BrokerKey, QueuedMessage, Session } from './session.ts';

/** A message as the broker keeps and sends it: a PUBLISH, or the PUBREL that follows it. */
export type Packet = PublishPacket | { cmd: 'pubrel'; messageId: number };

/** A PUBLISH to a subscriber. */
export interface PublishPacket extends BrokerKey {
  cmd: 'publish';
  topic: string;
  payload: Uint8Array | string;
  qos: number;
  retain: boolean;
  dup: boolean;
  messageId: number | undefined;
}

interface Named {
  readonly id: string;
}

interface Subscription {
  readonly topic: string;
  readonly qos: number;
}

type Subscriber = Partial<Subscription> & { readonly clientId: string };

/** A will as the broker hands it over. */
export interface WillPacket {
  topic: string;
  payload: Uint8Array | string;
  qos: number;
  retain: boolean;
  clientId?: string;
  brokerId?: string;
}

// The types of the package describe callbacks; the broker calls its methods for promises.
const inMemory = aedesPersistence as unknown as () => object;

/**
 * The persistence that aedes asks for, over what {@link MqttState} keeps. Nothing waits for the disk but what a restart
 * must not forget: subscriptions before their SUBACK, and of QoS 2 the packet id before its PUBLISH, and the release
 * before its PUBREL. Incoming QoS 2 and wills are the base's, in memory.
 */
export const sessionPersistence = (state: MqttState): object =>
  Object.assign(inMemory(), retainedMessages(state), subscriptions(state), outgoingMessages(state));

const retainedMessages = ({ retained }: MqttState): object => ({
  storeRetained(packet: RetainedPacket): Promise<void> {
    retained.set(packet);
    return Promise.resolve();
  },

  createRetainedStreamCombi: (filters: readonly string[]) => Readable.from(retained.matching(filters)),
  createRetainedStream: (filter: string) => Readable.from(retained.matching([filter])),
});

const subscriptions = ({ sessions, writes }: MqttState): object => ({
  async addSubscriptions(client: Named, added: readonly Subscription[]): Promise<void> {
    sessions.subscribe(client.id, added);
    await writes.written({ isSynced: true });
  },

  async removeSubscriptions(client: Named, filters: readonly string[]): Promise<void> {
    sessions.unsubscribe(client.id, filters);
    await writes.written();
  },

  subscriptionsByClient({ id }: Named): Promise<readonly Subscription[]> {
    const present = [...(sessions.find(id)?.subscriptions.values() ?? [])];
    return Promise.resolve(present.map(({ clientId: _, ...subscription }) => subscription));
  },

  countOffline() {
    const withSome = [...sessions.all].filter((session) => session.subscriptions.size > 0);
    const counts = { subsCount: sessions.counts.subscriptions, clientsCount: withSome.length };
    return Promise.resolve(counts);
  },

  subscriptionsByTopic: (topic: string) => Promise.resolve(sessions.match(topic)),

  async cleanSubscriptions({ id }: Named): Promise<void> {
    if (sessions.end(id)) await writes.written();
  },

  getClientList(filter: string): Readable {
    const withIt = [...sessions.all].filter((session) => session.subscriptions.has(filter));
    return Readable.from(withIt.map(({ client }) => client));
  },
});

const outgoingMessages = ({ sessions, writes }: MqttState): object => ({
  outgoingEnqueue(subscriber: Subscriber, packet: PublishPacket): Promise<void> {
    sessions.name([subscriber], packet, packet.qos, packet);
    return Promise.resolve();
  },

  outgoingEnqueueCombi(subscribers: readonly Subscriber[], packet: PublishPacket): Promise<void> {
    sessions.name(subscribers, packet, packet.qos, packet);
    return Promise.resolve();
  },

  async outgoingUpdate({ id }: Named, packet: Packet): Promise<void> {
    const session = sessions.find(id);
    const message = session && messageOf(session, packet);
    if (packet.cmd === 'pubrel') {
      // Of one of which nothing is kept, its subscriber is answered all the same.
      if (session === undefined || message === undefined || message.isReleaseSafe) return;
      sessions.release(session, message);
      await writes.written();
      message.isReleaseSafe = true;
      return;
    }
    if (session === undefined || message === undefined) throw new Error('no such packet');
    packet.qos = message.qos;
    if (packet.messageId === undefined) return;
    sessions.setId(session, message, packet.messageId);
    if (message.qos < 2 || message.safeId === packet.messageId) return;
    await writes.written();
    message.safeId = packet.messageId;
  },

  outgoingClearMessageId({ id }: Named, { messageId }: { messageId?: number }): Promise<Packet | undefined> {
    // Without an id it is one that the broker did not send after all: it sends it another time.
    const session = messageId === undefined ? undefined : sessions.find(id);
    if (session === undefined || messageId === undefined) return Promise.resolve(undefined);
    session.passed(messageId);
    const message = session.byId(messageId);
    if (message === undefined) return Promise.resolve(undefined);
    const packet = packetOf(session, message);
    sessions.acknowledged(session, message);
    return Promise.resolve(packet);
  },

  outgoingStream({ id }: Named): Readable {
    const session = sessions.find(id);
    const messages = session === undefined ? [] : [...session.messages];
    return Readable.from(messages.map((message) => packetOf(session as Session, message)));
  },
});

/** The message that a packet is about. */
function messageOf(session: Session, packet: Packet): QueuedMessage | undefined {
  const named = packet.cmd === 'publish' ? session.byKey(packet) : undefined;
  return named ?? (packet.messageId === undefined ? undefined : session.byId(packet.messageId));
}

/** A message as the broker knows it. */
export function packetOf(session: Session, message: QueuedMessage): Packet {
  const { messageId, topic, payload, qos, isReleased } = message;
  if (isReleased && messageId !== null) return { cmd: 'pubrel', messageId };
  return {
    cmd: 'publish',
    ...session.keyOf(message),
    topic,
    payload,
    qos,
    retain: false,
    dup: false,
    messageId: messageId ?? undefined,
  };
}
