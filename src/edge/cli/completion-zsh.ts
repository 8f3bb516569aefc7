import { type WalkedCommand, type WalkedOption, type WalkedValue, withAllBelow } from './command-walk.ts';
import { quoted } from './shell-words.ts';

/** A script for zsh, as a file `_headwater` of its functions or to be sourced, that completes this command line without calling it. */
export function zshCompletion(root: WalkedCommand): string {
  const { name } = root;
  return `#compdef ${name}
# Completes ${name} in zsh. Written by: ${name} completion zsh

${withAllBelow(root).map(completer).join('\n\n')}

if [[ $funcstack[1] == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}

const functionName = (path: string): string => `_${path.replaceAll(/[ -]/g, '_')}`;

function completer(command: WalkedCommand): string {
  const options = [...command.options, ...command.inherited];
  const specs = [
    ...options.flatMap(optionSpecs),
    ...(command.commands.length > 0
      ? ['1:command:->command', '*::argument:->argument']
      : command.arguments.map(argumentSpec)),
  ];
  const states = command.commands.length > 0 ? stateCases(command) : [];
  return [
    `${functionName(command.path)}() {`,
    '  local context state state_descr line curcontext=$curcontext',
    '  typeset -A opt_args',
    `  _arguments -C \\`,
    specs.map((spec) => `    ${quoted(spec)}`).join(' \\\n'),
    ...states,
    '}',
  ].join('\n');
}

function stateCases({ commands }: WalkedCommand): string[] {
  return [
    '  case $state in',
    '    command)',
    '      local -a commands=(',
    ...commands.map(
      ({ name, description }) => `        ${quoted(`${name.replaceAll(':', '\\:')}:${description}`)}`,
    ),
    '      )',
    '      _describe command commands',
    '      ;;',
    '    argument)',
    '      case $line[1] in',
    ...commands.map(({ name, path }) => `        ${quoted(name)}) ${functionName(path)} ;;`),
    '      esac',
    '      ;;',
    '  esac',
  ];
}

/** One specification for each way to write it; one that takes a value may be given again. */
function optionSpecs({ flags, value, description }: WalkedOption): string[] {
  const others = value === undefined ? `(${flags.join(' ')})` : '*';
  return flags.map((flag) => {
    if (value === undefined) return `${others}${flag}[${escaped(description)}]`;
    const joint = flag.startsWith('--') ? '=' : '+';
    const separator = value.isRequired ? ':' : '::';
    return `${others}${flag}${joint}[${escaped(description)}]${separator}${escaped(value.name)}:${action(value)}`;
  });
}

function argumentSpec(argument: WalkedValue, index: number): string {
  const place = argument.isVariadic ? '*' : String(index + 1);
  const separator = argument.isRequired || argument.isVariadic ? ':' : '::';
  return `${place}${separator}${escaped(argument.name)}:${action(argument)}`;
}

/** What completes it: files, the words that it can be, or nothing. */
function action({ isFile, choices }: WalkedValue): string {
  if (choices.length > 0) return `(${choices.map((word) => word.replace(/[^\w.-]/g, '\\$&')).join(' ')})`;
  return isFile ? '_files' : ' ';
}

const escaped = (text: string): string => text.replace(/[:[\]\\]/g, '\\$&');
