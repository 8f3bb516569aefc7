import * as z from 'zod';
import { limits } from '../../core/limits.ts';
import { nearMatches } from './near-match.ts';
import {
  durationPattern,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  sizePattern,
} from './quantities.ts';
import type { JsonSchema, Notation, Shape } from './setting-shape.ts';

/** How a setting is read. */
export type SettingKind<Value> = z.ZodType<Value>;

/** What is wrong with a setting. */
export type SettingIssue = z.core.$ZodIssue;

/** Takes what is wrong with settings together. */
export type CheckContext = z.core.$RefinementCtx;

/** How a kind of setting is written, for whoever shows or describes it; only where that cannot be seen in the kind itself. */
interface KindNote {
  readonly schema: JsonSchema;
  readonly notation?: Notation;
  /** A default as people would write it. */
  readonly written?: (value: unknown) => unknown;
}

const notes = z.registry<KindNote>();

function noted<Kind extends z.ZodType>(kind: Kind, note: KindNote): Kind {
  notes.add(kind, note);
  return kind;
}

/** What a message is about: what was written, if anything was. */
interface Wrong {
  readonly input?: unknown;
}

/** A question for who has mistyped one of the names. */
function guess(input: unknown, names: readonly string[]): string {
  const near = typeof input === 'string' ? nearMatches(input, names) : [];
  return near.length === 0 ? '' : `did you mean ${near.join(' or ')}? Otherwise `;
}

/** The type that a mapping names, or what was written instead of one. */
const nameIn = (input: unknown): unknown =>
  typeof input === 'object' && input !== null && 'type' in input ? input.type : input;

// Each kind of setting says in one sentence what to write, whatever was wrong.

/** A mapping with these settings and no others. One without a line in it is empty; `orElse` says what that means. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape, orElse?: string) {
  const error = () =>
    `write a mapping of settings here: ${Object.keys(shape).join(', ')}${orElse === undefined ? '' : `; ${orElse}`}`;
  // A section whose lines are all commented out is null in YAML.
  return z.preprocess((value) => value ?? {}, z.strictObject(shape, { error }));
}

/** A mapping of topic names to a section each, with as many partitions in all as a gateway may have. */
export function topicTable<Shape extends z.core.$ZodLooseShape>(
  name: z.ZodType<string, string>,
  shape: Shape,
) {
  const error = () => 'write a mapping of topic names, such as temperature: { partitions: 2 }';
  // The names are checked beside the sections: the library looks at no section whose name it refuses.
  const anyName = noted(z.string(), noteOf(name) ?? { schema: {} });
  const table = z
    .record(anyName, section(shape), { error })
    .superRefine((topics, context) => checkNames(topics, name, context), {
      when: ({ value }) => typeof value === 'object' && !Array.isArray(value),
    });
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

function checkNames(table: object, name: z.ZodType<string, string>, context: CheckContext): void {
  for (const key of Object.keys(table)) {
    const { error } = name.safeParse(key);
    if (error !== undefined)
      context.addIssue({
        code: 'invalid_key',
        origin: 'record',
        issues: error.issues,
        path: [key],
        input: key,
      });
  }
}

/** A list of at most `itemsMax` items. */
export function list<Item extends z.ZodType>(item: Item, what: string, itemsMax: number) {
  const error = () => `write a list of at most ${itemsMax} ${what}`;
  return z.array(item, { error }).max(itemsMax, { error });
}

/** A whole number, of a unit if it has one; both ends included. */
export function wholeNumber(min: number, max: number, unit?: string) {
  const error = ({ input }: Wrong): string =>
    `write a whole number${unit === undefined ? '' : ` of ${unit}`} from ${min} to ${max}` +
    (typeof input === 'string' && /^\d/.test(input) ? ' and nothing else: no unit, no quotes' : '');
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

/** `, such as 1GiB or 64MiB`; nothing if there is no example. */
function suchAs(examples: readonly string[]): string {
  if (examples.length < 2) return examples.map((example) => `, such as ${example}`).join('');
  return `, such as ${examples.slice(0, -1).join(', ')} or ${examples.at(-1)}`;
}

/** What is legal of examples. */
const within = (
  examples: readonly string[],
  parse: (text: string) => number | undefined,
  min: number,
  max: number,
): readonly string[] =>
  examples.filter((example) => {
    const value = parse(example);
    return value !== undefined && value >= min && value <= max;
  });

/** The first three that are legal are shown. */
const sizeExamples = ['1GiB', '64MiB', '500kB', '32GB', '10TB', '4KiB', '500B'];
/** One of each unit. */
const durationExamples = ['30d', '12h', '15m', '30s', '250ms'];

/** A size, read as bytes; both ends included. */
export function size(bytesMin: number, bytesMax: number) {
  const examples = within(sizeExamples, parseSize, bytesMin, bytesMax).slice(0, 3);
  const what = `a size from ${formatSize(bytesMin)} to ${formatSize(bytesMax)}${suchAs(examples)}, or a number of bytes`;
  const error = () => `write ${what}`;
  const bytes = z.int({ error }).min(bytesMin, { error }).max(bytesMax, { error });
  const kind = z.preprocess(
    (value) => (typeof value === 'string' ? (parseSize(value) ?? value) : value),
    bytes,
  );
  const anyOf = [
    { type: 'integer', minimum: bytesMin, maximum: bytesMax },
    { type: 'string', pattern: sizePattern },
  ];
  return noted(kind, { schema: { description: what, anyOf }, written: (value) => formatSize(Number(value)) });
}

/** A duration, read as milliseconds; both ends included. It needs a unit, so that nobody has to guess it. */
export function duration(msMin: number, msMax: number) {
  const examples = within(durationExamples, parseDuration, msMin, msMax);
  const what = `a duration from ${formatDuration(msMin)} to ${formatDuration(msMax)}${suchAs(examples)}`;
  const error = ({ input }: Wrong): string =>
    `write ${typeof input === 'string' && /^\d+$/.test(input) ? 'the unit as well: ' : ''}${what}`;
  const ms = z.int({ error }).min(msMin, { error }).max(msMax, { error });
  const kind = z.preprocess(
    (value) => (typeof value === 'string' ? (parseDuration(value) ?? value) : String(value)),
    ms,
  );
  const schema = { description: what, type: 'string', pattern: durationPattern };
  return noted(kind, { schema, written: (value) => formatDuration(Number(value)) });
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
  return z.enum(names, { error: ({ input }) => `${guess(input, names)}write one of ${names.join(', ')}` });
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
  const error = ({ input }: Wrong): string =>
    `${guess(nameIn(input), names)}write one of ${names.join(', ')}, or a mapping with one of them as type`;
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
export function read<Value extends object | string>(
  kind: z.ZodType<string>,
  parse: (value: string) => Value | { readonly problem: string },
) {
  return kind.transform((value, context): Exclude<Value, { readonly problem: string }> => {
    const parsed = parse(value);
    if (typeof parsed !== 'object' || !('problem' in parsed))
      return parsed as Exclude<Value, { readonly problem: string }>;
    context.addIssue({ code: 'custom', message: String(parsed.problem) });
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
  const pairs = /^(?:[0-9A-Fa-f]{2} *)+$/;
  return text(what, (value) => pairs.test(value) && digits(value).length <= 2 * bytesMax, pairs).transform(
    (value) => Uint8Array.fromHex(digits(value)),
  );
}

/**
 * A text that is legal, or what to write instead. `pattern` is what an editor can see of that: all that is legal matches it, and
 * as little else as can be.
 */
export function text(what: string, isLegal: RegExp | ((value: string) => boolean), pattern?: RegExp) {
  const test = isLegal instanceof RegExp ? (value: string) => isLegal.test(value) : isLegal;
  // Quotes are no advice where what is written would be wrong in them as well.
  const error = ({ input }: Wrong): string =>
    (typeof input === 'number' || typeof input === 'boolean') && test(String(input))
      ? `write ${what}, in quotes because YAML takes it for something else`
      : `write ${what}`;
  const seen = isLegal instanceof RegExp ? isLegal : (pattern ?? /[\s\S]/);
  const schema = { description: what, type: 'string', pattern: seen.source };
  return noted(z.string({ error }).refine(test, { error }), { schema });
}

const noZeros = (value: string): boolean => value !== '' && !value.includes('\0');

/** The path of a folder. */
export function folder() {
  return path('the path of a folder', 'path');
}

/** The path of a file. */
export function file() {
  return path('the path of a file', 'path');
}

/** The path of a file that holds a secret. */
export function secretFile() {
  return path('the path of a file', 'secret-file');
}

function path(what: string, notation: Notation) {
  const kind = text(what, noZeros);
  return noted(kind, { schema: { description: what, type: 'string', minLength: 1 }, notation });
}

/** The name of an environment variable that holds a secret. */
export function secretVariable() {
  const what = 'the name of an environment variable, such as KAFKA_PASSWORD';
  const name = /^[A-Za-z_][A-Za-z0-9_]*$/;
  const schema = { description: what, type: 'string', pattern: name.source };
  return noted(text(what, name), { schema, notation: 'secret-variable' });
}

/** What a kind of settings is made of. */
export function shapeOf(kind: z.core.$ZodType): Shape {
  if (kind instanceof z.ZodOptional) return { ...shapeOf(kind.def.innerType), isOptional: true, isOff: true };
  if (kind instanceof z.ZodDefault || kind instanceof z.ZodPrefault) {
    const { innerType, defaultValue } = kind.def;
    const written = kind instanceof z.ZodDefault ? noteOf(innerType)?.written : undefined;
    return { ...shapeOf(innerType), isOptional: true, byDefault: written?.(defaultValue) ?? defaultValue };
  }
  const note = noteOf(kind);
  if (note !== undefined) return valueShape(note.schema, note.notation);
  if (kind instanceof z.ZodPipe)
    return kind.def.in instanceof z.ZodTransform ? preprocessed(shapeOf(kind.def.out)) : shapeOf(kind.def.in);
  if (kind instanceof z.ZodDiscriminatedUnion) return typesShape(kind.def.options);
  if (kind instanceof z.ZodUnion) {
    const options = kind.def.options.map(shapeOf);
    const schemas = options.flatMap((option) => (option.form === 'value' ? [option.schema] : []));
    if (schemas.length === options.length) return valueShape({ anyOf: schemas });
    return { form: 'either', isOptional: false, options };
  }
  if (kind instanceof z.ZodArray) return listShape(kind);
  if (kind instanceof z.ZodObject) return sectionShape(kind.def.shape, false);
  if (kind instanceof z.ZodRecord) {
    const { keyType, valueType } = kind.def;
    const name = noteOf(keyType)?.schema ?? {};
    return { form: 'table', isOptional: true, name, item: shapeOf(valueType) };
  }
  return valueShape(schemaOf(kind));
}

const noteOf = (kind: z.core.$ZodType): KindNote | undefined => notes.get(kind) as KindNote | undefined;

const valueShape = (schema: JsonSchema, notation: Notation | null = null): Shape => ({
  form: 'value',
  isOptional: false,
  schema,
  notation,
});

function sectionShape(members: Readonly<Record<string, z.core.$ZodType>>, isOptional: boolean): Shape {
  const settings = new Map(Object.entries(members).map(([name, inner]) => [name, shapeOf(inner)]));
  return { form: 'section', isOptional, settings };
}

/** What is read as empty where nothing is written, if that is enough. */
function preprocessed(shape: Shape): Shape {
  if (shape.form !== 'section') return shape;
  return { ...shape, isOptional: [...shape.settings.values()].every(({ isOptional }) => isOptional) };
}

function typesShape(options: readonly z.core.$ZodType[]): Shape {
  const types = options.flatMap((option): [string, Shape][] => {
    if (!(option instanceof z.ZodObject)) return [];
    const { type, ...members } = option.def.shape;
    return type instanceof z.ZodLiteral ? [[String(type.value), sectionShape(members, false)]] : [];
  });
  return { form: 'types', isOptional: false, types: new Map(types) };
}

function listShape(kind: z.ZodArray): Shape {
  const item = shapeOf(kind.def.element);
  const { items: _items, ...bounds } = schemaOf(kind);
  if (item.form === 'value') return valueShape({ ...bounds, items: item.schema });
  return { form: 'list', isOptional: false, item, bounds };
}

/** What the library makes of it; bounds of whole numbers that mean none are left out. */
function schemaOf(kind: z.core.$ZodType): JsonSchema {
  const { $schema: _version, ...schema } = z.toJSONSchema(kind, { io: 'input', unrepresentable: 'any' });
  return schema;
}
