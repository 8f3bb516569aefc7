import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import { appliance, bootFile } from '../support/appliance-folders.ts';
import { headwaterProcess } from '../support/command-process.ts';
import { startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const main = fileURLToPath(new URL('../../src/edge/main.ts', import.meta.url));
test('a card with a boot file becomes a gateway that its devices log in to', async () => {
  await using folder = await temporaryFolder();
  const { boot, data, root, options, dataDir } = await appliance(folder.path);
  const prepared = await headwaterProcess(dataDir, ['appliance', 'prepare', ...options]);
  expect(prepared).toEqual({ code: 0, output: 'prepared pumphouse\n', errors: '' });
  expect(await readFile(join(root, 'etc/hostname'), 'utf8')).toBe('pumphouse\n');
  const left = await readFile(join(boot, 'headwater.yaml'), 'utf8');
  expect(left).toBe(bootFile.replaceAll(/sekrit-\w+/g, '(kept on the device)'));
  const current = join(data, 'config/current');
  const modes = ['headwater.yaml', 'secrets/mqtt.sources.plant.password', 'system.json'].map(
    async (name) => (await stat(join(current, name))).mode & 0o777,
  );
  expect(await Promise.all(modes)).toEqual([0o640, 0o640, 0o600]);

  await using gateway = await startGateway({
    dataDir,
    workingDirectory: current,
    set: ['mqtt.tls.listen=127.0.0.1:0'],
  });
  const client = await connectAsync(
    `mqtt://${gateway.mqtt}`,
    { username: 'kitchen', password: 'sekrit-kitchen', reconnectPeriod: 0 },
    false,
  );
  await client.publishAsync('sensors/kitchen/temperature', '21.5', { qos: 1 });
  await client.endAsync();
  const { output } = await headwaterProcess(dataDir, ['consume', 'readings', '--from-beginning']);
  expect(output).toBe('21.5\n');
  const announced = await headwaterProcess(dataDir, ['appliance', 'announce', ...options]);
  expect(announced).toMatchObject({ code: 0, errors: '' });
  expect(await readFile(join(boot, 'headwater-status.txt'), 'utf8')).toContain('pumphouse.local');
});

test('an import that is killed at any time is made good by the next start', async () => {
  await using folder = await temporaryFolder();
  const { boot, data, options, dataDir } = await appliance(folder.path);
  for (let attempt = 0; attempt < 8; attempt++) {
    await writeFile(join(boot, 'headwater.yaml'), bootFile.replace('lab', `lab${attempt}`));
    const generations = async (): Promise<readonly string[]> =>
      await readdir(join(data, 'config')).catch((): string[] => []);
    const before = await generations();
    const killed = spawn(process.execPath, [main, 'appliance', 'prepare', ...options], { stdio: 'ignore' });
    const exited = once(killed, 'exit');
    // As soon as another generation is begun: what is done then is what may be half done.
    while ((await generations()).every((name) => before.includes(name))) if (killed.exitCode !== null) break;
    killed.kill('SIGKILL');
    await exited;
    const { code, errors } = await headwaterProcess(dataDir, ['appliance', 'prepare', ...options]);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(await readFile(join(data, 'config/current/headwater.yaml'), 'utf8')).toContain(
      `site: lab${attempt}`,
    );
    expect(await readFile(join(boot, 'headwater.yaml'), 'utf8')).not.toContain('sekrit');
  }
  const { output } = await headwaterProcess(dataDir, ['devices', 'list']);
  expect(output).toBe('user kitchen: publishes sensors/%u/#, subscribes everywhere\n');
});

test('a device starts whatever is wrong with it', async () => {
  await using folder = await temporaryFolder();
  const { options, image, boot, dataDir } = await appliance(folder.path);
  await writeFile(join(image, 'headwater.yaml'), ': : :');
  await writeFile(join(boot, 'headwater.yaml'), Buffer.from([0xff, 0xfe, 0x00]));
  const words = ['appliance', 'prepare', ...options, '--data', '/proc/nothing'];
  const { code, errors } = await headwaterProcess(dataDir, words);
  expect(code).toBe(0);
  expect(errors).toContain('headwater.yaml:1:1: this is not UTF-8 text; save it as UTF-8\n');
  expect(errors).toContain('with the settings of the image, is missing or damaged');
});

test('a machine that is no appliance is left as it is', async () => {
  await using folder = await temporaryFolder();
  const { root, boot, options, dataDir } = await appliance(folder.path);
  for (const command of ['prepare', 'announce']) {
    const elsewhere = [...options, '--image', join(folder.path, 'none')];
    const { code, errors } = await headwaterProcess(dataDir, ['appliance', command, ...elsewhere]);
    expect({ command, code }).toEqual({ command, code: 1 });
    expect(errors).toContain('nothing was done: only a machine with the image of Headwater is prepared');
  }
  expect(await readdir(root)).toEqual([]);
  expect(await readFile(join(boot, 'headwater.yaml'), 'utf8')).toBe(bootFile);
});
