import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isSystemError, messageOf, OperatingError } from '../../core/errors.ts';
import { findJournalFiles } from '../../log/journal/journal-files.ts';
import { readFileAtMost } from '../../platform/bounded-file.ts';
import { readOnlyDisk } from '../../platform/node-disk.ts';
import { type BackedUpFile, backupFiles, CONFIGURATION, modeInBackup } from './backup-document.ts';

/**
 * Those files of a gateway that there are, also of one that runs: it replaces each of them as a whole.
 * @param configFile null if it runs by defaults
 * @throws OperatingError `data-folder-unusable` if one cannot be read or is too long, or if there is none in the data folder
 */
export async function readGatewayFiles(dataDir: string, configFile: string | null): Promise<BackedUpFile[]> {
  const files: BackedUpFile[] = [];
  for (const known of backupFiles) {
    const path = known.name === CONFIGURATION ? configFile : join(resolve(dataDir), known.name);
    const read = path === null ? null : await readKnown(path, known.bytesMax);
    if (read !== null)
      files.push({ name: known.name, mode: modeInBackup(known, read.mode), content: read.content });
  }
  if (files.some(({ name }) => name !== CONFIGURATION)) return files;
  throw new OperatingError(
    'data-folder-unusable',
    `there is nothing of a gateway in ${resolve(dataDir)}: give this command the same --config or --set data.dir=… as the gateway`,
  );
}

async function readKnown(
  path: string,
  bytesMax: number,
): Promise<{ readonly mode: number; readonly content: Buffer } | null> {
  const failed = (why: string, cause?: Error) =>
    new OperatingError('data-folder-unusable', `${path} cannot be backed up: ${why}`, { cause });
  try {
    const content = await readFileAtMost(path, bytesMax);
    if (content === null) throw failed(`it is longer than ${bytesMax} bytes, so it is not what it should be`);
    return { mode: (await stat(path)).mode, content };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if ('code' in error && error.code === 'ENOENT') return null;
    throw failed(`${messageOf(error)}. Run this command as the user who runs the gateway`, error);
  }
}

/** The log of a data folder; null if there is none that can be read just now. It is provenance, for which no backup is to fail. */
export async function logIdOf(dataDir: string): Promise<string | null> {
  try {
    const { files } = await findJournalFiles(readOnlyDisk(resolve(dataDir)));
    return files.at(-1)?.header.logId ?? null;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return null;
  }
}
