import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { announceAppliance } from '../../../src/edge/appliance/announce.ts';
import { nodeApplianceDisk } from '../../../src/edge/appliance/node-appliance-disk.ts';
import { type GatewayFile, writeGatewayFile } from '../../../src/edge/gateway-file.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const surroundings = { hostName: 'h', addresses: ['192.0.2.7'], isClockSet: true, wallMs: 0 };
const listening: GatewayFile = {
  pid: 1,
  mqtt: '127.0.0.1:1883',
  mqtts: null,
  ws: null,
  wss: null,
  admin: '0.0.0.0:8443',
  adminFingerprint: 'AA:BB:CC:DD',
};

async function appliance(path: string) {
  const places = { boot: join(path, 'boot'), data: join(path, 'data'), root: path, image: path };
  await mkdir(join(places.data, 'headwater'), { recursive: true });
  await mkdir(places.boot);
  const announce = (wallMs = 0) =>
    announceAppliance(places, nodeApplianceDisk(null), { ...surroundings, wallMs });
  const status = () => readFile(join(places.boot, 'headwater-status.txt'), 'utf8');
  return { places, announce, status, dataDir: join(places.data, 'headwater') };
}

describe('announcing an appliance', () => {
  test('tells the claim code until it was used, and writes the card only when something has changed', async () => {
    await using folder = await temporaryFolder();
    const { places, announce, status, dataDir } = await appliance(folder.path);
    await announce();
    expect(await status()).toContain('page         not there');
    expect(await status()).toContain('has not run at this start');
    await writeGatewayFile(dataDir, listening);
    await writeFile(join(dataDir, 'claim-code'), 'ABCD-EFGH\n');
    await announce();
    expect(await status()).toContain('https://h.local:8443/');
    expect(await status()).toContain('claim code   ABCD-EFGH ');
    expect(await status()).toContain('AA:BB:');
    const { ino, mtimeMs } = await stat(join(places.boot, 'headwater-status.txt'));
    await announce(60_000);
    expect(await stat(join(places.boot, 'headwater-status.txt'))).toMatchObject({ ino, mtimeMs });
    const screen = await readFile(join(folder.path, 'run/issue.d/headwater.issue'), 'utf8');
    expect(screen).toContain('time         1970-01-01 00:01 UTC');
    await writeFile(join(dataDir, 'admin.json'), '{}');
    await rm(join(dataDir, 'claim-code'));
    await announce();
    expect(await status()).not.toMatch(/ABCD|AA:BB/);
  });

  test('shows nothing that a compromised gateway may have linked there', async () => {
    await using folder = await temporaryFolder();
    const { announce, status, dataDir } = await appliance(folder.path);
    await writeFile(join(folder.path, 'shadow'), 'admin:$6$abcdef:19000::::::\n');
    await writeGatewayFile(dataDir, { ...listening, adminFingerprint: 'x' });
    await symlink(join(folder.path, 'shadow'), join(dataDir, 'claim-code'));
    await announce();
    expect(await status()).not.toMatch(/abcdef|SHA-256/);
  });

  test.each(['gateway.json', 'claim-code', 'admin.json'])(
    'neither waits for a pipe nor reads without end in place of %s',
    async (name) => {
      await using folder = await temporaryFolder();
      const { announce, status, dataDir } = await appliance(folder.path);
      await writeGatewayFile(dataDir, listening);
      const path = join(dataDir, name);
      await rm(path, { force: true });
      await symlink('/dev/zero', path);
      await announce();
      await rm(path);
      execFileSync('mkfifo', [path]);
      await announce();
      expect(await status()).toContain('name         h.local');
    },
  );

  test('still writes the screen if the boot partition is not there', async () => {
    await using folder = await temporaryFolder();
    const { places, dataDir } = await appliance(folder.path);
    await writeGatewayFile(dataDir, listening);
    const gone = { ...places, boot: join(folder.path, 'gone') };
    await expect(announceAppliance(gone, nodeApplianceDisk(null), surroundings)).rejects.toThrow('ENOENT');
    const screen = await readFile(join(folder.path, 'run/issue.d/headwater.issue'), 'utf8');
    expect(screen).toContain('https://h.local:8443/');
  });
});
