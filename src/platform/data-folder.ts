import { constants } from 'node:fs';
import { access, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf, OperatingError } from '../core/errors.ts';
import { newOwnerOf } from './file-owner.ts';
import { makeFolder } from './make-folder.ts';

/**
 * Creates the data folder with its parents, if they are missing, makes their names durable, and checks that it can
 * be written. Returns its absolute path.
 * @throws OperatingError `data-folder-unusable`
 */
export async function prepareDataFolder(folder: string): Promise<string> {
  const path = resolve(folder);
  try {
    const highestMade = await makeFolder(path);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    if (highestMade !== null) await syncParents(path, dirname(highestMade));
    return path;
  } catch (error) {
    throw new OperatingError(
      'data-folder-unusable',
      `cannot use ${path} as the data folder: ${messageOf(error)}. Set data.dir to a folder that this user can ` +
        'write, for example --set data.dir=./data.',
      { cause: error },
    );
  }
}

/**
 * Replaces a small file so that a reader, and a start after a power cut, sees either the old or the new content. If root does it, the
 * file belongs to the owner of its folder.
 * @throws OperatingError `data-folder-unusable`; the old content is then still there
 */
export async function replaceFile(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const spare = `${path}.new`;
  try {
    // A crash may have left one, and `mode` holds only for a file that is created.
    await rm(spare, { force: true });
    const file = await open(spare, 'wx', mode);
    try {
      const owner = await newOwnerOf(path);
      if (owner !== null) await file.chown(owner.uid, owner.gid);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(spare, path);
    await syncFolder(dirname(path));
  } catch (error) {
    throw new OperatingError(
      'data-folder-unusable',
      `cannot write ${path}: ${messageOf(error)}. Make room on the disk, or let this user write the data folder.`,
      { cause: error },
    );
  }
}

/**
 * Removes a file so that it stays away after a power cut; no error if there is none.
 * @throws OperatingError `data-folder-unusable`
 */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
    await syncFolder(dirname(path));
  } catch (error) {
    throw new OperatingError(
      'data-folder-unusable',
      `cannot remove ${path}: ${messageOf(error)}. Let this user write the data folder.`,
      { cause: error },
    );
  }
}

async function syncParents(path: string, highest: string): Promise<void> {
  for (let at = path; at !== highest; ) {
    at = dirname(at);
    await syncFolder(at);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
