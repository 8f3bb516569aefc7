import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OperatingError } from '../../core/errors.ts';
import { removeFile, replaceFile } from '../../platform/data-folder.ts';
import { identityFiles } from '../identity-files.ts';
import { type Backup, backupSum, CONFIGURATION } from './backup-document.ts';
import { parentLogPath, parentLogText } from './parent-log.ts';
import { brokenOffRestore, markerPath } from './restore-marker.ts';

/** Where a backup goes. */
export interface RestorePlace {
  /** The data folder of a gateway that does not run; the caller holds its lock. */
  readonly dataDir: string;
  /** Where the configuration file goes. */
  readonly configFile: string;
  /** Whether what is there may be replaced. */
  readonly force: boolean;
  /** Whether a log lies there, which goes on. */
  readonly hasLog: boolean;
}

/** How files change: each as a whole and durably, or not at all. */
export interface FileChanges {
  replace(path: string, content: string | Uint8Array, mode: number): Promise<void>;
  remove(path: string): Promise<void>;
}

const changesOfDisk: FileChanges = { replace: replaceFile, remove: removeFile };

/**
 * Makes the files of a gateway those of the backup, and none beside them: a password or a key that is not in it goes. A restore
 * that is broken off leaves a marker, by which no gateway starts here until it is done again, from its beginning. The
 * configuration comes first: whoever starts a gateway by it is led to the data folder, and so to the marker.
 * @throws OperatingError `bad-input` if something is there that would be replaced, `data-folder-unusable`
 */
export async function restoreFiles(
  backup: Backup,
  place: RestorePlace,
  changes: FileChanges = changesOfDisk,
): Promise<void> {
  const { dataDir, configFile } = place;
  const marker = `${backupSum(backup)} ${configFile}`;
  await requireFree(backup, place, marker);
  await changes.replace(markerPath(dataDir), `${marker}\n`, 0o600);
  const config = backup.files.find(({ name }) => name === CONFIGURATION);
  if (config !== undefined) await changes.replace(configFile, config.content, config.mode);
  for (const { name } of identityFiles) {
    const path = join(dataDir, name);
    const file = backup.files.find((one) => one.name === name);
    if (file !== undefined) await changes.replace(path, file.content, file.mode);
    else if (existsSync(path)) await changes.remove(path);
  }
  if (!place.hasLog) await restoreParent(backup, dataDir, changes);
  await changes.remove(markerPath(dataDir));
}

/** The log that is to begin here has this parent and no other. */
async function restoreParent(backup: Backup, dataDir: string, changes: FileChanges): Promise<void> {
  const path = parentLogPath(dataDir);
  const text = parentLogText(backup);
  if (text !== null) await changes.replace(path, text, 0o644);
  else if (existsSync(path)) await changes.remove(path);
}

async function requireFree(backup: Backup, place: RestorePlace, marker: string): Promise<void> {
  const { dataDir, configFile, force } = place;
  const brokenOff = await brokenOffRestore(dataDir);
  // What lies there then is of the same backup, or was to be replaced.
  if (force || brokenOff === marker) return;
  if (brokenOff !== null)
    throw new OperatingError(
      'bad-input',
      `the restore of another backup, or to another --config, was broken off in ${dataDir}: do that one again, or give --force to ` +
        'do this one instead',
    );
  const hasConfig = backup.files.some(({ name }) => name === CONFIGURATION);
  const paths = [...(hasConfig ? [configFile] : []), ...identityFiles.map(({ name }) => join(dataDir, name))];
  const taken = paths.filter((path) => existsSync(path));
  if (taken.length === 0) return;
  throw new OperatingError(
    'bad-input',
    `nothing is restored, since ${taken.join(', ')} ${taken.length === 1 ? 'is' : 'are'} there already. Restore into ` +
      'another place (--config, --set data.dir=…), or give --force to replace the whole gateway, except its log, by the backup',
  );
}
