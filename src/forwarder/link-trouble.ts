import { messageOf } from '../core/errors.ts';

/** No usable answer came: refused, lost, too late or unintelligible. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
}

/** What kept an answer from coming, as far as it can be told from here. */
export type LinkTrouble =
  | 'unknown-host'
  | 'no-route'
  | 'refused'
  | 'timeout'
  | 'closed'
  | 'needs-tls'
  | 'unintelligible';

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
  return messageOf(inner);
}

function innermost(error: unknown): { readonly inner: unknown; readonly code: unknown } {
  let inner = error;
  while (inner instanceof Error && inner.cause !== undefined) inner = inner.cause;
  return { inner, code: inner instanceof Error && 'code' in inner ? inner.code : undefined };
}
