/** What the help of one command names, read from what it prints. */
export interface HelpOfCommand {
  /** The words that call it, such as `headwater topics create`. */
  readonly words: string;
  /** The commands below it. */
  readonly commands: readonly string[];
  /** Its options and those that all have: `-h`, `--help`. */
  readonly flags: readonly string[];
}

type CommandLineRunner = (words: readonly string[]) => Promise<{ readonly output: string }>;

/** Asks every command for its help, from the root on. */
export async function helpOfAllCommands(
  run: CommandLineRunner,
  words: readonly string[] = [],
): Promise<readonly HelpOfCommand[]> {
  const { output } = await run([...words, '--help']);
  const commands = [...output.matchAll(/^ {2}(?<name>[a-z][\w-]*)/gm)]
    .filter(({ index }) => index > output.indexOf('\nCommands:'))
    .map(({ groups }) => groups?.['name'] ?? '')
    .filter((name) => output.includes('\nCommands:') && name !== 'help');
  const flags = [...output.matchAll(/^ {2}(?<flags>-[\w-]+(?:, --[\w-]+)?)/gm)].flatMap(
    ({ groups }) => groups?.['flags']?.split(', ') ?? [],
  );
  const below = await Promise.all(commands.map((name) => helpOfAllCommands(run, [...words, name])));
  return [{ words: ['headwater', ...words].join(' '), commands, flags }, ...below.flat()];
}
