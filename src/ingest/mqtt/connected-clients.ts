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

/** A client that is connected, and what has become of its messages since. Times are those of the wall clock as it is now, milliseconds since 1970 UTC. */
export interface ConnectedClientStatus extends ClientArrival {
  readonly connectedMs: number;
  /** Made durable. Of QoS 2, what is sent again counts once. */
  readonly messages: number;
  /** Null before the first. */
  readonly lastMessageMs: number | null;
  /** Dropped without an end of the connection: of QoS 0, and not allowed or not taken by the log. */
  readonly dropped: number;
  /** Why the last one was. */
  readonly lastDrop: { readonly message: string; readonly atMs: number } | null;
}

/** The same with moments of the monotonic clock: the wall clock may be set while a client is connected. */
interface Connected extends ClientArrival {
  readonly atMs: number;
  messages: number;
  lastMessageAtMs: number | null;
  dropped: number;
  lastDrop: { readonly message: string; readonly atMs: number } | null;
}

/** The clients that are connected. No more than there may be connections. */
export class ConnectedClients {
  readonly #clock: Clock;
  readonly #clients = new Map<object, Connected>();

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
      atMs: this.#clock.monotonicMs(),
      messages: 0,
      lastMessageAtMs: null,
      dropped: 0,
      lastDrop: null,
    });
  }

  /** A message of it is durable. Of who is not connected any more, as a client with a will, nothing is counted. */
  stored(client: object): void {
    const known = this.#clients.get(client);
    if (known === undefined) return;
    known.messages += 1;
    known.lastMessageAtMs = this.#clock.monotonicMs();
  }

  /** A message of it was dropped, for the reason in words. */
  dropped(client: object, message: string): void {
    const known = this.#clients.get(client);
    if (known === undefined) return;
    known.dropped += 1;
    known.lastDrop = { message, atMs: this.#clock.monotonicMs() };
  }

  /** Its connection has ended. */
  ended(client: object): void {
    this.#clients.delete(client);
  }

  /** In the order of their ids. */
  list(): readonly ConnectedClientStatus[] {
    const offsetMs = this.#clock.wallMs() - this.#clock.monotonicMs();
    const wallMs = (atMs: number): number => Math.round(offsetMs + atMs);
    return [...this.#clients.values()]
      .map(({ atMs, lastMessageAtMs, lastDrop, ...client }) => ({
        ...client,
        connectedMs: wallMs(atMs),
        lastMessageMs: lastMessageAtMs === null ? null : wallMs(lastMessageAtMs),
        lastDrop: lastDrop === null ? null : { message: lastDrop.message, atMs: wallMs(lastDrop.atMs) },
      }))
      .toSorted((one, other) => order(one.id, other.id) || order(one.address, other.address));
  }
}

const order = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);
