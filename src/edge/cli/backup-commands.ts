import type { CommandContext } from './command-context.ts';
import type { CommandLine } from './command-line.ts';

/** Adds `backup`, `restore` and `support-bundle`. */
export function addBackup(
  program: CommandLine,
  { terminal, machine, config, configSources, configRequest, dataDir, gateway, endWith }: CommandContext,
): void {
  program
    .command('backup')
    .description(
      'write configuration, users, passwords and certificates to a file, without readings; the gateway may run meanwhile',
    )
    .argument('<file>', 'the backup; there will be secrets in it')
    .option('--force', 'replace the file if it is there already')
    .action(async (file: string, { force }: { force?: true }) => {
      const { backup } = await import('./backup.ts');
      const configFile = (await configSources()).file?.name;
      const request = { config: await config(), configFile, file, force: force === true };
      endWith(await backup(request, terminal));
    });
  program
    .command('restore')
    .description(
      'restore a backup where no gateway runs: the configuration to --config, the others to the data folder that it names',
    )
    .argument('<file>', 'the backup')
    .option('--force', 'replace the gateway that is there, except its log')
    .action(async (file: string, { force }: { force?: true }) => {
      // Loaded only now: the lock comes with a database.
      const { restore } = await import('./restore.ts');
      endWith(await restore({ configRequest: configRequest(), file, force: force === true }, terminal));
    });
  program
    .command('support-bundle')
    .description(
      'write versions, configuration without secrets, findings of the doctor, status, metrics and service log to a file, for who is asked for help',
    )
    .argument('<file>')
    .option('--force', 'replace the file if it is there already')
    .action(async (file: string, { force }: { force?: true }) => {
      const { supportBundle } = await import('./support-bundle.ts');
      const request = {
        sources: await configSources(),
        machine,
        dataDir,
        gateway,
        file,
        force: force === true,
      };
      endWith(await supportBundle(request, terminal));
    });
}
