import { limits } from '../../core/limits.ts';
import { AdminClient } from './admin-client.ts';
import type { CommandContext } from './command-context.ts';
import { type CommandLine, wholeNumber } from './command-line.ts';
import { status, watchStatus } from './status.ts';

/** Adds `status`. */
export function addStatus(program: CommandLine, context: CommandContext): void {
  const { terminal, dataDir, gateway, endWith } = context;
  program
    .command('status')
    .description('show how the running gateway is, what is wrong first; exit code 4 if it is degraded')
    .option('--json', 'as one JSON object')
    .option(
      '--watch [seconds]',
      `again every so many seconds (default: ${limits.watchSecondsDefault}), until Ctrl-C; with what arrives a second`,
      wholeNumber(1, limits.watchSecondsMax),
    )
    .action(async ({ json = false, watch }: { json?: boolean; watch?: number | true }) => {
      if (watch === undefined) {
        endWith(await status(await gateway(), terminal, json));
        return;
      }
      const folder = await dataDir();
      const seconds = watch === true ? limits.watchSecondsDefault : watch;
      endWith(
        await watchStatus({ find: () => AdminClient.find(folder), everyMs: seconds * 1000, json }, terminal),
      );
    });
}
