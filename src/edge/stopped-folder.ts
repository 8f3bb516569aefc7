import { resolve } from 'node:path';
import type { ReadableDisk } from '../core/disk.ts';
import { isSystemError, messageOf, OperatingError } from '../core/errors.ts';
import { FolderLock } from '../platform/folder-lock.ts';
import { readOnlyDisk } from '../platform/node-disk.ts';
import { readGatewayFile } from './gateway-file.ts';

/** Whether there is a log in the folder that a gateway has written. */
export async function holdsLog(dataDir: string): Promise<boolean> {
  const disk = readOnlyDisk(resolve(dataDir));
  return [...(await disk.list('journal')), ...(await disk.list('quarantine'))].length > 0;
}

/**
 * Gives a data folder to `read` while nobody can start a gateway on it.
 * @throws OperatingError `data-folder-unusable` if there is no log or it cannot be read, `data-folder-in-use`; and
 *   what `read` throws
 */
export async function readStoppedFolder<Result>(
  dataDir: string,
  read: (disk: ReadableDisk) => Promise<Result>,
): Promise<Result> {
  const path = resolve(dataDir);
  try {
    if (!(await holdsLog(path))) throw noLog(path);
    const lock = FolderLock.take(path);
    if (lock === null) throw await inUse(path);
    try {
      return await read(readOnlyDisk(path));
    } finally {
      lock.release();
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const message = `the data folder ${path} cannot be read: ${messageOf(error)}`;
    throw new OperatingError('data-folder-unusable', message, { cause: error });
  }
}

function noLog(path: string): OperatingError {
  return new OperatingError(
    'data-folder-unusable',
    `there is no log in ${path}: give this command the same --config or --set data.dir=… as the gateway`,
  );
}

async function inUse(path: string): Promise<OperatingError> {
  const pid = (await readGatewayFile(path))?.pid;
  return new OperatingError(
    'data-folder-in-use',
    `a gateway${pid === undefined ? '' : ` (process ${pid})`} works on the data folder ${path}; stop it first, ` +
      'so that nothing changes while the folder is read',
  );
}
