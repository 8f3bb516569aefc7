import { formatAddress, isAnywhere, isLoopback, parseAddress } from '../config/address.ts';
import type { Addresses } from '../gateway-file.ts';
import { machineNames } from './machine-names.ts';
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

/** Where a browser finds the page of a gateway that listens at `host:port`. */
export function adminUrl(address: string, isHttps: boolean): string {
  const { host = '', port = 0 } = parseAddress(address) ?? {};
  const [elsewhere = host] = isAnywhere(host)
    ? machineNames('', '').addresses.filter((one) => !isLoopback(one))
    : [];
  return `${isHttps ? 'https' : 'http'}://${formatAddress({ host: elsewhere, port })}`;
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
