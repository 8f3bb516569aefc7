import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Commands that a build runs, and the packages of Debian that have them. */
const needed: Readonly<Record<string, string>> = {
  'apt-get': 'apt',
  'arch-test': 'arch-test',
  mcopy: 'mtools',
  'mkfs.ext4': 'e2fsprogs',
  'mkfs.vfat': 'dosfstools',
  mmdebstrap: 'mmdebstrap',
  'qemu-aarch64-static': 'qemu-user-static',
  sfdisk: 'fdisk',
  tar: 'tar',
  unshare: 'util-linux',
  xz: 'xz-utils',
};

/**
 * Looks whether the machine has what a build needs.
 * @throws Error with the command that installs what is missing
 */
export async function haveTools(path: string): Promise<void> {
  const folders = [...path.split(delimiter), '/usr/sbin', '/sbin'];
  const missing: string[] = [];
  for (const [command, debianPackage] of Object.entries(needed)) {
    const there = await Promise.all(folders.map((folder) => canRun(join(folder, command))));
    if (!there.includes(true)) missing.push(debianPackage);
  }
  if (missing.length > 0)
    throw new Error(
      `run "apt-get install --no-install-recommends ${missing.join(' ')}" first: this machine has not got them`,
    );
}

const canRun = (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
