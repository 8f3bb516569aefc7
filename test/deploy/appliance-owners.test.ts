import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appliance } from '../support/appliance-folders.ts';
import { headwaterProcess } from '../support/command-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { needTools } from './commands.ts';

const GATEWAY = 65_534;

test('what the administrator makes for the gateway belongs to it, and secrets are for nobody else', async () => {
  await needTools();
  await using folder = await temporaryFolder();
  await chmod(folder.path, 0o755);
  const { data, root, options, dataDir } = await appliance(folder.path);
  await mkdir(join(root, 'etc'));
  await writeFile(join(root, 'etc/passwd'), `headwater:x:${GATEWAY}:${GATEWAY}::/:/usr/sbin/nologin\n`);
  const prepared = await headwaterProcess(dataDir, ['appliance', 'prepare', ...options]);
  expect(prepared).toMatchObject({ code: 0, errors: '' });
  const about = async (path: string): Promise<string> => {
    const { uid, gid, mode } = await stat(path);
    return `${uid} ${gid} ${(mode & 0o777).toString(8)}`;
  };
  const generation = join(data, 'config/1');
  expect({
    config: await about(join(generation, 'headwater.yaml')),
    secret: await about(join(generation, 'secrets/mqtt.sources.plant.password')),
    system: await about(join(generation, 'system.json')),
    folder: await about(dataDir),
    users: await about(join(dataDir, 'users.json')),
    lock: await about(join(dataDir, 'lock.sqlite')),
  }).toEqual({
    config: `0 ${GATEWAY} 640`,
    secret: `0 ${GATEWAY} 640`,
    system: '0 0 600',
    folder: `${GATEWAY} ${GATEWAY} 750`,
    users: `${GATEWAY} ${GATEWAY} 600`,
    lock: expect.stringMatching(`^${GATEWAY} ${GATEWAY} 6`),
  });
});
