import { limits } from '../../core/limits.ts';
import type { CommandContext } from './command-context.ts';
import { type CommandLine, wholeNumber } from './command-line.ts';
import type { DumpRequest } from './dump.ts';
import { exitCodes } from './exit-code.ts';

/** Adds `verify` and `dump`, which look at the files of the data folder themselves. */
export function addStoredFiles(program: CommandLine, { terminal, dataDir, endWith }: CommandContext): void {
  program
    .command('verify')
    .description(
      'check all files of a stopped gateway, and name the offsets that are lost; exit code 1 if something is wrong',
    )
    .option('--json', 'as one JSON object')
    .action(async ({ json }: { json?: true }) => {
      // Loaded only now, as what only some commands need is: the lock comes with a database.
      const { verify } = await import('./verify.ts');
      endWith(await verify(await dataDir(), terminal, json === true));
    });
  program
    .command('dump')
    .description('show what lies where in journal files and segments, also in damaged ones')
    .argument('[file...]', 'such files (default: all of the data folder)')
    .option('--topic <name>', 'only what is of this topic')
    .option(
      '--partition <number>',
      'only what is of this partition of --topic',
      wholeNumber(0, limits.partitionsPerTopicMax - 1),
    )
    .option('--records', 'show the records of each batch')
    .action(async (files: readonly string[], options: Partial<DumpRequest>, command: CommandLine) => {
      const { topic, partition, records } = options;
      if (partition !== undefined && topic === undefined)
        command.error('error: --partition needs --topic', { exitCode: exitCodes.usage });
      const { dump } = await import('./dump.ts');
      const request = { files, topic, partition, records: records === true };
      endWith(await dump(await dataDir(), terminal, request));
    });
}
