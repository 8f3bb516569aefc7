import aedesPersistence from 'aedes-persistence';
import type { Publish, Publisher, PublishGate } from './publish-gate.ts';
import type { Refusal } from './refusals.ts';

/** A packet of a QoS 2 handshake as the broker hands it over: a PUBLISH, or its PUBREL. */
type HandshakePacket = { readonly messageId: number } & (
  | ({ readonly cmd: 'publish' } & Publish)
  | { readonly cmd: 'pubrel' }
);

export interface Qos2PersistenceOptions<Client> {
  readonly gate: PublishGate;
  /** Whether the client's session begins and ends with its connection. */
  readonly endsSession: (client: Client) => boolean;
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

// The types of the package describe callbacks; the broker calls its methods for promises.
const inMemory = aedesPersistence as unknown as () => object;

/**
 * The broker's own persistence in memory, but for what it keeps of incoming QoS 2 messages: that is in the log. The
 * broker answers PUBREC once `incomingStorePacket` has resolved, and PUBCOMP once `incomingDelPacket` has settled,
 * whatever its outcome. A client that is closed may have a successor by now, whose ids must not be touched.
 */
export function qos2Persistence<Client extends Publisher>(options: Qos2PersistenceOptions<Client>): object {
  const { gate, endsSession, flush, cut } = options;
  return Object.assign(inMemory(), {
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
  });
}
