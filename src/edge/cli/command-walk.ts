import type { CommandLine } from './command-line.ts';

/** A command as the manual page and the completions know it: what a walk of the command line finds. */
export interface WalkedCommand {
  /** The words that call it, such as `headwater topics create`. */
  readonly path: string;
  /** The last of them. */
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly WalkedValue[];
  readonly options: readonly WalkedOption[];
  /** Options of the commands above it, which may stand here as well. */
  readonly inherited: readonly WalkedOption[];
  /** The commands below it. */
  readonly commands: readonly WalkedCommand[];
}

export interface WalkedOption {
  /** Such as `-h` and `--help`. */
  readonly flags: readonly string[];
  /** What has to follow it; undefined for one that stands alone. */
  readonly value: WalkedValue | undefined;
  readonly description: string;
  readonly isRequired: boolean;
  /** What counts without it; undefined if the description says so, or nothing does. */
  readonly defaultValue: string | undefined;
}

/** An argument, or the value of an option. */
export interface WalkedValue {
  readonly name: string;
  readonly description: string;
  readonly isRequired: boolean;
  /** Whether several may follow each other. */
  readonly isVariadic: boolean;
  /** Whether it is the path of a file: it is called `file` or `path`, perhaps beside something else. */
  readonly isFile: boolean;
  /** The words that it can be; none if they cannot be listed. */
  readonly choices: readonly string[];
}

/** Everything that a command line can be, from its root on, as its commands are at this moment. */
export function walk(root: CommandLine): WalkedCommand {
  return walked(root, '', []);
}

/** The command and all below it, each before those below it. */
export function withAllBelow(command: WalkedCommand): readonly WalkedCommand[] {
  return [command, ...command.commands.flatMap(withAllBelow)];
}

type VisibleOption = CommandLine['options'][number];

function walked(command: CommandLine, above: string, inherited: readonly WalkedOption[]): WalkedCommand {
  const path = `${above} ${command.name()}`.trim();
  const help = command.createHelp();
  // `--help` is an option of each command; here it belongs to the root alone, like the others that all commands have.
  const visible = above === '' ? help.visibleOptions(command) : command.options.filter((o) => !o.hidden);
  const options = visible.map(walkedOption);
  return {
    path,
    name: command.name(),
    description: command.description(),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: argument.description,
      isRequired: argument.required,
      isVariadic: argument.variadic,
      isFile: isFile(argument.name()),
      choices: argument.argChoices ?? [],
    })),
    options,
    inherited,
    // Without the command `help` that commander adds: `--help` does the same everywhere.
    commands: help
      .visibleCommands(command)
      .filter((below) => command.commands.includes(below))
      .map((below) => walked(below, path, [...options, ...inherited])),
  };
}

function walkedOption(option: VisibleOption): WalkedOption {
  const { short, long, description, mandatory, defaultValue } = option;
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    value: optionValue(option),
    description,
    isRequired: mandatory,
    // A default of true or false is that of a pair of options such as `--x` and `--no-x`.
    defaultValue:
      defaultValue === undefined || typeof defaultValue === 'boolean' ? undefined : String(defaultValue),
  };
}

function optionValue(option: VisibleOption): WalkedValue | undefined {
  if (!(option.required || option.optional)) return undefined;
  const name = /[<[](?<name>[^\]>]+?)(?:\.\.\.)?[\]>]/.exec(option.flags)?.groups?.['name'] ?? 'value';
  return {
    name,
    description: '',
    isRequired: option.required,
    isVariadic: option.variadic,
    isFile: isFile(name),
    choices: option.argChoices ?? [],
  };
}

const isFile = (name: string): boolean => name.split('|').some((part) => part === 'file' || part === 'path');
