import { mkdir, mkdtemp, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from '../core/errors.ts';

/**
 * Makes a folder with its parents, as far as they are missing. Returns the highest that was made; null if all were there. Node's own
 * way to make parents never ends where a file system answers that there is no such place, as /proc does.
 * @param mode of each that is made
 * @throws the error of the operating system
 */
export async function makeFolder(path: string, mode = 0o777): Promise<string | null> {
  if ((await kindOf(path)) === 'folder') return null;
  const parent = dirname(path);
  const highest = parent === path ? null : await makeFolder(parent, mode);
  try {
    await mkdir(path, { mode });
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if ((await kindOf(path)) !== 'folder') throw error;
    return highest;
  }
  return highest ?? path;
}

/** Why a folder that is not there could not be made, in words; null if it could. Leaves nothing behind. */
export async function whyNoFolder(path: string): Promise<string | null> {
  let nearest = dirname(resolve(path));
  try {
    while ((await kindOf(nearest)) === 'absent') nearest = dirname(nearest);
    // Rights alone do not tell: nobody can make folders in /proc, and root has all rights there.
    await rmdir(await mkdtemp(join(nearest, 'headwater-doctor-')));
    return null;
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
    return `${nearest} takes no folders (${reason})`;
  }
}

async function kindOf(path: string): Promise<'folder' | 'other' | 'absent'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'absent';
    throw error;
  }
}
