import { networkInterfaces } from 'node:os';
import type { CertificateSubject } from '../../platform/self-signed-certificate.ts';

/** A name of a host as it may stand in a certificate (RFC 1123). */
const isHostName = (name: string): boolean =>
  name.length <= 253 &&
  name.split('.').every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(label));

/** Whatever this machine may be dialled by: its names, also by mDNS, the gateway's, and its addresses at this moment. */
export function machineNames(gateway: string, hostName: string): CertificateSubject {
  const [label = ''] = hostName.split('.');
  const hosts = [hostName, `${label}.local`, gateway, `${gateway}.local`, 'localhost'];
  const addresses = Object.values(networkInterfaces())
    .flatMap((ofOne) => ofOne ?? [])
    // A link-local address means nothing without the name of the interface, which a certificate cannot hold.
    .filter(({ address, family }) => family === 'IPv4' || !address.startsWith('fe80:'))
    .map(({ address }) => address);
  return {
    name: gateway,
    hosts: [...new Set(hosts.map((name) => name.toLowerCase()))].filter(isHostName),
    addresses: [...new Set([...addresses, '127.0.0.1', '::1'])],
  };
}
