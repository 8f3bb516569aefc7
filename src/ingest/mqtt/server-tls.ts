import { constants } from 'node:crypto';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import { limits } from '../../core/limits.ts';
import type { ConnectionRefusal } from './refusals.ts';

/** What TLS listeners prove themselves by, and whom they trust. It may change while they run. */
export interface ServerTls {
  /** The certificate with its key and, if clients are asked for certificates, the CAs that sign those. Null while there is none that can be used. */
  readonly credentials: {
    readonly cert: string;
    readonly key: string;
    readonly ca?: string[];
  } | null;
  readonly clientCertificates: 'off' | 'optional' | 'required';
  /** Calls back when other credentials count, for connections to come. */
  onChange(listener: () => void): void;
}

/** Why a connection ended before MQTT began. */
export interface HandshakeFailure {
  readonly reason: ConnectionRefusal;
  readonly message: string;
}

export interface TlsServerOptions {
  readonly tls: ServerTls;
  /** The handshake is done. */
  readonly onSecured: (socket: TLSSocket) => void;
  /** The handshake failed, and the socket is being closed. Where the client has just gone away, it no longer says whose it was. */
  readonly onFailed: (socket: TLSSocket, failure: HandshakeFailure) => void;
}

/**
 * TLS for connections that somebody else accepts, which may not be half open: each is given to it by its event `connection`.
 */
export function tlsServer({ tls, onSecured, onFailed }: TlsServerOptions): Server {
  const secureContext = (): SecureContextOptions => ({
    ...tls.credentials,
    minVersion: 'TLSv1.2',
    // A resumed session would count a client's certificate that is trusted no longer.
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
  const server = createServer({
    ...secureContext(),
    requestCert: tls.clientCertificates !== 'off',
    // Looked at in `certificateOf`, which can say what is wrong.
    rejectUnauthorized: false,
    handshakeTimeout: limits.mqttHandshakeTimeoutMs,
  });
  server.on('secureConnection', onSecured);
  server.on('tlsClientError', (error, socket) => onFailed(socket, failureOf(error)));
  tls.onChange(() => server.setSecureContext(secureContext()));
  return server;
}

/**
 * The common name of the certificate that a client has shown, or null if it has shown none and need not; or why it is not to be
 * let in. A certificate that is not verified is never taken for none.
 */
export function certificateNameOf(
  socket: TLSSocket,
  clientCertificates: ServerTls['clientCertificates'],
): { readonly name: string | null } | HandshakeFailure {
  if (clientCertificates === 'off') return { name: null };
  if (socket.getPeerX509Certificate() === undefined) {
    return clientCertificates === 'optional'
      ? { name: null }
      : {
          reason: 'no-certificate',
          message: 'it has shown no client certificate, and each client needs one',
        };
  }
  if (!socket.authorized) {
    const why = socket.authorizationError;
    return { reason: 'bad-certificate', message: certificateProblem(String(why)) };
  }
  // Several common names come as a list: nobody could say which of them it is.
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  if (typeof name === 'string' && name !== '') return { name };
  return {
    reason: 'bad-certificate',
    message: 'its client certificate needs one common name (CN), which is its user; make it another one',
  };
}

function certificateProblem(code: string): string {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 'its client certificate has expired: renew it; if it has not, set the clock of this gateway';
    case 'CERT_NOT_YET_VALID':
      return 'its client certificate is not valid yet: set the clock of this gateway, or wait for the time server';
    case 'INVALID_PURPOSE':
      return 'its certificate is not one for clients; make it one with the extended key usage clientAuth';
    default:
      return `its client certificate is not signed by a CA in mqtt.tls.clientCaFile (${code}); give it one that is, or add its CA there`;
  }
}

/** By the codes of OpenSSL, which Node puts behind `ERR_SSL_`. */
function failureOf(error: NodeJS.ErrnoException): HandshakeFailure {
  const code = error.code ?? '';
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT')
    return { reason: 'handshake-timeout', message: 'the TLS handshake was not completed in time' };
  if (/ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_\w+|UNSUPPORTED_CERTIFICATE)$/.test(code))
    return {
      reason: 'certificate-refused',
      message:
        'it does not trust the certificate of this gateway, or knows the gateway by a name that is not in it; give it the one that ' +
        `headwater certificate prints, or its CA (${code})`,
    };
  if (/WRONG_VERSION_NUMBER|HTTP_REQUEST|LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|BAD_RECORD_TYPE/.test(code))
    return {
      reason: 'no-tls',
      message: 'it does not speak TLS; turn TLS on in the client, or use another port',
    };
  if (
    /UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|PROTOCOL_VERSION|NO_SHARED_CIPHER|NO_SUITABLE|NO_SHARED/.test(code)
  )
    return {
      reason: 'tls-version',
      message: `it has no TLS version or cipher in common with this gateway, which needs TLS 1.2 with ECDHE (${code})`,
    };
  return { reason: 'tls', message: `the TLS handshake failed (${code || error.message})` };
}
