import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, stringify } from 'yaml';
import { limits } from '../../core/limits.ts';

export type SettingPath = readonly string[];

/** Both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface YamlProblem {
  readonly position: Position;
  readonly message: string;
}

/** A YAML text as plain values, which remembers where each of them stands. */
export interface YamlTree {
  /**
   * Mappings are objects without a prototype, so that no name is special; an empty text is null. Null as well if
   * the text is broken: what a parser makes of the rest would only be a riddle.
   */
  readonly value: unknown;
  /** The same, of a broken text what the parser makes of it: for hints, never to be taken for what was meant. */
  readonly remains: unknown;
  readonly problems: readonly YamlProblem[];
  /** Where the name of a setting (or an element of a list) stands, if the text has it. */
  positionOf(path: SettingPath): Position | undefined;
  /** Where a setting stands in the text, if the text has it. */
  rangeOf(path: SettingPath): SettingRange | undefined;
}

/** Offsets of a setting in its text: of its name (of an element of a list: its value), of its value, and behind that. */
export interface SettingRange {
  readonly name: number;
  readonly value: number;
  readonly end: number;
}

/** Plain values as YAML, which reads back as the same. */
export const yamlText = (value: unknown): string =>
  stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

/** Reads YAML 1.2. Never throws: whatever is wrong with the text is in `problems`. */
export function readYaml(text: string): YamlTree {
  const tree = treeOf(text);
  if (!tree.isBroken || !tree.hasTabs) return tree;
  // With spaces instead of its tabs it may be readable, so that what else is wrong with it can be told as well.
  const mended = treeOf(text.replaceAll(tabbed, (indent) => indent.replaceAll('\t', '  ')));
  // If it is not, what a parser stumbles over behind a tab says nothing of what is wrong there.
  const further = mended.isBroken ? [] : mended.problems;
  return { ...mended, problems: [tabProblem(text), ...further] };
}

/** An indent with a tab in it. */
const tabbed = /^[ \t]*\t[ \t]*/gm;

function tabProblem(text: string): YamlProblem {
  const lines = text.split('\n').flatMap((line, index) => (/^[ \t]*\t/.test(line) ? [index + 1] : []));
  const [first = 1, ...others] = lines;
  const further =
    others.length === 0 ? '' : `, also in ${others.length === 1 ? 'line' : 'lines'} ${shown(others)}`;
  return { position: { line: first, column: 1 }, message: `${noTabs}${further}` };
}

const TAB_LINES_SHOWN = 5;

const shown = (lines: readonly number[]): string =>
  [...lines.slice(0, TAB_LINES_SHOWN), ...(lines.length > TAB_LINES_SHOWN ? ['…'] : [])].join(', ');

const noTabs = 'YAML does not indent with tabs; use spaces';

interface ReadTree extends YamlTree {
  readonly isBroken: boolean;
  readonly hasTabs: boolean;
}

function treeOf(text: string): ReadTree {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema: 'core',
    merge: false,
    uniqueKeys: true,
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problems: YamlProblem[] = [...document.errors, ...document.warnings].map((error) => ({
    position: at(error.pos[0]),
    message: explanation(error.code, error.message),
  }));
  const builder = new TreeBuilder(at);
  const isBroken = document.errors.some(({ code }) => code !== 'DUPLICATE_KEY');
  const value = isBroken ? null : (builder.build(document.contents, []) ?? null);
  return {
    value,
    remains: isBroken ? (new TreeBuilder(at).build(document.contents, []) ?? null) : value,
    problems: [...problems, ...builder.problems],
    isBroken,
    hasTabs: document.errors.some(({ code }) => code === 'TAB_AS_INDENT'),
    positionOf: (path) => builder.positions.get(keyOf(path)),
    rangeOf: (path) => builder.ranges.get(keyOf(path)),
  };
}

function explanation(code: string, message: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'this name is given a second time; keep one of the two';
    case 'MULTIPLE_DOCS':
      return 'a second document begins here; remove the line "---"';
    case 'TAB_AS_INDENT':
      return noTabs;
    case 'RESOURCE_EXHAUSTION':
      return nestedTooDeeply;
    case 'TAG_RESOLVE_FAILED':
      return 'tags (!name) are not supported; write the plain value';
    default:
      return `not readable as YAML: ${withoutSource(message)}`;
  }
}

/** Without what the library quotes of the text, which may be a secret. */
const withoutSource = (message: string): string =>
  message.replace(/(?:: [|>"]|(?<=^Unknown directive) )[\s\S]*$/, '');

const nestedTooDeeply = `nested too deeply; at most ${limits.configNestingMax} levels are read`;

const keyOf = (path: SettingPath): string => JSON.stringify(path);

/** Turns nodes into plain values. Its recursion is bounded by `configNestingMax`. */
class TreeBuilder {
  readonly problems: YamlProblem[] = [];
  readonly positions = new Map<string, Position>();
  readonly ranges = new Map<string, SettingRange>();
  readonly #at: (offset: number) => Position;

  constructor(at: (offset: number) => Position) {
    this.#at = at;
  }

  build(node: unknown, path: SettingPath): unknown {
    if (node === null || node === undefined) return null;
    if (isScalar(node)) return node.value;
    if (path.length >= limits.configNestingMax) return this.#refuse(node, nestedTooDeeply);
    if (isMap(node)) return this.#mapping(node.items, path);
    if (isSeq(node)) return this.#list(node.items, path);
    // An alias could stand for any amount of data ("billion laughs"), and no setting needs one.
    if (isAlias(node)) return this.#refuse(node, 'aliases (*name) are not supported; write the value out');
    return this.#refuse(node, 'write a plain value, a list or a mapping');
  }

  #list(items: readonly unknown[], path: SettingPath): readonly unknown[] {
    const list: unknown[] = [];
    for (const item of items) {
      const itemPath = [...path, String(list.length)];
      this.#note(itemPath, item, item);
      const value = this.build(item, itemPath);
      if (value !== undefined) list.push(value);
    }
    return list;
  }

  #mapping(items: readonly { key: unknown; value: unknown }[], path: SettingPath): object {
    const object: Record<string, unknown> = Object.create(null);
    for (const { key, value } of items) {
      const name = isScalar(key) ? (key.source ?? String(key.value ?? '')) : '';
      if (name === '' || name === '__proto__') {
        this.#refuse(key, 'this cannot be the name of a setting');
        continue;
      }
      const itemPath = [...path, name];
      this.#note(itemPath, key, value);
      const built = this.build(value, itemPath);
      if (built !== undefined) object[name] = built;
    }
    return object;
  }

  /** What is refused is left out, so that it is reported once. */
  #refuse(node: unknown, message: string): undefined {
    this.problems.push({ position: this.#positionOf(node), message });
    return undefined;
  }

  #note(path: SettingPath, name: unknown, value: unknown): void {
    this.positions.set(keyOf(path), this.#positionOf(name));
    const [start, end] = rangeOf(value) ?? [];
    if (start === undefined || end === undefined) return;
    this.ranges.set(keyOf(path), { name: rangeOf(name)?.[0] ?? start, value: start, end });
  }

  #positionOf(node: unknown): Position {
    return this.#at(rangeOf(node)?.[0] ?? 0);
  }
}

const rangeOf = (node: unknown): readonly number[] | null | undefined =>
  (node as { range?: readonly number[] | null } | null)?.range;
