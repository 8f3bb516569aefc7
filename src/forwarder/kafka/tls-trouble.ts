import { messageOf } from '../../core/errors.ts';
import type { ClusterAccess, TlsAccess, Validity } from './cluster-access.ts';

/**
 * Why a connection with TLS failed, and what to do, in one sentence about the broker; null if TLS is not the reason.
 * `host` is what was dialled.
 */
export function tlsTrouble(error: unknown, host: string, { tls, nowMs }: ClusterAccess): string | null {
  if (tls === null) return null;
  for (const cause of causesOf(error)) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
    const sentence =
      brokersCertificate(code, cause, { host, tls, nowMs }) ?? handshake(code, cause, tls, nowMs);
    if (sentence !== null) return sentence;
  }
  return null;
}

/** What to look at in our own certificate, if the broker may have refused it without a word; null if nothing. */
export function ownCertificateTrouble({ tls, nowMs }: ClusterAccess): string | null {
  if (tls === null || tls.certificate === null) return null;
  return datesTrouble(tls.certificate, nowMs);
}

interface Dialled {
  readonly host: string;
  readonly tls: TlsAccess;
  readonly nowMs: number;
}

/** What is wrong with the certificate that the broker shows. */
function brokersCertificate(code: string, error: Error, { host, tls, nowMs }: Dialled): string | null {
  const { section } = tls.names;
  const clock = `by the clock of this device, which says ${day(nowMs)}`;
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return `its certificate, or that of its CA, has expired ${clock}; renew it on the broker, or set the clock if it is wrong`;
    case 'CERT_NOT_YET_VALID':
      return (
        `its certificate is not valid yet ${clock}; that clock is probably wrong: set it (timedatectl, or a time ` +
        'server that can be reached); the gateway goes on by itself then'
      );
    case 'ERR_TLS_CERT_ALTNAME_INVALID': {
      const names = namesIn(error);
      return (
        `its certificate is not for ${tls.serverName ?? host}, but for ${names === '' ? 'no host at all' : names}; ` +
        `use such a name in ${tls.names.address}, or set ${section}.serverName to one of them`
      );
    }
    default:
      if (!unknownIssuer.has(code)) return null;
      return tls.hasCaFile
        ? `its certificate is not signed by a CA in ${section}.caFile; put the certificate of its CA there`
        : 'its certificate is signed by a CA that this device does not know; put the certificate of its CA in a file ' +
            `and name it in ${section}.caFile`;
  }
}

const unknownIssuer: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);

/** What else goes wrong while TLS is set up. Alerts are what the broker says; it may say so after the handshake. */
function handshake(code: string, error: Error, tls: TlsAccess, nowMs: number): string | null {
  const { section } = tls.names;
  if (error.message.includes('before secure TLS connection was established') || noTls.has(code))
    return `what listens there does not speak TLS; use the port of a TLS listener, or remove ${section}`;
  if (code.includes('PROTOCOL_VERSION') || code === 'ERR_SSL_UNSUPPORTED_PROTOCOL')
    return 'the broker and this gateway have no version of TLS in common; the broker must allow TLS 1.2 or 1.3';
  if (/_ALERT_.*(?:CERTIFICATE|CA$|ACCESS_DENIED)|_ALERT_HANDSHAKE_FAILURE/.test(code)) {
    if (tls.certificate === null)
      return `the broker wants a certificate of this gateway; set ${section}.certFile and ${section}.keyFile`;
    const why =
      datesTrouble(tls.certificate, nowMs) ?? 'check that it is signed by a CA that the broker trusts';
    return `the broker refuses the certificate of ${section}.certFile (${reasonIn(error)}); ${why}`;
  }
  if (code.startsWith('ERR_SSL_')) return `TLS fails: ${reasonIn(error)}`;
  return null;
}

const noTls: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
]);

function datesTrouble({ fromMs, toMs }: Validity, nowMs: number): string | null {
  if (toMs < nowMs)
    return `by the clock of this device it expired on ${day(toMs)}: renew it, or set the clock if ${day(nowMs)} is wrong`;
  if (fromMs > nowMs)
    return `by the clock of this device it is valid only from ${day(fromMs)} on: set the clock if ${day(nowMs)} is wrong`;
  return null;
}

/** Days only: a message that changed with each attempt would fill the service log. */
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** OpenSSL's own short words, rather than its message with the places of its source. */
const reasonIn = (error: Error): string =>
  'reason' in error && typeof error.reason === 'string' ? error.reason : messageOf(error);

function namesIn(error: Error): string {
  const certificate: unknown = 'cert' in error ? error.cert : null;
  if (typeof certificate !== 'object' || certificate === null || !('subjectaltname' in certificate))
    return '';
  const { subjectaltname: names } = certificate;
  return typeof names === 'string' ? names.replaceAll(/DNS:|IP Address:/g, '') : '';
}

function* causesOf(error: unknown): Generator<Error> {
  for (let cause = error; cause instanceof Error; cause = cause.cause) yield cause;
}
