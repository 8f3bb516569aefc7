import { isIP, isIPv4 } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Reads `host:port` (an IPv6 address in brackets); undefined if it is not one. Port 0 is read as well. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([a-zA-Z0-9._-]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, bracketed, plain, digits] = match;
  const host = bracketed ?? plain ?? '';
  const port = Number(digits);
  const hostIsLegal = bracketed === undefined ? host.length <= 253 : isIP(host) === 6;
  return hostIsLegal && port <= 65_535 ? { host, port } : undefined;
}

/** Whether only programs of the same machine can connect to the host. A name other than `localhost` is not trusted to be so. */
export function isLoopback(host: string): boolean {
  return (isIPv4(host) && host.startsWith('127.')) || host === '::1' || host === 'localhost';
}

/** Whether to listen there is to listen at all addresses of the machine. */
export const isAnywhere = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** As in a URL: `host:port`, an IPv6 address in brackets. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
