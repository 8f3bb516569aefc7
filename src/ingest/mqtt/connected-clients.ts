import type { Clock } from '../../core/clock.ts';
import type { ListenerKind } from './listener.ts';

/** Who a client is, and how it got here. */
export interface ClientArrival {
  readonly id: string;
  /** Null without one. */
  readonly user: string | null;
  /** The IP address with the port. */
  readonly address: string;
  readonly listener: ListenerKind;
}

/** A client that is connected, and what has become of its messages since. Times are wall clock, milliseconds since 1970 UTC. */
export interface ConnectedClientStatus extends ClientArrival {
  readonly connectedMs: number;
  /** Made durable; those that came twice count once. */
  readonly messages: number;
  /** Null before the first. */
  readonly lastMessageMs: number | null;
  /** Dropped without an end of the connection: of QoS 0, and not allowed or not taken by the log. */
  readonly dropped: number;
  /** Why the last one was. */
  readonly lastDrop: { readonly message: string; readonly atMs: number } | null;
}

/** The clients that are connected. No more than there may be connections. */
export class ConnectedClients {
  readonly #clock: Clock;
  readonly #clients = new Map<
    object,
    { -readonly [Name in keyof ConnectedClientStatus]: ConnectedClientStatus[Name] }
  >();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It has been let in. */
  connected(client: object, { id, user, address, listener }: ClientArrival): void {
    this.#clients.set(client, {
      id,
      user,
      address,
      listener,
      connectedMs: this.#clock.wallMs(),
      messages: 0,
      lastMessageMs: null,
      dropped: 0,
      lastDrop: null,
    });
  }

  /** A message of it is durable. Of who is not connected any more, as a client with a will, nothing is counted. */
  stored(client: object): void {
    const known = this.#clients.get(client);
    if (known === undefined) return;
    known.messages += 1;
    known.lastMessageMs = this.#clock.wallMs();
  }

  /** A message of it was dropped, for the reason in words. */
  dropped(client: object, message: string): void {
    const known = this.#clients.get(client);
    if (known === undefined) return;
    known.dropped += 1;
    known.lastDrop = { message, atMs: this.#clock.wallMs() };
  }

  /** Its connection has ended. */
  ended(client: object): void {
    this.#clients.delete(client);
  }

  /** In the order of their ids. */
  list(): readonly ConnectedClientStatus[] {
    return [...this.#clients.values()].toSorted((one, other) => (one.id < other.id ? -1 : 1));
  }
}
