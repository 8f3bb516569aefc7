import { isIP } from 'node:net';
import type { SecureContext } from 'node:tls';

/** What it takes to get into the cluster, as it is at this moment. */
export interface ClusterAccess {
  /** Null for a connection without TLS. */
  readonly tls: TlsAccess | null;
  /** Null for a connection without SASL. */
  readonly login: Login | null;
  /** The wall clock, by which certificates and tokens are judged here. */
  readonly nowMs: number;
}

export interface TlsAccess {
  /** The CAs that are trusted and, if there is one, our own certificate with its key. */
  readonly context: SecureContext;
  /** What the settings are called, for messages: the section of TLS, and where addresses are given. */
  readonly names: { readonly section: string; readonly address: string };
  /** Whether the CAs come from `caFile`, not from the system. */
  readonly hasCaFile: boolean;
  /** The name that a broker's certificate must hold; null for the host that was dialled. */
  readonly serverName: string | null;
  /** When our own certificate is valid; null without one. */
  readonly certificate: Validity | null;
}

export interface Validity {
  readonly fromMs: number;
  readonly toMs: number;
}

export type Login = PasswordLogin | TokenLogin;

export interface PasswordLogin {
  readonly mechanism: PasswordMechanism;
  readonly username: string;
  readonly password: string;
  /** The setting that the password comes from, for messages. */
  readonly setting: string;
  /** Of SCRAM: printable, without a comma, and never the same twice. */
  readonly nonce: string;
}

export interface TokenLogin {
  readonly mechanism: 'OAUTHBEARER';
  readonly token: string;
  /** The setting that the token comes from, for messages. */
  readonly setting: string;
}

export type PasswordMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';

export type AccessRead =
  | { readonly ok: true; readonly access: ClusterAccess }
  /** What is wrong with the files and the environment, each with what to do. No secret is in it. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** Asked anew for every connection, so that a renewed certificate, password or token counts at once. Never throws. */
export type ReadAccess = () => Promise<AccessRead>;

/** For a cluster that lets everybody in. */
export const openAccess: ReadAccess = () =>
  Promise.resolve({ ok: true, access: { tls: null, login: null, nowMs: 0 } });

/** What a connection to a host is secured with. */
export function tlsOptions({ context, serverName }: TlsAccess, host: string): TlsOptions {
  const name = serverName ?? host;
  // Node sends no name unless it is told to, and an address may not be sent; the certificate is checked for it all the same.
  return { secureContext: context, ...(isIP(name) === 0 && { servername: name }) };
}

interface TlsOptions {
  readonly secureContext: SecureContext;
  /** Asked for, since several hosts may share a port, and looked for in the certificate. */
  readonly servername?: string;
}
