import type { Peer } from './peer.ts';

/** What a client says in its CONNECT of who it is, and where it comes from. */
export interface LoginAttempt {
  /** Null without a user name, which is an anonymous client. */
  readonly user: string | null;
  readonly password: Uint8Array | null;
  readonly clientId: string;
  readonly peer: Peer;
}

/** Who a client is, from its CONNECT to the end of its connection, and what it may do. */
export interface Identity {
  /** Null for an anonymous client. */
  readonly user: string | null;
  /** Whether it would be let in no longer, or with other rights: its connection is to be closed, and nothing more taken of it. */
  readonly isRevoked: boolean;
  mayPublish(topic: string): boolean;
  maySubscribe(filter: string): boolean;
}

/** The answer to a login; `message` says what to do about a refusal. */
export type Login =
  | { readonly identity: Identity }
  | { readonly refusal: LoginRefusal; readonly message: string };

/** `anonymous`: who has no user is not let in. `throttled`: too many logins failed of late. */
export const loginRefusals = ['bad-login', 'anonymous', 'throttled'] as const;

export type LoginRefusal = (typeof loginRefusals)[number];

/** Who may use the MQTT port, and for what. */
export interface Access {
  /** Never rejects for what a client did. */
  login(attempt: LoginAttempt): Promise<Login>;
  /** Who a client is that an earlier run of the gateway had let in; null if it would be let in no longer. */
  recall(user: string | null, clientId: string): Identity | null;
  /** Calls back whenever identities may have been revoked. */
  onRevoked(listener: () => void): void;
}

/** A client's user in words. */
export const whoIs = ({ user }: Identity): string =>
  user === null ? 'a client without a user' : `user ${user}`;
