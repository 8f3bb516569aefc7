import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { linuxStorageDevice } from '../../src/platform/linux-storage-device.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const card = 'devices/platform/emmc2bus/fe340000.mmc/mmc_host/mmc0/mmc0:0001/block/mmcblk0';
const statOf = (sectorsWritten: number): string =>
  `  1187   502  90210   1043   88421   1300  ${sectorsWritten}  60001   0   51230   61044   0 0 0 0 4000 900\n`;

/** A sysfs that knows the device of the folder under `path`, with these files. */
async function sysfs(files: Readonly<Record<string, string>>, path: string) {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries({ ...files, [`${path}/dev`]: '' })) {
    await mkdir(join(folder.path, dirname(name)), { recursive: true });
    await writeFile(join(folder.path, name), text);
  }
  await mkdir(join(folder.path, 'dev/block'), { recursive: true });
  const device = execFileSync('stat', ['--format=%Hd:%Ld', folder.path], { encoding: 'utf8' }).trim();
  const link = join(folder.path, 'dev/block', device);
  await symlink(relative(dirname(link), join(folder.path, path)), link);
  const read = (root = '/proc') => linuxStorageDevice(folder.path, { root, sysfs: folder.path });
  return { path: folder.path, read, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

describe('the device under a folder', () => {
  test('is the partition, with the life that the eMMC under it tells', async () => {
    const files = {
      [`${card}/stat`]: statOf(9_999_999),
      [`${card}/device/life_time`]: '0x02 0x03\n',
      [`${card}/device/pre_eol_info`]: '0x01\n',
      [`${card}/mmcblk0p3/partition`]: '3\n',
      [`${card}/mmcblk0p3/stat`]: statOf(2_048_000),
    };
    await using sys = await sysfs(files, `${card}/mmcblk0p3`);
    expect(await sys.read()).toEqual({
      name: 'mmcblk0p3',
      isShared: false,
      bytesWritten: 2_048_000 * 512,
      life: { usedShareMax: 0.3, reserve: 'normal' },
    });
  });

  test('is shared if the system is on it, and an SD card tells no life', async () => {
    await using sys = await sysfs({ [`${card}/stat`]: statOf(8) }, card);
    const found = await sys.read(sys.path);
    expect(found).toEqual({ name: 'mmcblk0', isShared: true, bytesWritten: 4096, life: null });
  });

  test('may be mapped on a partition of the card', async () => {
    const files = {
      [`${card}/device/life_time`]: '0x0b 0x01\n',
      [`${card}/device/pre_eol_info`]: '0x03\n',
      [`${card}/mmcblk0p2/partition`]: '2\n',
      'devices/virtual/block/dm-0/stat': statOf(16),
    };
    await using sys = await sysfs(files, 'devices/virtual/block/dm-0');
    const slaves = join(sys.path, 'devices/virtual/block/dm-0/slaves');
    await mkdir(slaves);
    await symlink(join(sys.path, card, 'mmcblk0p2'), join(slaves, 'mmcblk0p2'));
    expect(await sys.read()).toMatchObject({
      name: 'dm-0',
      bytesWritten: 16 * 512,
      life: { usedShareMax: 1.1, reserve: 'nearly used up' },
    });
  });

  test.each(['0x00 0x00', '', 'unknown', '0x0c 0x01'])('tells no life when it says %j', async (lifeTime) => {
    const files = { [`${card}/stat`]: statOf(8), [`${card}/device/life_time`]: lifeTime };
    await using sys = await sysfs(files, card);
    expect(await sys.read()).toMatchObject({ name: 'mmcblk0', life: null });
  });

  test.each(['', 'no numbers at all'])('is not taken at its word when its counter is %j', async (text) => {
    await using sys = await sysfs({ [`${card}/stat`]: text }, card);
    expect(await sys.read()).toBeNull();
  });

  test('is none on a file system without one', async () => {
    await using sys = await sysfs({ [`${card}/stat`]: statOf(8) }, card);
    // The proc file system has no block device anywhere.
    expect(await linuxStorageDevice('/proc', { root: '/', sysfs: sys.path })).toBeNull();
    expect(await linuxStorageDevice('/proc')).toBeNull();
    expect(await linuxStorageDevice(join(sys.path, 'missing'))).toBeNull();
  });
});
