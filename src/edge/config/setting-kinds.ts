import * as z from 'zod';
import { limits } from '../../core/limits.ts';
import { isLegalTopicName } from '../../core/topic-name.ts';
import { checkpointTopicName, templateWords } from '../../forwarder/cluster/topic-mapping.ts';
import { type HourSpan, parseSpan } from '../../forwarder/lanes/link-hours.ts';
import { isLegalFilter, isReserved } from '../../ingest/mqtt/topic-access.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { formatDuration, formatSize, parseDuration, parseSize } from './quantities.ts';
import type { SettingPath } from './yaml-tree.ts';

/** How a setting is read. */
export type SettingKind<Value> = z.ZodType<Value>;

/** What is wrong with a setting. */
export type SettingIssue = z.core.$ZodIssue;

/** Takes what is wrong with settings together. */
export type CheckContext = z.core.$RefinementCtx;

/** Where a broker is. */
export interface BrokerUrl {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** As a URL, with its port and without secrets. */
  readonly text: string;
}

// Each kind of setting says in one sentence what to write, whatever was wrong.

/** A mapping with these settings and no others. One without a line in it is empty; `orElse` says what that means. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape, orElse?: string) {
  const error = () =>
    `write a mapping of settings here: ${Object.keys(shape).join(', ')}${orElse === undefined ? '' : `; ${orElse}`}`;
  // A section whose lines are all commented out is null in YAML.
  return z.preprocess((value) => value ?? {}, z.strictObject(shape, { error }));
}

/** A mapping of topic names to a section each, with as many partitions in all as a gateway may have. */
export function topicTable<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
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

/** A list of at most `itemsMax` items. */
export function list<Item extends z.ZodType>(item: Item, what: string, itemsMax: number) {
  const error = () => `write a list of at most ${itemsMax} ${what}`;
  return z.array(item, { error }).max(itemsMax, { error });
}

/** A whole number, of a unit if it has one; both ends included. */
export function wholeNumber(min: number, max: number, unit?: string) {
  const error = () => `write a whole number${unit === undefined ? '' : ` of ${unit}`} from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** Any number. */
export function anyNumber() {
  return z.number({ error: () => 'write a number' });
}

/** True or false. */
export function yesOrNo() {
  return z.boolean({ error: () => 'write true or false' });
}

/** A size, read as bytes; both ends included. */
export function size(bytesMin: number, bytesMax: number) {
  const error = () =>
    `write a size from ${formatSize(bytesMin)} to ${formatSize(bytesMax)}, such as 1GiB, 64MiB or 500kB, or a number of bytes`;
  const bytes = z.int({ error }).min(bytesMin, { error }).max(bytesMax, { error });
  return z.preprocess((value) => (typeof value === 'string' ? (parseSize(value) ?? value) : value), bytes);
}

/** A duration, read as milliseconds; both ends included. It needs a unit, so that nobody has to guess it. */
export function duration(msMin: number, msMax: number) {
  const error = () =>
    `write a duration from ${formatDuration(msMin)} to ${formatDuration(msMax)}, such as 30d, 12h, 15m, 30s or 250ms`;
  const ms = z.int({ error }).min(msMin, { error }).max(msMax, { error });
  return z.preprocess(
    (value) => (typeof value === 'string' ? (parseDuration(value) ?? value) : String(value)),
    ms,
  );
}

/** A topic's retention: `until-forwarded`, or the bytes and the age that it keeps. */
export function retention() {
  const error = () => 'write a mapping such as { bytes: 1GiB, age: 30d }, or until-forwarded';
  const bounds = section({
    bytes: size(1, limits.storedBytesMax).optional(),
    age: duration(1, limits.retentionAgeMsMax).optional(),
  });
  return z.union([z.literal('until-forwarded'), bounds], { error });
}

/** One of these names. */
export function choice<const Name extends string>(names: readonly Name[]) {
  return z.enum(names, { error: () => `write one of ${names.join(', ')}` });
}

/** What a setting of one of several types is read as. */
type Typed<Shapes extends Readonly<Record<string, z.core.$ZodLooseShape>>> = {
  [Name in keyof Shapes]: { type: Name } & {
    [Setting in keyof Shapes[Name]]: z.output<Shapes[Name][Setting]>;
  };
}[keyof Shapes];

/** One of these types: its name, or a mapping with its name as `type` and the settings that it has. */
export function typeChoice<Shapes extends Readonly<Record<string, z.core.$ZodLooseShape>>>(shapes: Shapes) {
  const names = Object.keys(shapes);
  const error = () => `write one of ${names.join(', ')}, or a mapping with one of them as type`;
  const typeOf = (name: string) => {
    const others = Object.keys(shapes[name] ?? {});
    const unknown = () =>
      `${name} has no such setting; ${others.length === 0 ? 'it needs none' : `there are: ${others.join(', ')}`}`;
    return z.strictObject({ type: z.literal(name), ...shapes[name] }, { error: unknown });
  };
  const [first = '', ...rest] = names;
  const types = z.discriminatedUnion('type', [typeOf(first), ...rest.map(typeOf)], { error });
  const named = z.preprocess(
    (value) => (typeof value === 'string' && names.includes(value) ? { type: value } : value),
    types,
  );
  // By construction; there is no type for a union that is made of a table.
  return named as unknown as z.ZodType<Typed<Shapes>>;
}

/** What a text is read as, or what to write instead. */
export function read<Value extends object>(
  kind: z.ZodType<string>,
  parse: (value: string) => Value | { readonly problem: string },
) {
  return kind.transform((value, context): Value => {
    const parsed = parse(value);
    if (!('problem' in parsed)) return parsed;
    context.addIssue({ code: 'custom', message: parsed.problem });
    return z.NEVER;
  });
}

/** One of these numbers. */
export function oneOf<const Value extends number>(values: readonly Value[]) {
  return z.literal(values, { error: () => `write one of ${values.join(', ')}` });
}

/** A way to write bytes: what to write, and how it is read. */
export interface ByteNotation {
  readonly what: string;
  /** Undefined if it cannot be read. */
  readonly parse: (written: string) => Uint8Array | undefined;
}

/** Bytes, written as text or as a mapping with `hex`. */
export function bytesOf(asText: ByteNotation, asHex: ByteNotation) {
  const read = ({ what, parse }: ByteNotation) =>
    text(what, (written) => parse(written) !== undefined).transform(
      (written): Uint8Array => parse(written) ?? z.NEVER,
    );
  const hex = section({ hex: read(asHex) }).transform((mapping) => mapping.hex);
  return z.union([read(asText), hex], { error: () => `write ${asText.what}` });
}

/** A number, or a section that says more. */
export function numberOrSection<Section extends z.ZodType>(
  number: z.ZodNumber,
  settings: Section,
  what: string,
) {
  return z.union([number, settings], { error: () => `write ${what}` });
}

/** Bytes in hexadecimal digits, pairs of them with spaces between or not. */
export function hexBytes(bytesMax: number) {
  const what = `1 to ${bytesMax} bytes as pairs of hexadecimal digits, such as 'AA C0'`;
  const digits = (value: string): string => value.replaceAll(' ', '');
  return text(
    what,
    (value) => /^(?:[0-9A-Fa-f]{2} *)+$/.test(value) && digits(value).length <= 2 * bytesMax,
  ).transform((value) => Uint8Array.fromHex(digits(value)));
}

/** A text that is legal, or what to write instead. */
export function text(what: string, isLegal: (value: string) => boolean) {
  const error = (issue: { readonly input?: unknown }): string =>
    typeof issue.input === 'number' || typeof issue.input === 'boolean'
      ? `write ${what}, in quotes because YAML takes it for something else`
      : `write ${what}`;
  return z.string({ error }).refine(isLegal, { error });
}

/** The path of a folder. */
export function folder() {
  return text('the path of a folder', (value) => value !== '' && !value.includes('\0'));
}

/** The path of a file. */
export function file() {
  return text('the path of a file', (value) => value !== '' && !value.includes('\0'));
}

/** The name of an environment variable. */
export function variableName() {
  return text('the name of an environment variable, such as KAFKA_PASSWORD', (value) =>
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(value),
  );
}

/** A span of each day, in local time. */
export function hourSpan() {
  const what = "a span of local time such as '22:00-06:00', with hours from 00 to 23, or 24:00 at its end";
  return text(what, (value) => parseSpan(value) !== undefined).transform((value, context): HourSpan => {
    const span = parseSpan(value);
    if (span === undefined) context.addIssue({ code: 'custom', message: `write ${what}` });
    return span ?? z.NEVER;
  });
}

/** The name of a host in a certificate. */
export function hostName() {
  return text('the name of a host, such as kafka.example.com', (value) =>
    /^[a-zA-Z0-9._-]{1,253}$/.test(value),
  );
}

/** Who logs in by SASL. */
export function saslUser() {
  return text('the name of a user', (value) => value !== '' && !value.includes('\0'));
}

/** The name of a gateway, which begins the names of its topics in the central cluster. */
export function gatewayName() {
  const what = `1 to ${limits.gatewayNameLengthMax} letters, digits, ".", "_" or "-"`;
  return text(what, (value) => isLegalTopicName(value) && value.length <= limits.gatewayNameLengthMax);
}

/** The name of a serial port, or of a broker. */
export function portName() {
  const what = `1 to ${limits.serialPortNameLengthMax} letters, digits, ".", "_" or "-"`;
  return text(what, (value) => isLegalTopicName(value) && value.length <= limits.serialPortNameLengthMax);
}

/** Where an MQTT broker is. */
export function brokerUrl() {
  const what =
    'mqtt://host:port, or mqtts://host:port for TLS, without user and password (they are username and passwordFile)';
  return text(what, (value) => parseBrokerUrl(value) !== undefined).transform(
    (value): BrokerUrl => parseBrokerUrl(value) ?? z.NEVER,
  );
}

function parseBrokerUrl(text: string): BrokerUrl | undefined {
  const match = /^(mqtts?):\/\/([^/?#@]+)\/?$/.exec(text);
  if (match === null) return undefined;
  const [, scheme, where = ''] = match;
  const isTls = scheme === 'mqtts';
  // The ports that IANA has given to MQTT without and with TLS.
  const address = parseAddress(where) ?? parseAddress(`${where}:${isTls ? 8883 : 1883}`);
  if (address === undefined || address.port === 0) return undefined;
  return { ...address, isTls, text: `${scheme}://${formatAddress(address)}` };
}

/** A topic filter of MQTT. */
export function sourceFilter() {
  const what = `an MQTT topic of at most ${limits.topicPatternBytesMax} bytes, with + for one level or # at its end for all below`;
  return text(what, isLegalFilter).refine((filter) => !isReserved(`${filter}/`), {
    error: () => 'choose another topic; what is below $SYS and $headwater is no reading',
  });
}

/** A client id of MQTT. */
export function mqttClientId() {
  const what = `1 to ${limits.mqttClientIdBytesMax} characters as an MQTT client id`;
  return text(what, (value) => /^[\x20-\x7e]+$/.test(value) && value.length <= limits.mqttClientIdBytesMax);
}

function topicName() {
  const what = `1 to ${limits.topicNameLengthMax} letters, digits, ".", "_" or "-" as a topic name`;
  return text(what, isLegalTopicName).refine((name) => name !== checkpointTopicName, {
    error: () => 'choose another topic name; Headwater keeps this one for itself',
  });
}

/** A topic name, or `*` for all topics. */
export function topicChoice() {
  const what =
    'a topic name, in which * stands for any characters (in quotes), or one with ! before it to leave it out';
  return text(what, (pattern) => {
    const name = pattern.replace(/^!/, '');
    return isLegalTopicName(name.replaceAll('*', 'x')) && name !== checkpointTopicName;
  });
}

/** What a topic is called in the cluster. */
export function topicTemplate() {
  const what =
    "a name with {topic} in it once, and perhaps {gateway} and {site}, in quotes, such as '{site}.{gateway}.{topic}'";
  return text(what, (template) => {
    const words = template.match(/\{[^}]*\}/g) ?? [];
    const isKnown = words.every((word) => templateWords.some((known) => known === word));
    const isOnce = words.filter((word) => word === '{topic}').length === 1;
    return isKnown && isOnce && isLegalTopicName(template.replaceAll(/\{[^}]*\}/g, 'x'));
  });
}

function address(what: string, refusal: (address: Address) => string | undefined) {
  return text(what, (value) => parseAddress(value) !== undefined).transform((value, context): Address => {
    const parsed = parseAddress(value);
    const message = parsed === undefined ? undefined : refusal(parsed);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
    return parsed ?? z.NEVER;
  });
}

/** Where to listen. */
export function listenAddress(example: string) {
  return address(`host:port, such as ${example} (port 0: any free one)`, () => undefined);
}

/** The same, or nowhere. */
export function listenAddressOrOff(example: string) {
  const what = `host:port, such as ${example} (port 0: any free one), or off`;
  const isLegal = (value: string): boolean => value === 'off' || parseAddress(value) !== undefined;
  return text(what, isLegal).transform((value): Address | 'off' =>
    value === 'off' ? value : (parseAddress(value) ?? z.NEVER),
  );
}

/** Where a broker of the central cluster answers. */
export function brokerAddress() {
  return address('host:port, such as kafka1:9092', ({ port }) =>
    port === 0 ? 'write the port of the broker, such as 9092' : undefined,
  );
}

/** Where a device answers. */
export function deviceAddress(example: string) {
  return address(`host:port, such as ${example}`, ({ port }) =>
    port === 0 ? 'write the port of the device, such as 502' : undefined,
  );
}

/** The paths of the settings of a kind; `*` stands for a name that the user chooses, and for each item of a list. */
export function pathsBelow(schema: z.core.$ZodType, path: SettingPath): readonly SettingPath[] {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return pathsBelow(schema.def.innerType, path);
  if (schema instanceof z.ZodUnion) {
    const inner = schema.def.options.flatMap((option) => pathsBelow(option, path));
    return inner.some(({ length }) => length > path.length)
      ? inner.filter(({ length }) => length > path.length)
      : [path];
  }
  if (schema instanceof z.ZodArray) {
    const inner = pathsBelow(schema.def.element, [...path, '*']);
    return inner.some(({ length }) => length > path.length + 1) ? inner : [path];
  }
  if (schema instanceof z.ZodPipe && schema.def.in instanceof z.ZodTransform)
    return pathsBelow(schema.def.out, path);
  if (schema instanceof z.ZodPipe) return pathsBelow(schema.def.in, path);
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.def.shape).flatMap(([name, inner]) => pathsBelow(inner, [...path, name]));
  }
  if (schema instanceof z.ZodRecord) return pathsBelow(schema.def.valueType, [...path, '*']);
  return [path];
}
