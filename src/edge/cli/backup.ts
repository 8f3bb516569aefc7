import { resolve } from 'node:path';
import { nodeClock } from '../../platform/node-clock.ts';
import { backupText } from '../backup/backup-document.ts';
import { logIdOf, readGatewayFiles } from '../backup/make-backup.ts';
import { refuseHalfRestored } from '../backup/restore-marker.ts';
import type { Config } from '../config/schema.ts';
import { version } from '../version.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { writeSecretFile } from './secret-file.ts';
import type { Terminal } from './terminal.ts';

export interface BackupRequest {
  readonly config: Config;
  /** As the user names it; undefined if the gateway runs by defaults. */
  readonly configFile: string | undefined;
  /** Where the backup goes, from the working directory. */
  readonly file: string;
  /** Whether a file that is there may be replaced. */
  readonly force: boolean;
}

/**
 * `headwater backup`: one file with all of a gateway but its readings, whether it runs or not.
 * @throws OperatingError `bad-input` if the file is there already, `output-failed`, `data-folder-unusable`
 */
export async function backup(request: BackupRequest, terminal: Terminal): Promise<ExitCode> {
  const { config, configFile } = request;
  const path = resolve(terminal.workingDirectory, request.file);
  await refuseHalfRestored(config.data.dir);
  const files = await readGatewayFiles(
    config.data.dir,
    configFile === undefined ? null : resolve(terminal.workingDirectory, configFile),
  );
  const text = backupText({
    madeAt: new Date(nodeClock.wallMs()).toISOString(),
    gateway: config.gateway.name,
    headwater: version,
    parentLogId: await logIdOf(config.data.dir),
    files,
  });
  await writeSecretFile(path, text, request.force);
  await terminal.output.write(
    `${path} holds ${files.map(({ name }) => name).join(', ')} of the gateway ${config.gateway.name}\n` +
      'there are SECRETS in it, such as keys and hashes of passwords: keep it as you would keep a key\n' +
      'no readings are in it, no --set options, and none of the files that the configuration names\n',
  );
  return exitCodes.ok;
}
