import { lchownSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import process from 'node:process';
import { isSystemError, OperatingError } from '../core/errors.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const ROOT = 0;

/**
 * Whom a file that this process makes in a folder is to be given to: the owner of the folder, if root works for somebody else, since
 * the gateway could not read it otherwise. Null if it stays whose it is.
 */
export function ownerInFolder(folder: Owner, processUid: number | undefined): Owner | null {
  return processUid === ROOT && folder.uid !== ROOT ? { uid: folder.uid, gid: folder.gid } : null;
}

/** The same for a file by its path. Rejects with what the disk says. */
export async function newOwnerOf(path: string): Promise<Owner | null> {
  return ownerInFolder(await stat(dirname(path)), process.getuid?.());
}

/** Gives a file that is there already to the owner of its folder, as {@link ownerInFolder} says. @throws what the disk says */
export function giveToFolderOwner(path: string): void {
  const owner = ownerInFolder(statSync(dirname(path)), process.getuid?.());
  // Never what a link leads to.
  if (owner !== null) lchownSync(path, owner.uid, owner.gid);
}

/**
 * Keeps root from running a gateway on the data folder of another user, who could not write its files afterwards.
 * @throws OperatingError `data-folder-unusable`
 */
export async function refuseFolderOfAnother(
  folder: string,
  processUid: number | undefined = process.getuid?.(),
): Promise<void> {
  const path = resolve(folder);
  const owner = await stat(path).catch((error: unknown) => {
    // One that is not there is made, and belongs to who makes it; others are told of where it is used.
    if (!isSystemError(error)) throw error;
    return null;
  });
  if (owner === null || ownerInFolder(owner, processUid) === null) return;
  throw new OperatingError(
    'data-folder-unusable',
    `the data folder ${path} belongs to the user with the number ${owner.uid}, and root would leave files there that this user ` +
      'cannot use: run the gateway as this user, such as by "systemctl start headwater" or "sudo -u headwater headwater run", ' +
      'or set data.dir to another folder',
  );
}
