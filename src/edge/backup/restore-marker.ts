import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, OperatingError } from '../../core/errors.ts';

/** In the data folder from before the first file is restored until after the last one; it holds the sum of the backup and where the configuration goes. */
export const markerPath = (dataDir: string): string => join(dataDir, 'restore.pending');

/**
 * What the marker of a restore that was broken off holds; null if none was.
 * @throws OperatingError `data-folder-unusable` if nobody can tell
 */
export async function brokenOffRestore(dataDir: string): Promise<string | null> {
  try {
    return (await readFile(markerPath(dataDir), 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    const message = `${markerPath(dataDir)} cannot be read: ${messageOf(error)}. Let this user read the data folder.`;
    throw new OperatingError('data-folder-unusable', message, { cause: error });
  }
}

/**
 * Refuses a data folder in which some files are restored and others are not.
 * @throws OperatingError `data-folder-unusable`
 */
export async function refuseHalfRestored(dataDir: string): Promise<void> {
  if ((await brokenOffRestore(dataDir)) === null) return;
  throw new OperatingError(
    'data-folder-unusable',
    `a restore of ${dataDir} was broken off, so that its users and certificates may be of two gateways: run ` +
      'headwater restore with the same backup again, or with another one and --force',
  );
}
