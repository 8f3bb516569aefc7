import { PassThrough, Readable } from 'node:stream';
import { type CommandLine, rootCommand } from '../../src/edge/cli/command-line.ts';
import { Output } from '../../src/edge/cli/terminal.ts';

/** What shells, zsh's specifications and roff would take for something else. */
export const oddWords = 'it\'s $(touch x) `y` "q" [a:b] \\n % {c} ~ ^ é; .x';

/** A command line with what no present command has: odd texts, choices of options, a file after another argument. */
export function oddCommands(): CommandLine {
  const root = rootCommand('0.1.0', {
    input: Readable.from([]),
    output: new Output(new PassThrough()),
    errors: new Output(new PassThrough()),
    isInteractive: false,
    workingDirectory: '.',
    hostName: 'gw1',
    configVariable: undefined,
    onStopSignal: () => () => undefined,
    onReloadSignal: () => () => undefined,
    exitNow: () => undefined,
  });
  const odd = root.command('odd').description(oddWords).argument('<name>', oddWords).argument('[file...]');
  odd
    .option('--odd-flag', oddWords)
    .requiredOption('--must <text>', 'without it nothing goes')
    .option('--count <number>', 'how many', '3')
    .addOption(odd.createOption('--level <name>', 'how much').choices(['low', 'high']))
    .addOption(odd.createOption('--for-nobody', 'is hidden').hideHelp());
  const group = root.command('group').description('commands below it');
  group.command('below', { hidden: true });
  group.command('plain').description('.starts with a dot').option('-q, --quiet', "'quoted'");
  return root;
}
