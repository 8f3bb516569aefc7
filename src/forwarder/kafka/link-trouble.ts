import { messageOf } from '../../core/errors.ts';
import type { ClusterAccess } from './cluster-access.ts';
import type { BrokerAddress } from './kafka-answers.ts';
import { LoginError } from './login.ts';
import { ownCertificateTrouble, tlsTrouble } from './tls-trouble.ts';

/** What kept an answer from coming, as far as it can be told from here. */
export type LinkTrouble =
  | 'unknown-host'
  | 'no-route'
  | 'refused'
  | 'timeout'
  | 'closed'
  | 'needs-tls'
  | 'unintelligible'
  /** TLS did not come about. */
  | 'tls'
  /** The broker did not let us in. */
  | 'login'
  /** Our own files with certificates or secrets are not as they should be: nobody was asked. */
  | 'access';

/** No usable answer came: refused, lost, too late or unintelligible. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
  readonly trouble: LinkTrouble;
  /** What happened, and what to do if that is known, without the address. */
  readonly reason: string;

  /** `where` is the address, or nothing if it does not matter. */
  constructor(where: string, trouble: LinkTrouble, reason: string, options?: ErrorOptions) {
    super(where === '' ? reason : `${where}: ${reason}`, options);
    this.trouble = trouble;
    this.reason = reason;
  }
}

/** What was going on when a connection failed. */
export interface Circumstances {
  readonly address: BrokerAddress;
  readonly access: ClusterAccess;
  /** What the socket reported by itself, such as an alert of TLS: calls in flight are only told that it closed. */
  readonly socketError: Error | null;
  /** Whether anything was answered on this connection before. */
  readonly hasAnswered: boolean;
}

/** The error of a connection or a call, with its reason in words for a person. */
export function explained(error: unknown, circumstances: Circumstances): LinkError {
  const { address, access, socketError, hasAnswered } = circumstances;
  const { host, port } = address;
  const told = (trouble: LinkTrouble, reason: string): LinkError =>
    new LinkError(`${host}:${port}`, trouble, reason, { cause: error });
  if (error instanceof LoginError) return told('login', error.message);
  const tls = tlsTrouble(socketError, host, access) ?? tlsTrouble(error, host, access);
  if (tls !== null) return told('tls', tls);
  const trouble = linkTrouble(error);
  if (trouble !== 'closed' || hasAnswered) return told(trouble, reasonOf(error));
  return told(trouble, `${reasonOf(error)} before any answer; ${afterSilence(access)}`);
}

/** What to look at when a broker closes the connection before it has said anything. */
function afterSilence(access: ClusterAccess): string {
  const { tls, login } = access;
  const own = ownCertificateTrouble(access);
  if (own !== null) return `it may refuse the certificate of forwarder.tls.certFile: ${own}`;
  const wanted = [
    ...(tls === null ? ['TLS (forwarder.tls)'] : []),
    ...(login === null ? ['a login (forwarder.sasl)'] : []),
    ...(tls?.certificate === null ? ['a certificate (forwarder.tls.certFile)'] : []),
  ];
  return wanted.length === 0
    ? 'check that a Kafka broker listens there'
    : `the broker may want ${wanted.join(' or ')}`;
}

const troublesByCode: Readonly<Record<string, LinkTrouble>> = {
  ENOTFOUND: 'unknown-host',
  EAI_AGAIN: 'unknown-host',
  EHOSTUNREACH: 'no-route',
  ENETUNREACH: 'no-route',
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
};

/** The same by the client library's own words, for which it has no codes. */
const troublesByWords: readonly (readonly [string, LinkTrouble])[] = [
  ['timed out', 'timeout'],
  ['closed', 'closed'],
  ['requires TLS', 'needs-tls'],
];

/** What kind of trouble a failed call or connection met, by the innermost cause of its error. */
export function linkTrouble(error: unknown): LinkTrouble {
  const { inner, code } = innermost(error);
  const known = typeof code === 'string' ? troublesByCode[code] : undefined;
  const told = troublesByWords.find(([words]) => messageOf(inner).includes(words));
  return known ?? told?.[1] ?? 'unintelligible';
}

/** The innermost cause, which names the trouble, in words where the system has only a code. */
export function reasonOf(error: unknown): string {
  const { inner, code } = innermost(error);
  if (code === 'ECONNREFUSED') return 'connection refused (is a broker running there?)';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'unknown host name (DNS)';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'no route (is the network up?)';
  if (linkTrouble(error) === 'timeout') return 'timed out (is the link up, and does a broker answer there?)';
  if (linkTrouble(error) === 'needs-tls') return 'the broker expects TLS; set forwarder.tls';
  return messageOf(inner);
}

function innermost(error: unknown): { readonly inner: unknown; readonly code: unknown } {
  let inner = error;
  while (inner instanceof Error && inner.cause !== undefined) inner = inner.cause;
  return { inner, code: inner instanceof Error && 'code' in inner ? inner.code : undefined };
}
