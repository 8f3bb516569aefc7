import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/**
 * Looks whether the machine has these commands; the values are the packages of Debian that have them.
 * @throws Error with the command that installs what is missing
 */
export async function haveTools(needed: Readonly<Record<string, string>>, path: string): Promise<void> {
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
