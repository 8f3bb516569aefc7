import { assert } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { type Access, type Identity, type LoginRefusal, whoIs } from './access.ts';
import type { Peer } from './peer.ts';
import { quoted, type Refusals } from './refusals.ts';
import { isReserved } from './topic-access.ts';

/** What is asked of a client of the broker. */
export interface ConnectedClient {
  readonly id: string;
  readonly closed: boolean;
  close(): void;
}

/** What of a CONNECT is looked at. */
export interface ConnectRequest {
  readonly clientId: string;
  readonly clean?: boolean | undefined;
  readonly will?: { readonly topic: string } | undefined;
  /** 0 if the client asks for none. */
  readonly keepAliveMs: number;
}

/** A CONNECT that is refused, with the return code for its CONNACK. */
export class ConnectRefusal extends Error {
  override readonly name = 'ConnectRefusal';
  readonly reason: LoginRefusal | 'client-id' | 'not-allowed';
  readonly returnCode: 2 | 4 | 5;

  constructor(reason: ConnectRefusal['reason'], message: string) {
    super(message);
    this.reason = reason;
    this.returnCode = returnCodes[reason];
  }
}

/** [MQTT-3.2.2.3]: identifier rejected; bad user name or password; not authorized. */
const returnCodes = {
  'client-id': 2,
  'bad-login': 4,
  anonymous: 5,
  throttled: 5,
  'not-allowed': 5,
} as const;

/** Knows who each client is and what it may do, and closes those who may no longer. */
export class ClientAccess {
  readonly #access: Access;
  readonly #refusals: Refusals;
  /** Kept beyond the end of a connection, because its will comes after that. */
  readonly #identities = new WeakMap<object, Identity>();
  readonly #requests = new WeakMap<object, ConnectRequest>();
  readonly #connected = new Set<ConnectedClient>();

  constructor(access: Access, refusals: Refusals) {
    this.#access = access;
    this.#refusals = refusals;
    access.onRevoked(() => this.#closeRevoked());
  }

  /** A client has sent its CONNECT; {@link authenticate} follows. */
  connecting(client: ConnectedClient, request: ConnectRequest): void {
    this.#requests.set(client, request);
  }

  /** Whether the client is let in: null, or why it is not. */
  async authenticate(
    client: ConnectedClient,
    user: string | null,
    password: Uint8Array | null,
    peer: Peer,
  ): Promise<ConnectRefusal | null> {
    const request = this.#requests.get(client);
    assert(request !== undefined, 'a client connects before it is authenticated');
    const problem = problemOfId(request);
    if (problem !== null) return new ConnectRefusal('client-id', problem);
    const login = await this.#access.login({ user, password, clientId: client.id, peer });
    if ('refusal' in login) return new ConnectRefusal(login.refusal, login.message);
    const { identity } = login;
    const topic = request.will?.topic;
    // Refused now, where its maker sees it, and not when nobody is there to be told.
    if (topic !== undefined && !isReserved(topic) && !identity.mayPublish(topic)) {
      const message = `${whoIs(identity)} may not publish its will to ${quoted(topic)}; if it should, see headwater devices set --help`;
      return new ConnectRefusal('not-allowed', message);
    }
    this.#identities.set(client, identity);
    if (!client.closed) this.#connected.add(client);
    return null;
  }

  /** Whether the client has been let in, so that its session is its own. */
  isLetIn(client: object): boolean {
    return this.#identities.has(client);
  }

  /** Makes known a client that an earlier run had let in; false if it would be let in no longer. */
  recall(client: { readonly id: string }, user: string | null): boolean {
    const identity = this.#access.recall(user, client.id);
    if (identity !== null) this.#identities.set(client, identity);
    return identity !== null;
  }

  /** What has to be known of a client to publish its will after the end of this process. */
  connectOf(client: object): { readonly user: string | null; readonly keepAliveMs: number } {
    const { user } = this.identityOf(client);
    return { user, keepAliveMs: this.#requests.get(client)?.keepAliveMs ?? 0 };
  }

  /** Who a client is that has been let in. */
  identityOf(client: object): Identity {
    const identity = this.#identities.get(client);
    assert(identity !== undefined, 'only who is let in publishes and subscribes');
    return identity;
  }

  /** Whether the client may subscribe to the filter; a refusal is counted and told. */
  maySubscribe(client: ConnectedClient, filter: string): boolean {
    const identity = this.identityOf(client);
    if (identity.maySubscribe(filter)) return true;
    this.#refusals.subscription(
      { client: client.id },
      `subscription refused: ${whoIs(identity)} may not subscribe to ${quoted(filter)}; if it should, see headwater devices set --help`,
    );
    return false;
  }

  /** The connection has ended. */
  ended(client: ConnectedClient): void {
    this.#connected.delete(client);
  }

  #closeRevoked(): void {
    for (const client of this.#connected) if (this.identityOf(client).isRevoked) client.close();
  }
}

/** What is wrong with a client id, or null; the first is [MQTT-3.1.3-7]. */
function problemOfId({ clientId, clean }: ConnectRequest): string | null {
  if (clientId === '' && clean === false) {
    return 'an empty client id needs a clean session; give the device a client id';
  }
  // [MQTT-1.5.3-2]; with one it could be that under which the QoS 2 ids of a broker are kept.
  if (clientId.includes('\0')) return 'a client id with a zero character; give the device one of text';
  const bytesMax = limits.mqttClientIdBytesMax;
  return Buffer.byteLength(clientId) > bytesMax
    ? `a client id of more than ${bytesMax} bytes; give the device a shorter one`
    : null;
}
