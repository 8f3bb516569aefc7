import { Readable } from 'node:stream';
import type { Publish, Publisher, PublishGate } from './publish-gate.ts';
import type { Refusal } from './refusals.ts';
import type { Connection, Delivery } from './sessions/delivery.ts';
import type { MqttState } from './sessions/mqtt-state.ts';
import { sessionPersistence, type WillPacket } from './sessions/session-persistence.ts';

/** A packet of a QoS 2 handshake as the broker hands it over: a PUBLISH, or its PUBREL. */
type HandshakePacket = { readonly messageId: number } & (
  | ({ readonly cmd: 'publish' } & Publish)
  | { readonly cmd: 'pubrel' }
);

export interface BrokerPersistenceOptions<Client> {
  readonly gate: PublishGate;
  readonly state: MqttState;
  readonly delivery: Delivery;
  /** Whether the client's session begins and ends with its connection. */
  readonly endsSession: (client: Client) => boolean;
  /** Whether SUBACK says yes to the filter. */
  readonly isGranted: (client: Client, filter: string) => boolean;
  /** Who a client is, null for one without a user, and after how long without a sign it counts as gone. */
  readonly connectOf: (client: Client) => { readonly user: string | null; readonly keepAliveMs: number };
  /** Writes out all answers: the broker is about to end the connection. */
  readonly flush: (client: Client) => void;
  /** Ends the connection: its PUBCOMP must not leave. */
  readonly cut: (client: Client, refusal: Refusal) => void;
}

// Made once: an error for each new message would capture a stack for each, a third of the time spent on QoS 2.
const notOpen: Promise<never> = Promise.reject(new Error('no such packet'));
notOpen.catch(() => {});

const isGone: Promise<never> = Promise.reject(new Error('connection closed'));
isGone.catch(() => {});

/**
 * What the broker keeps, and where: incoming QoS 2 in the log, everything else by {@link sessionPersistence}, with what
 * aedes would do wrong put right.
 */
export function brokerPersistence<Client extends Publisher & Connection>(
  options: BrokerPersistenceOptions<Client>,
): object {
  const base = sessionPersistence(options.state);
  return Object.assign(base, incomingQos2(options), outgoing(options, { ...base }), wills(options));
}

/**
 * The broker answers PUBREC once `incomingStorePacket` has resolved, and PUBCOMP once `incomingDelPacket` has settled,
 * whatever its outcome. A client that is closed may have a successor by now, whose ids must not be touched.
 */
function incomingQos2<Client extends Publisher>(options: BrokerPersistenceOptions<Client>): object {
  const { gate, endsSession, flush, cut } = options;
  return {
    /** A PUBLISH is never known: whether it is a duplicate is decided with its commit. */
    incomingGetPacket(client: Client, packet: HandshakePacket): Promise<HandshakePacket> {
      const isOpen = packet.cmd === 'pubrel' && gate.isOpen(client, packet.messageId);
      return isOpen ? Promise.resolve(packet) : notOpen;
    },

    incomingStorePacket(client: Client, packet: HandshakePacket & Publish): Promise<void> {
      if (client.closed) return isGone;
      return new Promise((resolve, reject) => {
        gate.publishOnce(client, packet, packet.messageId, (refusal) => {
          if (refusal === null) return resolve();
          flush(client);
          reject(refusal);
        });
      });
    },

    incomingDelPacket(client: Client, packet: HandshakePacket): Promise<void> {
      if (client.closed) return isGone;
      return new Promise((resolve, reject) => {
        gate.release(client, packet.messageId, (refusal) => {
          if (refusal === null) return resolve();
          cut(client, refusal);
          reject(refusal);
        });
      });
    },

    /** Called when a session begins, and when a connection ends whose session ends with it. */
    cleanIncoming(client: Client): Promise<void> {
      if (!endsSession(client)) return Promise.resolve();
      return new Promise((resolve, reject) => {
        gate.releaseAll(client, (refusal) => {
          if (refusal === null) resolve();
          else reject(refusal);
        });
      });
    },
  };
}

interface Outgoing<Client> {
  addSubscriptions(client: Client, subscriptions: readonly { readonly topic: string }[]): Promise<void>;
  outgoingEnqueueCombi(subscribers: readonly object[], packet: Publish): Promise<void>;
  outgoingUpdate(client: Client, packet: { readonly messageId?: number }): Promise<void>;
}

function outgoing<Client extends Publisher & Connection>(
  { gate, delivery, isGranted }: BrokerPersistenceOptions<Client>,
  base: object,
): object {
  const { addSubscriptions, outgoingEnqueueCombi, outgoingUpdate } = base as Outgoing<Client>;
  return {
    /** The gate has done it when the message became durable. */
    storeRetained: () => Promise.resolve(),

    /** The broker hands over all filters of a SUBSCRIBE, those that it refuses as well. */
    addSubscriptions(client: Client, subscriptions: readonly { readonly topic: string }[]): Promise<void> {
      const granted = subscriptions.filter(({ topic }) => isGranted(client, topic));
      const added = addSubscriptions(client, granted);
      delivery.subscribed(client);
      return added;
    },

    outgoingEnqueueCombi: (subscribers: readonly object[], packet: Publish) =>
      gate.mayForward(packet) ? outgoingEnqueueCombi(subscribers, packet) : Promise.resolve(),

    outgoingUpdate(client: Client, packet: { readonly messageId?: number }): Promise<void> {
      delivery.handed(client, packet.messageId);
      return outgoingUpdate(client, packet);
    },

    /** Asked once for each connection, when it begins. */
    outgoingStream: (client: Client) => Readable.from(delivery.waiting(client)),
  };
}

function wills<Client extends Publisher>({ state, connectOf }: BrokerPersistenceOptions<Client>): object {
  /** Whose will is kept, by client id. */
  const owners = new Map<string, Client>();
  return {
    async putWill(client: Client, { topic, payload, qos, retain }: WillPacket): Promise<void> {
      owners.set(client.id, client);
      const will = { topic, payload: Buffer.from(payload), qos, retain };
      state.keepWill({ client: client.id, ...connectOf(client), ...will });
      await state.writes.written();
    },

    /** Called with the client that connects, and with its id only after it has gone; by then it may have a successor. */
    delWill({ id, closed }: Pick<Client, 'id'> & Partial<Client>): Promise<void> {
      const owner = owners.get(id);
      if (closed === undefined && owner?.closed === false) return Promise.resolve();
      owners.delete(id);
      // Not to be published after all, if this process ends just now.
      if (state.wills.delete(id) !== undefined) void state.writes.written();
      return Promise.resolve();
    },

    /** Those of an earlier run are published by `publishLeftWills`. */
    streamWill: () => Readable.from([]),
  };
}
