import process from 'node:process';
import type { CommandContext } from './command-context.ts';
import type { CommandLine } from './command-line.ts';
import { type WalkedCommand, walk } from './command-walk.ts';
import { bashCompletion } from './completion-bash.ts';
import { fishCompletion } from './completion-fish.ts';
import { zshCompletion } from './completion-zsh.ts';
import { manPage } from './man-page.ts';

const scripts: Readonly<Record<string, (root: WalkedCommand) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** Adds `completion` and `man`. Both are made of all commands that the program has when they are called. */
export function addCompletion(program: CommandLine, { terminal }: CommandContext): void {
  const shell = program
    .createArgument('<shell>', 'the shell that is to complete')
    .choices(Object.keys(scripts));
  program
    .command('completion')
    .description('print a script by which a shell completes commands, options and files')
    .addArgument(shell)
    .action(async (name: string) => {
      const script = scripts[name];
      if (script !== undefined) await terminal.output.write(script(walk(program)));
    });
  program
    .command('man')
    .description('print the manual page of all commands, for man or mandoc')
    .action(async () => {
      const edition = { version: program.version() ?? '', madeMs: madeMs() };
      await terminal.output.write(manPage(walk(program), edition));
    });
}

/** The day on the page; builds that must give the same bytes each time say it by this variable. */
function madeMs(): number {
  const seconds = Number(process.env['SOURCE_DATE_EPOCH']);
  return Number.isSafeInteger(seconds) ? seconds * 1000 : Date.now();
}
