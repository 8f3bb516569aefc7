import type { CommandContext } from './command-context.ts';
import type { CommandLine } from './command-line.ts';
import { checkConfig } from './config-check.ts';
import { printSchema } from './config-schema.ts';
import { showConfig } from './config-show.ts';
import { reload } from './reload.ts';

/** Adds `config` with its commands, and `reload`. */
export function addConfig(
  program: CommandLine,
  { terminal, configSources, gatewayToReload, endWith }: CommandContext,
): void {
  const config = program.command('config').description('check, show or describe the configuration');
  config
    .command('check')
    .description('say what is wrong with the configuration, all of it at once; exit code 2 if anything is')
    .action(async () => endWith(await checkConfig(await configSources(), terminal)));
  config
    .command('show')
    .description('show what counts of each setting, and where it is written')
    .option('--all', 'also what is not set and has no default')
    .option('--json', 'as one JSON object')
    .action(async ({ all, json }: { all?: true; json?: true }) =>
      endWith(await showConfig(await configSources(), { all: all === true, json: json === true }, terminal)),
    );
  config
    .command('schema')
    .description('print a JSON schema of the configuration file, by which editors complete and check it')
    .action(async () => endWith(await printSchema(terminal)));
  program
    .command('reload')
    .description(
      'have the running gateway read its configuration again; exit code 2 if that is wrong, and nothing is changed then',
    )
    .option('--json', 'as one JSON object')
    .action(async ({ json }: { json?: true }) =>
      endWith(await reload(await gatewayToReload(), terminal, json === true)),
    );
}
