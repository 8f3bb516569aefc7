import { once } from 'node:events';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { createServer } from 'node:net';
import { pathsOf, selectPort } from '../../ingest/wired/port-selection.ts';
import { type Address, formatAddress } from '../config/address.ts';
import { configuredListeners } from '../config/mqtt-sections.ts';
import type { Config } from '../config/schema.ts';
import { readGatewayFile } from '../gateway-file.ts';
import type { Machine } from '../machine.ts';
import type { ListeningObstacle, PortsExamination } from '../port-findings.ts';
import { portWishes } from '../port-wishes.ts';

/** Looks at the ports that are configured, serial ones and those to listen on; opens none of the serial ones. */
export async function examinePorts(
  config: Config,
  machine: Pick<Machine, 'serialDevices'>,
): Promise<PortsExamination> {
  const wishes = portWishes(config);
  const devices = wishes.length === 0 ? [] : await machine.serialDevices(pathsOf(wishes));
  const serial = wishes.map(async ({ kind, name }) => {
    const selection = selectPort(wishes, { kind, name }, devices);
    if ('problem' in selection) return { kind, name, found: selection };
    const { path } = selection;
    return { kind, name, found: { path, isPermitted: await mayOpen(path) } };
  });
  const running = await readGatewayFile(config.data.dir);
  const { pid: _pid, adminFingerprint: _fingerprint, ...addresses } = running ?? {};
  const own = new Set<string | null>(Object.values(addresses));
  const settings = [
    ...configuredListeners(config.mqtt),
    { setting: 'admin.listen', listen: config.admin.listen },
  ];
  const listeners = settings
    .filter(({ listen }) => listen.port !== 0)
    .map(async ({ setting, listen }) => {
      const address = formatAddress(listen);
      const obstacle = await obstacleOf(listen);
      return {
        setting,
        address,
        obstacle: obstacle === 'taken' && own.has(address) ? 'ours' : obstacle,
      } as const;
    });
  return { serial: await Promise.all(serial), listeners: await Promise.all(listeners) };
}

const mayOpen = (path: string): Promise<boolean> =>
  access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );

const obstacles: Readonly<Record<string, ListeningObstacle>> = {
  EADDRINUSE: 'taken',
  EACCES: 'not-permitted',
  EADDRNOTAVAIL: 'no-such-address',
};

/** Listens there for a moment, if that is possible. */
async function obstacleOf({ host, port }: Address): Promise<ListeningObstacle> {
  const server = createServer();
  try {
    const listening = once(server, 'listening');
    server.listen({ host, port, exclusive: true });
    await listening;
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const obstacle = obstacles[code];
    if (obstacle === undefined) throw error;
    return obstacle;
  } finally {
    server.close();
  }
}
