import { type WalkedCommand, type WalkedOption, type WalkedValue, withAllBelow } from './command-walk.ts';
import { quoted } from './shell-words.ts';

/** A script for bash 3.2 or newer that completes this command line without calling it. */
export function bashCompletion(root: WalkedCommand): string {
  const { name } = root;
  const cases = withAllBelow(root).map(commandCase).join('\n');
  return `# Completes ${name} in bash. Written by: ${name} completion bash

# Says of the command $1: its commands, its options, and what the value of its option $2, or its argument with this number, is.
_${name}_at() {
  commands=() options=() choices=() kind=
  case $1 in
${cases}
  esac
}

_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} path=${quoted(name)} option= goes_on= ended= number=1 index word kind
  local -a commands options choices
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    _${name}_at "$path" "$word"
    # bash makes words of = and : and of what is around them.
    if [[ $word == [=:] ]]; then goes_on=yes
    elif [[ $goes_on || $option ]]; then goes_on= option=
    elif [[ ! $ended && $word == -- ]]; then ended=yes
    elif [[ ! $ended && $word == -* ]]; then [[ $kind ]] && option=$word
    elif [[ $number == 1 && " \${commands[*]} " == *" $word "* ]]; then path="$path $word"
    else number=$((number + 1))
    fi
  done
  if [[ $current == [=:] ]]; then goes_on=yes current=; fi
  # Within a value that is no option's whole value there is nothing to complete.
  if [[ $goes_on && ! $option ]]; then return; fi
  _${name}_at "$path" "\${option:-$number}"
  local -a candidates
  if [[ $option ]]; then candidates=("\${choices[@]}")
  elif [[ ! $ended && $current == -* ]]; then candidates=("\${options[@]}") kind=
  elif [[ $number == 1 ]]; then candidates=("\${commands[@]}" "\${choices[@]}")
  else candidates=("\${choices[@]}")
  fi
  for word in "\${candidates[@]}"; do
    [[ $word == "$current"* ]] && COMPREPLY+=("$word")
  done
  if [[ $kind == file ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
  fi
}

complete -F _${name} ${name}
`;
}

function commandCase(command: WalkedCommand): string {
  const options = [...command.options, ...command.inherited];
  const commands = command.commands.map(({ name }) => quoted(name));
  const flags = options.flatMap((option) => option.flags.map(quoted));
  const rows = [
    ...options.flatMap((option) => valueRows(option.flags.map(quoted).join(' | '), option.value)),
    ...command.arguments.flatMap((argument, index) =>
      valueRows(argument.isVariadic ? '[1-9]*' : String(index + 1), argument),
    ),
  ];
  return [
    `    ${quoted(command.path)})`,
    `      commands=(${commands.join(' ')})`,
    `      options=(${flags.join(' ')})`,
    ...(rows.length > 0 ? ['      case $2 in', ...rows, '      esac'] : []),
    '      ;;',
  ].join('\n');
}

function valueRows(pattern: string, value: WalkedOption['value'] | WalkedValue): string[] {
  if (value === undefined) return [];
  const choices = value.choices.map(quoted).join(' ');
  return [`        ${pattern}) kind=${value.isFile ? 'file' : 'word'} choices=(${choices}) ;;`];
}
