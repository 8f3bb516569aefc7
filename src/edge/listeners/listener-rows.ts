import type { Addresses } from '../gateway-file.ts';
import type { TlsStatus } from './tls-status.ts';

/** Where clients connect, one row for each listener. */
export function listenerRows({ mqtt, mqtts, ws, wss }: Addresses): readonly string[] {
  const rows = [
    [mqtt, ''],
    [mqtts, ' by TLS'],
    [ws, ' by WebSocket'],
    [wss, ' by WebSocket with TLS'],
  ].flatMap(([address, how]) => (address === null ? [] : [`${address}${how}`]));
  return rows.length === 0 ? ['off'] : rows;
}

/** What clients with TLS are shown. */
export function tlsRow({ certificateFile, fingerprint, validToMs, clientCertificates }: TlsStatus): string {
  if (fingerprint === null || validToMs === null)
    return `NO USABLE CERTIFICATE: nobody can connect by TLS; ${certificateFile}`;
  const asked = {
    off: '',
    optional: '; clients may log in by certificates',
    required: '; each client needs a certificate',
  };
  const end = new Date(validToMs).toISOString().slice(0, 10);
  return `${certificateFile} until ${end}, SHA-256 ${fingerprint}${asked[clientCertificates]}`;
}
