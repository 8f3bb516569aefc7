import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { OperatingError } from '../../core/errors.ts';
import { prepareDataFolder } from '../../platform/data-folder.ts';
import { FolderLock } from '../../platform/folder-lock.ts';
import { nodeRandom } from '../../platform/node-random.ts';
import { refuseHalfRestored } from '../backup/restore-marker.ts';
import { PasswordHasher } from './password-hash.ts';
import { type UserAdministration, Users } from './users.ts';
import { USERS_FILE } from './users-file.ts';

/** Whether there are users in the folder, or were. */
export const holdsUsers = (dataDir: string): boolean => existsSync(join(resolve(dataDir), USERS_FILE));

/**
 * Gives the users of a data folder to `work`, as {@link changeStopped} does.
 * @throws OperatingError as that
 */
export async function administerStopped<Result>(
  dataDir: string,
  work: (users: UserAdministration) => Promise<Result>,
): Promise<Result> {
  return await changeStopped(
    dataDir,
    async (path) => await work(await Users.open(path, new PasswordHasher(nodeRandom))),
  );
}

/**
 * Gives the path of a data folder to `work` while nobody can start a gateway on it. A folder that is missing is made, so that
 * there can be users and a password before the first start.
 * @throws OperatingError `data-folder-in-use`, `data-folder-unusable`, and what `work` throws
 */
export async function changeStopped<Result>(
  dataDir: string,
  work: (path: string) => Promise<Result>,
): Promise<Result> {
  const path = await prepareDataFolder(dataDir);
  const lock = FolderLock.take(path);
  if (lock === null)
    throw new OperatingError(
      'data-folder-in-use',
      `a gateway starts or stops on the data folder ${path}, or another command works on it: try again`,
    );
  try {
    await refuseHalfRestored(path);
    return await work(path);
  } finally {
    lock.release();
  }
}
