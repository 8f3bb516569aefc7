import { type WalkedCommand, type WalkedOption, type WalkedValue, withAllBelow } from './command-walk.ts';

/** A script for fish 3 or newer that completes this command line without calling it. */
export function fishCompletion(root: WalkedCommand): string {
  const { name } = root;
  const all = withAllBelow(root);
  const paths = all.filter((command) => command !== root).map(({ path }) => quoted(path));
  return `# Completes ${name} in fish. Written by: ${name} completion fish

# Prints the command that the line has so far, and the number of the argument that comes next.
function __${name}_place
    set -l path ${name}
    set -l number 1
    set -l is_value no
    for word in (commandline -opc)[2..-1]
        if test $is_value = yes
            set is_value no
        else if string match -q -- '-*' $word
            if string match -qr -- ${quoted(valueOptions(all))} "$path $word"
                set is_value yes
            end
        else
            switch "$path $word"
                case ${paths.join(' ')}
                    set path "$path $word"
                case '*'
                    set number (math $number + 1)
            end
        end
    end
    echo $path $number
end

# Whether the line is at a place that fits the pattern.
function __${name}_at
    string match -qr -- "^$argv[1]\\$" (__${name}_place)
end

complete -c ${name} -f
${all.flatMap((command) => completions(name, command)).join('\n')}
`;
}

/** A pattern for a command and its option if a value follows that option. */
function valueOptions(all: readonly WalkedCommand[]): string {
  const patterns = all.flatMap(({ path, options }) => {
    const flags = options.filter(({ value }) => value?.isRequired === true).flatMap((option) => option.flags);
    return flags.length === 0 ? [] : [`${path}( .*)? (${flags.join('|')})`];
  });
  return `^(${patterns.join('|')})$`;
}

function completions(program: string, command: WalkedCommand): string[] {
  const at = (place: string): string => `complete -c ${program} -n ${quoted(`__${program}_at '${place}'`)}`;
  return [
    ...command.commands.map(
      ({ name, description }) => `${at(`${command.path} 1`)} -a ${quoted(name)} -d ${quoted(description)}`,
    ),
    ...command.arguments
      .map((argument, index) => [argument, argument.isVariadic ? '.*' : String(index + 1)] as const)
      .filter(([{ isFile, choices }]) => isFile || choices.length > 0)
      .map(([argument, number]) => `${at(`${command.path} ${number}`)}${valueFlags(argument)}`),
    ...command.options.map((option) => `${at(`${command.path} .*`)}${optionFlags(option)}`),
  ];
}

function optionFlags({ flags, value, description }: WalkedOption): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? ` -l ${quoted(flag.slice(2))}` : ` -s ${quoted(flag.slice(1))}`,
  );
  const required = value?.isRequired === true ? ' -r' : '';
  return `${names.join('')}${required}${value === undefined ? '' : valueFlags(value)} -d ${quoted(description)}`;
}

function valueFlags({ isFile, choices }: WalkedValue): string {
  return `${isFile ? ' -F' : ' -f'}${choices.length > 0 ? ` -a ${quoted(choices.join(' '))}` : ''}`;
}

const quoted = (text: string): string => `'${text.replace(/['\\]/g, String.raw`\$&`)}'`;
