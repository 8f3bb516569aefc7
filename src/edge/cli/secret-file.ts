import { open, rm } from 'node:fs/promises';
import { isSystemError, messageOf, OperatingError } from '../../core/errors.ts';
import { replaceFile } from '../../platform/data-folder.ts';

const OWNER_ONLY = 0o600;

/**
 * Writes a file that only this user can read, durably; over one that is there only if `force` says so.
 * @throws OperatingError `bad-input` if one is there, `output-failed`, `data-folder-unusable`
 */
export async function writeSecretFile(path: string, text: string, force: boolean): Promise<void> {
  if (force) await replaceFile(path, text, OWNER_ONLY);
  else await writeNewFile(path, text);
}

async function writeNewFile(path: string, text: string): Promise<void> {
  let isOurs = false;
  try {
    const file = await open(path, 'wx', OWNER_ONLY);
    isOurs = true;
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if ('code' in error && error.code === 'EEXIST')
      throw new OperatingError(
        'bad-input',
        `${path} is there already; choose another name, or give --force to replace it`,
        { cause: error },
      );
    // Half a backup is none, and would be in the way of the next one.
    if (isOurs) await rm(path, { force: true });
    const message = `${path} cannot be written: ${messageOf(error)}. Choose a folder with room that this user can write.`;
    throw new OperatingError('output-failed', message, { cause: error });
  }
}
