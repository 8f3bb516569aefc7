import { setAdminPassword, showClaimCode } from './admin-password.ts';
import type { CommandContext } from './command-context.ts';
import type { CommandLine } from './command-line.ts';

/** Adds `admin` with its commands: who may use the page. */
export function addAdmin(program: CommandLine, { terminal, dataDir, endWith }: CommandContext): void {
  const admin = program
    .command('admin')
    .description('the password of the page, and the code that sets the first one');
  admin
    .command('claim-code')
    .description('print the code by which a browser sets the first password')
    .action(async () => endWith(await showClaimCode(await dataDir(), terminal)));
  admin
    .command('passwd')
    .description('set the password, asked for, or the first line of standard input; all logins end')
    .option('--password-file <file>', 'the file that holds the password')
    .action(async ({ passwordFile }: { passwordFile?: string }) =>
      endWith(await setAdminPassword(await dataDir(), terminal, passwordFile)),
    );
}
