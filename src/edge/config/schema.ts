import * as z from 'zod';
import { limits } from '../../core/limits.ts';
import { isLegalTopicName } from '../../core/topic-name.ts';
import { checkpointTopicName } from '../../forwarder/names.ts';
import { type DecoderName, decoders, type FramingName, framings, namesOf } from '../registry.ts';
import { type Address, formatAddress, isLoopback, parseAddress } from './address.ts';
import { nearMatches } from './near-match.ts';
import type { SettingPath } from './yaml-tree.ts';

/** What the whole product may be told: one row for each setting. A setting without an effect does not exist. */
const settingsFor = (hostName: string) =>
  section({
    gateway: section({
      /** Part of the names of the topics in the central cluster. */
      name: gatewayName().default(gatewayNameFrom(hostName)),
    }),
    data: section({
      /** The data folder; a relative path starts at the working directory. */
      dir: folder().default('./data'),
      /** Commits start at least so far apart. 0 commits as fast as the disk can. */
      commitIntervalMs: wholeNumber(0, limits.commitIntervalMsMax, 'milliseconds').default(20),
    }),
    mqtt: section({
      listen: listenAddress('127.0.0.1:1883').prefault('127.0.0.1:1883'),
    }),
    /** Ports to read frames from. */
    serial: list(
      section({
        /** The key of its records. */
        name: portName(),
        path: text('the path of a serial port, such as /dev/serial/by-id/usb-…', isAbsolutePath),
        baud: wholeNumber(limits.serialBaudMin, limits.serialBaudMax, 'bits per second'),
        framing: choice(namesOf(framings)).default('line'),
        decoder: choice(namesOf(decoders)).default('json'),
      }),
      'serial ports, such as [{ name: weather, path: /dev/ttyUSB0, baud: 9600 }]',
      limits.serialPortsMax,
    ).default([]),
    admin: section({
      listen: listenAddress('127.0.0.1:8080').prefault('127.0.0.1:8080'),
    }),
    /** Topics that exist from the start; others are created when they are needed. */
    topics: topicTable({
      partitions: wholeNumber(1, limits.partitionsPerTopicMax, 'partitions').default(1),
    }),
    forwarder: section({
      /** Where to ask for the central cluster. With none, everything is stored and nothing is sent. */
      brokers: list(brokerAddress(), 'host:port, such as [kafka1:9092]', limits.brokersMax).default([]),
      /** How long a record may wait for others to share its transaction. */
      lingerMs: wholeNumber(0, limits.lingerMsMax, 'milliseconds').default(1000),
      /** The topics to send: names, or `*` for all. */
      topics: list(topicChoice(), "topic names, or ['*'] for all", limits.partitionsMax).default(['*']),
      /** When the cluster no longer knows what it had confirmed, or is another one. */
      onCheckpointLost: choice(['resume', 'resend', 'stop']).default('resume'),
    }),
    log: section({
      level: choice(['debug', 'info', 'warn', 'error']).default('info'),
    }),
  }).superRefine(checkTogether);

/** What no setting can see alone. */
function checkTogether(all: Config, context: z.core.$RefinementCtx): void {
  const { mqtt, serial, admin, gateway, topics } = all;
  if (mqtt.listen.port !== 0 && formatAddress(mqtt.listen) === formatAddress(admin.listen)) {
    const message = 'write another port than that of mqtt.listen';
    context.addIssue({ code: 'custom', path: ['admin', 'listen'], message, input: all });
  }
  serial.forEach((port, index) => {
    for (const setting of ['name', 'path'] as const) {
      const first = serial.findIndex((other) => other[setting] === port[setting]);
      if (first === index) continue;
      const message = `write another ${setting} than that of serial.${first}`;
      context.addIssue({ code: 'custom', path: ['serial', index, setting], message, input: all });
    }
  });
  for (const topic of Object.keys(topics)) {
    if (gateway.name.length + 1 + topic.length > limits.topicNameLengthMax) {
      const message = `choose a shorter topic name: with the name of the gateway before it, it is longer than ${limits.topicNameLengthMax} characters`;
      context.addIssue({ code: 'custom', path: ['topics', topic], message, input: all });
    }
  }
}

/** All settings, with their defaults filled in. */
export interface Config {
  readonly gateway: { readonly name: string };
  readonly data: { readonly dir: string; readonly commitIntervalMs: number };
  readonly mqtt: { readonly listen: Address };
  readonly serial: readonly SerialPortConfig[];
  readonly admin: { readonly listen: Address };
  /** By name. It has no prototype, so that a topic may be called `constructor`. */
  readonly topics: Readonly<Record<string, { readonly partitions: number }>>;
  readonly forwarder: {
    readonly brokers: readonly Address[];
    readonly lingerMs: number;
    readonly topics: readonly string[];
    readonly onCheckpointLost: 'resume' | 'resend' | 'stop';
  };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' };
}

export interface SerialPortConfig {
  readonly name: string;
  readonly path: string;
  readonly baud: number;
  readonly framing: FramingName;
  readonly decoder: DecoderName;
}

export interface SettingProblem {
  readonly path: SettingPath;
  readonly message: string;
}

export type Checked = { readonly config: Config } | { readonly problems: readonly SettingProblem[] };

/** Checks a whole tree of settings and fills in the defaults. Never throws; finds every problem it can see at once. */
export function checkSettings(tree: unknown, hostName: string): Checked {
  const result = settingsFor(hostName).safeParse(tree);
  if (!result.success) {
    const known = settingPaths();
    return { problems: result.error.issues.flatMap((issue) => problemsOf(issue, tree, known)) };
  }
  return { config: { ...result.data, topics: Object.assign(Object.create(null), result.data.topics) } };
}

/** The path of every setting; `*` stands for a name that the user chooses. */
export function settingPaths(): readonly SettingPath[] {
  return pathsBelow(settingsFor(''), []);
}

/** The host name made legal as part of a topic name. */
export function gatewayNameFrom(hostName: string): string {
  const legal = hostName.replaceAll(/[^a-zA-Z0-9._-]/g, '-').slice(0, limits.gatewayNameLengthMax);
  return isLegalTopicName(legal) ? legal : 'headwater';
}

// Kinds of settings. Each says in one sentence what to write, whatever was wrong.

function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const error = () => `write a mapping of settings here: ${Object.keys(shape).join(', ')}`;
  // A section whose lines are all commented out is null in YAML.
  return z.preprocess((value) => value ?? {}, z.strictObject(shape, { error }));
}

function topicTable<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const error = () => 'write a mapping of topic names, such as temperature: { partitions: 2 }';
  const table = z.record(topicName(), section(shape), { error });
  const partitionsOf = (topic: object): number => Number((topic as { partitions?: unknown }).partitions);
  return z.preprocess(
    (value) => value ?? {},
    table.refine(
      (topics) =>
        Object.values(topics).reduce((sum, topic) => sum + partitionsOf(topic), 0) <= limits.partitionsMax,
      { error: () => `write fewer topics or partitions: ${limits.partitionsMax} partitions in all at most` },
    ),
  );
}

function list<Item extends z.ZodType>(item: Item, what: string, itemsMax: number) {
  const error = () => `write a list of at most ${itemsMax} ${what}`;
  return z.array(item, { error }).max(itemsMax, { error });
}

function wholeNumber(min: number, max: number, unit: string) {
  const error = () => `write a whole number of ${unit} from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

function choice<const Name extends string>(names: readonly Name[]) {
  return z.enum(names, { error: () => `write one of ${names.join(', ')}` });
}

function text(what: string, isLegal: (value: string) => boolean) {
  const error = (issue: { readonly input?: unknown }): string =>
    typeof issue.input === 'number' || typeof issue.input === 'boolean'
      ? `write ${what}, in quotes because YAML takes it for something else`
      : `write ${what}`;
  return z.string({ error }).refine(isLegal, { error });
}

function folder() {
  return text('the path of a folder', (value) => value !== '' && !value.includes('\0'));
}

function gatewayName() {
  const what = `1 to ${limits.gatewayNameLengthMax} letters, digits, ".", "_" or "-"`;
  return text(what, (value) => isLegalTopicName(value) && value.length <= limits.gatewayNameLengthMax);
}

function portName() {
  const what = `1 to ${limits.serialPortNameLengthMax} letters, digits, ".", "_" or "-"`;
  return text(what, (value) => isLegalTopicName(value) && value.length <= limits.serialPortNameLengthMax);
}

const isAbsolutePath = (path: string): boolean => path.startsWith('/') && !path.includes('\0');

function topicName() {
  const what = `1 to ${limits.topicNameLengthMax} letters, digits, ".", "_" or "-" as a topic name`;
  return text(what, isLegalTopicName).refine((name) => name !== checkpointTopicName, {
    error: () => 'choose another topic name; Headwater keeps this one for itself',
  });
}

function topicChoice() {
  const what = "a topic name, or '*' in quotes for all topics";
  return text(what, (name) => name === '*' || (isLegalTopicName(name) && name !== checkpointTopicName));
}

function address(what: string, refusal: (address: Address) => string | undefined) {
  return text(what, (value) => parseAddress(value) !== undefined).transform((value, context): Address => {
    const parsed = parseAddress(value);
    const message = parsed === undefined ? undefined : refusal(parsed);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
    return parsed ?? z.NEVER;
  });
}

function listenAddress(example: string) {
  return address(`host:port, such as ${example} (port 0: any free one)`, ({ host }) =>
    isLoopback(host) ? undefined : 'until users exist, nothing listens beyond loopback; use 127.0.0.1',
  );
}

function brokerAddress() {
  return address('host:port, such as kafka1:9092', ({ port }) =>
    port === 0 ? 'write the port of the broker, such as 9092' : undefined,
  );
}

// From zod's issues to problems

function problemsOf(
  issue: z.core.$ZodIssue,
  tree: unknown,
  known: readonly SettingPath[],
): readonly SettingProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownSetting(path, key, known) }));
  }
  if (issue.code === 'invalid_key') {
    return [{ path, message: issue.issues[0]?.message ?? issue.message }];
  }
  const given = valueAt(tree, path);
  if (given === null) return [{ path, message: `is empty; ${issue.message}, or remove it for the default` }];
  return [
    { path, message: isShort(given) ? `${issue.message}, not ${JSON.stringify(given)}` : issue.message },
  ];
}

const isShort = (value: unknown): boolean =>
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  (typeof value === 'string' && value.length <= 60);

function valueAt(tree: unknown, path: SettingPath): unknown {
  let value = tree;
  for (const name of path) {
    value =
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}

function unknownSetting(path: SettingPath, key: string, known: readonly SettingPath[]): string {
  const written = known.find(
    (candidate) => candidate.length > 1 && candidate.slice(path.length).join('.') === key,
  );
  if (written !== undefined) {
    const [outer, ...inner] = written.slice(path.length);
    return `unknown setting; write it as ${outer}: { ${inner.join('.')}: … }`;
  }
  const here = namesBelow(known, path);
  const near = nearMatches(key, here);
  const elsewhere = known.filter((candidate) => nearMatches(key, candidate.slice(-1)).length > 0);
  const matches = near.length > 0 ? near : elsewhere.map((candidate) => candidate.join('.'));
  if (matches.length > 0) return `unknown setting; did you mean ${matches.join(' or ')}?`;
  return `unknown setting; there are: ${here.join(', ')}`;
}

function namesBelow(known: readonly SettingPath[], path: SettingPath): readonly string[] {
  const isBelow = (candidate: SettingPath): boolean =>
    path.every((name, index) => candidate[index] === name || candidate[index] === '*');
  return [...new Set(known.filter(isBelow).map((candidate) => candidate[path.length] ?? ''))];
}

function pathsBelow(schema: z.core.$ZodType, path: SettingPath): readonly SettingPath[] {
  if (schema instanceof z.ZodDefault) return pathsBelow(schema.def.innerType, path);
  if (schema instanceof z.ZodArray) {
    const inner = pathsBelow(schema.def.element, [...path, '*']);
    return inner.some(({ length }) => length > path.length + 1) ? inner : [path];
  }
  if (schema instanceof z.ZodPipe && schema.def.in instanceof z.ZodTransform)
    return pathsBelow(schema.def.out, path);
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.def.shape).flatMap(([name, inner]) => pathsBelow(inner, [...path, name]));
  }
  if (schema instanceof z.ZodRecord) return pathsBelow(schema.def.valueType, [...path, '*']);
  return [path];
}
