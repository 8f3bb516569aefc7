import { once } from 'node:events';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { createServer } from 'node:net';
import { messageOf } from '../../core/errors.ts';
import { pathsOf, selectPort } from '../../ingest/wired/port-selection.ts';
import { type Address, formatAddress } from '../config/address.ts';
import { configuredListeners } from '../config/mqtt-sections.ts';
import type { Config } from '../config/schema.ts';
import { readGatewayFile } from '../gateway-file.ts';
import type { Machine } from '../machine.ts';
import type { ListeningObstacle, OpeningObstacle, PortsExamination } from '../port-findings.ts';
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
    return { kind, name, found: await openingOf(path) };
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

const openingObstacles: Readonly<Record<string, OpeningObstacle>> = {
  ENOENT: 'absent',
  ENOTDIR: 'absent',
  EACCES: 'not-permitted',
  EPERM: 'not-permitted',
};

/** Looks at the device file, and opens nothing. */
async function openingOf(path: string): Promise<PortsExamination['serial'][number]['found']> {
  try {
    await access(path, constants.R_OK | constants.W_OK);
    return { path, obstacle: null };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const obstacle = openingObstacles[code];
    if (obstacle !== undefined) return { path, obstacle };
    return { problem: `${path} cannot be opened (${messageOf(error)}). Check the device and its cable` };
  }
}

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
