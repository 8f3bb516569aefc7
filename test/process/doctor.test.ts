import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { headwaterProcess } from '../support/command-process.ts';
import { startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('the doctor looks at this machine, with a running gateway and without, and leaves nothing behind', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const before = await headwaterProcess(dataDir, ['doctor']);
  expect(before.output).toMatch(/^ok +data folder +.* is not there yet/m);
  expect(await readdir(folder.path)).toEqual([]);
  await using gateway = await startGateway({ dataDir });
  await chmod(join(dataDir, 'admin.token'), 0o644);
  const names = (await readdir(dataDir)).sort();
  const { code, output } = await headwaterProcess(dataDir, ['doctor', '--json']);
  const { findings } = JSON.parse(output) as { findings: { level: string; about: string; text: string }[] };
  expect(code).toBe(1);
  const about = (what: string) => findings.filter((finding) => finding.about === what);
  expect(about('flush')).toEqual([
    expect.objectContaining({ text: expect.stringMatching(/ ms at worst of \d+/) }),
  ]);
  expect(about('secrets')).toEqual([expect.objectContaining({ level: 'wrong' })]);
  expect((await readdir(dataDir)).sort()).toEqual(names);
  const listen = async (address: string) => {
    const asked = await headwaterProcess(dataDir, ['doctor', '--set', `mqtt.listen=${address}`]);
    return /^.* mqtt\.listen .*$/m.exec(asked.output)?.[0];
  };
  expect(await listen(gateway.mqtt)).toContain('the gateway listens on');
  expect(await listen(gateway.admin)).toContain('the gateway listens on');
  expect(await listen('192.0.2.1:1883')).toMatch(/^WRONG .*this machine has no address/);
  await gateway.kill('SIGTERM');
});
