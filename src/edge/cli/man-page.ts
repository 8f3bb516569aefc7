import { type WalkedCommand, type WalkedOption, type WalkedValue, withAllBelow } from './command-walk.ts';
import { exitCodeMeanings, exitCodes } from './exit-code.ts';

export interface ManPageEdition {
  readonly version: string;
  /** Milliseconds since 1970; the page shows the day. */
  readonly madeMs: number;
}

/** The manual page headwater(1), as roff for man(7), of all commands that the walk has found. */
export function manPage(root: WalkedCommand, { version, madeMs }: ManPageEdition): string {
  const day = new Date(madeMs).toISOString().slice(0, 10);
  const lines = [
    `.TH HEADWATER 1 "${day}" "headwater ${version}" "User Commands"`,
    '.SH NAME',
    'headwater \\- an IoT edge gateway: readings durable here, and once in Kafka',
    '.SH SYNOPSIS',
    '.B headwater',
    '[\\fIoptions\\fR] \\fIcommand\\fR [\\fIarguments\\fR]',
    '.SH DESCRIPTION',
    ...text(root.description),
    ...description.flatMap((paragraph) => ['.PP', ...text(paragraph)]),
    '.SH GLOBAL OPTIONS',
    'They may stand before and after the command.',
    ...root.options.flatMap(option),
    '.SH COMMANDS',
    ...withAllBelow(root)
      .filter((command) => command !== root)
      .flatMap((command) => section(command, root)),
    '.SH EXIT STATUS',
    ...codes().flatMap(([code, meaning]) => ['.TP', bold(String(code)), ...text(meaning)]),
    ...[...surroundings].flatMap(([title, rows]) => [
      `.SH ${title}`,
      ...rows.flatMap(([name, meaning]) => ['.TP', bold(name), ...text(meaning)]),
    ]),
    '.SH EXAMPLES',
    ...examples.flatMap(([what, ...commands], index) => [
      ...(index === 0 ? [] : ['.PP']),
      ...text(what),
      '.RS',
      '.nf',
      ...commands.map((command) => escaped(command)),
      '.fi',
      '.RE',
    ]),
    '.SH SEE ALSO',
    '.BR mosquitto_pub (1),',
    '.BR kcat (1)',
    '.PP',
    ...text('README.md in the source says what each setting does, and what happens when something fails.'),
  ];
  return `${lines.join('\n')}\n`;
}

// What no command says about itself

const description: readonly string[] = [
  'The gateway takes readings by MQTT, from serial ports and Modbus units, acknowledges them when they are durable on ' +
    'this device, and mirrors them to Apache Kafka. "headwater run" is the gateway; the other commands ask a running ' +
    'one, or read the data folder of a stopped one.',
  'No configuration is needed. Any setting of the configuration may be given to any command by --set.',
];

const surroundings: ReadonlyMap<string, readonly (readonly [name: string, meaning: string])[]> = new Map([
  [
    'FILES',
    [
      [
        'headwater.yaml',
        'The configuration, in the folder where the command is called, unless --config or HEADWATER_CONFIG names another. ' +
          'headwater.example.yaml in the source shows every setting with its default.',
      ],
      ['data/', 'The data folder: log, sessions, users. The setting data.dir names another.'],
      ['data/gateway.json', 'Where the running gateway listens. Commands find it by this.'],
      [
        'data/admin.token',
        'What commands show to the admin API of the running gateway. Only its owner can read it, so commands are ' +
          'called as the user of the gateway, or as root.',
      ],
      [
        '/etc/headwater/headwater.yaml, /var/lib/headwater',
        'Configuration and data folder of a gateway that was installed as a Debian package. ' +
          'headwater.example.yaml is then in /usr/share/doc/headwater.',
      ],
    ],
  ],
  [
    'ENVIRONMENT',
    [
      [
        'HEADWATER_CONFIG',
        'The configuration, where --config does not name it. The command of the Debian package sets it to ' +
          '/etc/headwater/headwater.yaml, unless it is set.',
      ],
      [
        'SOURCE_DATE_EPOCH',
        'The day that "headwater man" prints, in seconds since 1970, for builds that are to give the same bytes.',
      ],
      [
        'SUDO_USER, USER',
        'Who acknowledges or shelves an alert, if --by does not say it; the first that is set.',
      ],
      [
        'any name',
        'Settings that end in Env, such as forwarder.sasl.passwordEnv, name a variable that holds a secret. ' +
          'It has to be set where the gateway, or "headwater doctor", is started.',
      ],
    ],
  ],
]);

const examples: readonly (readonly [what: string, ...commands: string[]])[] = [
  ['Start a gateway that mirrors to Kafka:', "headwater run --set 'forwarder.brokers=[kafka1:9092]'"],
  ['See how it is:', 'headwater status'],
  [
    'Make a topic, store lines in it, and read them back:',
    'headwater topics create events --partitions 2',
    "printf 'first\\nsecond\\n' | headwater produce events",
    'headwater consume events --from-beginning',
  ],
  ['Check the files of a stopped gateway:', 'headwater verify'],
  ['Complete commands in this bash:', 'source <(headwater completion bash)'],
];

// Parts of the page

function section(command: WalkedCommand, root: WalkedCommand): string[] {
  // Those of the root have a part of their own.
  const inherited = command.inherited.filter((each) => !root.options.includes(each));
  const options = [...command.options, ...inherited];
  const words = command.path.split(' ').slice(1).join(' ');
  const required = options.filter(({ isRequired }) => isRequired);
  const usage = [
    bold(words),
    ...required.map(term),
    ...(options.length > required.length ? ['[\\fIoptions\\fR]'] : []),
    ...command.arguments.map(valueTerm),
    ...(command.commands.length > 0 ? ['\\fIcommand\\fR'] : []),
  ];
  const explained = command.arguments.filter(
    ({ description, choices }) => description !== '' || choices.length > 0,
  );
  return [
    `.SS ${usage.join(' ')}`,
    ...text(sentence(command.description)),
    ...explained.flatMap((argument) => [
      '.TP',
      valueTerm(argument),
      ...text(withRemarks(argument.description, [choicesOf(argument)])),
    ]),
    ...options.flatMap(option),
  ];
}

function option(walked: WalkedOption): string[] {
  const { description, isRequired, defaultValue, value } = walked;
  const remarks = [
    isRequired ? 'required' : '',
    choicesOf(value),
    defaultValue === undefined ? '' : `default: ${defaultValue}`,
  ];
  return ['.TP', term(walked), ...text(withRemarks(description, remarks))];
}

const term = ({ flags, value }: WalkedOption): string =>
  [flags.map(bold).join(', '), ...(value === undefined ? [] : [valueTerm(value)])].join(' ');

function valueTerm({ name, isRequired, isVariadic }: WalkedValue): string {
  const shown = `\\fI${escaped(name)}\\fR${isVariadic ? '...' : ''}`;
  return isRequired ? shown : `[${shown}]`;
}

const choicesOf = (value: WalkedValue | undefined): string =>
  value === undefined || value.choices.length === 0 ? '' : `one of ${value.choices.join(', ')}`;

function withRemarks(words: string, remarks: readonly string[]): string {
  const told = remarks.filter((remark) => remark !== '').join('; ');
  if (words === '') return told;
  return told === '' ? words : `${words} (${told})`;
}

function codes(): (readonly [code: number, meaning: string])[] {
  const meanings = Object.entries(exitCodeMeanings) as [keyof typeof exitCodes, string][];
  return meanings.map(([name, meaning]) => [exitCodes[name], meaning] as const);
}

// Roff

const bold = (words: string): string => `\\fB${escaped(words)}\\fR`;

const sentence = (words: string): string =>
  `${words.charAt(0).toUpperCase()}${words.slice(1)}${words.endsWith('.') ? '' : '.'}`;

const lineWidth = 78;

/** Words filled into lines, each sentence on lines of its own, as roff wants it. */
function text(words: string): string[] {
  const lines: string[] = [];
  for (const sentenceWords of words.split(/(?<=[.:?!])\s+(?=[A-Z"])/)) {
    let line = '';
    for (const word of sentenceWords.split(/\s+/).map((each) => escaped(each, false))) {
      if (line !== '' && line.length + 1 + word.length > lineWidth) {
        lines.push(line);
        line = '';
      }
      line = line === '' ? word : `${line} ${word}`;
    }
    if (line !== '') lines.push(line);
  }
  return lines;
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\e',
  "'": '\\(aq',
  '"': '\\(dq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

/**
 * Characters that roff would take for something else. In what is to be typed each hyphen is a minus, so that it can be copied; in
 * prose only two in a row are.
 */
function escaped(words: string, isTyped = true): string {
  return words
    .replace(/["'\\^`~]/g, (character) => escapes[character] ?? character)
    .replace(isTyped ? /-/g : /^\W*--?(?=\w)/g, (hyphens) => hyphens.replaceAll('-', '\\-'))
    .replace(/[^\x20-\x7e]/gu, (character) => `\\[u${hexOf(character)}]`)
    .replace(/^\./, '\\&.');
}

const hexOf = (character: string): string =>
  (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
