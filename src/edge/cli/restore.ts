import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isSystemError, messageOf, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { visibleText } from '../../core/visible-text.ts';
import { readAtMost } from '../../platform/bounded-file.ts';
import { prepareDataFolder } from '../../platform/data-folder.ts';
import { FolderLock } from '../../platform/folder-lock.ts';
import { type Backup, CONFIGURATION, parseBackup } from '../backup/backup-document.ts';
import { restoreFiles } from '../backup/restore-files.ts';
import { defaultConfigFile, namedConfigFile } from '../config/config-file.ts';
import { type ConfigRequest, configSources } from '../config/load-config.ts';
import { readConfig } from '../config/read-config.ts';
import type { Config } from '../config/schema.ts';
import { holdsLog } from '../stopped-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

export interface RestoreRequest {
  /** `--config`, or HEADWATER_CONFIG, is where the configuration goes; `--set` counts for that of the backup. */
  readonly configRequest: ConfigRequest;
  /** The backup, from the working directory. */
  readonly file: string;
  /** Whether what is there may be replaced. */
  readonly force: boolean;
}

/**
 * `headwater restore`: makes a data folder, and a configuration file, those of the gateway that was backed up.
 * @throws OperatingError `bad-input` for what is no backup or would replace something, `bad-configuration`,
 *   `unreadable-format`, `data-folder-in-use`, `data-folder-unusable`
 */
export async function restore(request: RestoreRequest, terminal: Terminal): Promise<ExitCode> {
  const { configRequest, force } = request;
  const backup = parseBackup(await readBackup(resolve(terminal.workingDirectory, request.file)));
  const configName = namedConfigFile(configRequest)?.name ?? defaultConfigFile;
  const configFile = resolve(configRequest.workingDirectory, configName);
  const config = await configurationOf(backup, configRequest, configName);
  await requireFolder(dirname(configFile));
  const dataDir = await prepareDataFolder(config.data.dir);
  const lock = FolderLock.take(dataDir);
  if (lock === null)
    throw new OperatingError(
      'data-folder-in-use',
      `a gateway, or another command, works on the data folder ${dataDir}; stop it first, then restore again`,
    );
  let hasLog: boolean;
  try {
    hasLog = await holdsLog(dataDir);
    await restoreFiles(backup, { dataDir, configFile, force, hasLog });
  } finally {
    lock.release();
  }
  await terminal.output.write(
    restoredText(backup, { dataDir, configFile, hasLog, name: config.gateway.name }),
  );
  return exitCodes.ok;
}

async function readBackup(path: string): Promise<string> {
  try {
    const bytes = await readAtMost(path, limits.backupBytesMax);
    if (bytes !== null) return bytes.toString('utf8');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new OperatingError('bad-input', `the backup cannot be read: ${messageOf(error)}`, { cause: error });
  }
  throw new OperatingError('bad-input', `${path} is too long to be a backup; name another file`);
}

/** What will count once all is restored. */
async function configurationOf(backup: Backup, request: ConfigRequest, name: string): Promise<Config> {
  const file = backup.files.find((one) => one.name === CONFIGURATION);
  const { workingDirectory, hostName, sets } = request;
  const sources =
    file === undefined
      ? await configSources(request)
      : { workingDirectory, hostName, sets, file: { name, text: file.content.toString('utf8') } };
  const result = readConfig(sources);
  if ('config' in result) return result.config;
  throw new OperatingError('bad-configuration', result.problems.join('\n'));
}

async function requireFolder(folder: string): Promise<void> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const message = `the configuration cannot go into ${folder}: ${messageOf(error)}. Nothing is changed; make the folder, or name another file by --config`;
    throw new OperatingError('bad-input', message, { cause: error });
  }
}

interface Restored {
  readonly dataDir: string;
  readonly configFile: string;
  readonly hasLog: boolean;
  /** What the gateway is called from now on. */
  readonly name: string;
}

function restoredText(backup: Backup, { dataDir, configFile, hasLog, name }: Restored): string {
  const { gateway, madeAt, headwater, parentLogId, files } = backup;
  const lines = files.map((file) =>
    file.name === CONFIGURATION ? `restored ${configFile}` : `restored ${dataDir}/${file.name}`,
  );
  lines.push(`by the backup that Headwater ${headwater} made of the gateway ${gateway} at ${madeAt}`);
  const parent = parentLogId === null ? '' : `, which names log ${parentLogId} of the backup as its parent`;
  lines.push(
    hasLog
      ? 'the log that lies in this folder stays as it is'
      : `no readings were in the backup: this gateway begins a log of its own when it starts${parent}`,
  );
  if (name !== gateway)
    lines.push(
      `WARNING: this gateway is called ${name}, and so are its topics in Kafka; set gateway.name: ${gateway} if it is to take the place of the other`,
    );
  return `${lines.map((line) => visibleText(line)).join('\n')}\n`;
}
