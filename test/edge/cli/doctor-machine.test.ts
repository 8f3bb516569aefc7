import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { session } from './fake-gateway.ts';

interface Found {
  readonly level: string;
  readonly about: string;
  readonly text: string;
}

/** What `headwater doctor` finds with this configuration, whose folder is the working directory. */
async function findings(folder: string, yaml: string): Promise<readonly Found[]> {
  const { code, output, errors } = await configured(folder, yaml, 'doctor', '--json');
  expect({ errors, isFound: code === 0 || code === 1 }).toEqual({ errors: '', isFound: true });
  return (JSON.parse(output) as { findings: readonly Found[] }).findings;
}

/** Runs a command where this configuration is. */
async function configured(folder: string, yaml: string, ...words: string[]) {
  await writeFile(join(folder, 'headwater.yaml'), yaml);
  return await session([...words, '--set', 'mqtt.listen=127.0.0.1:0', '--set', 'admin.listen=127.0.0.1:0'], {
    workingDirectory: folder,
  });
}

test('a serial device that is not plugged in is told as such, not as a matter of rights', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'ttyUSB9');
  const yaml = `serial: [{ name: air, path: ${path}, baud: 9600 }]\n`;
  const about = async () => (await findings(folder.path, yaml)).filter((one) => one.about === 'serial air');
  expect(await about()).toEqual([
    {
      level: 'wrong',
      about: 'serial air',
      text: `there is no ${path}. Plug the device in, or correct serial.path (headwater serial list shows what is there)`,
    },
  ]);
  await writeFile(path, '');
  expect(await about()).toEqual([{ level: 'ok', about: 'serial air', text: `is ${path}` }]);
});
