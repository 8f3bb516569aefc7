import type { Server } from 'node:net';
import { OperatingError } from '../../core/errors.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Binds the server; resolves with the address that it really has (port 0 lets the system choose).
 * @param setting the one that names the address, for messages
 * @throws OperatingError `port-unusable`
 */
export async function listen(server: Server, { host, port }: Address, setting: string): Promise<Address> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  }).catch((error: NodeJS.ErrnoException) => {
    throw new OperatingError('port-unusable', problemOf(error, { host, port }, setting), { cause: error });
  });
  const bound = server.address();
  return bound === null || typeof bound === 'string'
    ? { host, port }
    : { host: bound.address, port: bound.port };
}

function problemOf(error: NodeJS.ErrnoException, { host, port }: Address, setting: string): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is taken, perhaps by another MQTT broker or gateway. Stop that, or set ${setting} to another port`;
    case 'EACCES':
    case 'EPERM':
      return `this user may not listen on port ${port} of ${host}. Set ${setting} to a port above 1023, or permit it`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${host} is no address of this machine. Set ${setting} to one that is, such as 127.0.0.1:${port}`;
    default:
      return `cannot listen on port ${port} of ${host} (${error.message}). Set ${setting} to another address`;
  }
}
