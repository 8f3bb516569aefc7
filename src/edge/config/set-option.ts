import { readYaml, type SettingPath } from './yaml-tree.ts';

/** One `--set a.b=VALUE` of the command line. */
export interface SetOption {
  /** As the user wrote it up to the `=`, to name it in messages. */
  readonly label: string;
  readonly path: SettingPath;
  readonly value: unknown;
  /** What is wrong with the option itself. */
  readonly problems: readonly string[];
}

/** Reads `a.b=VALUE`. A name with dots in it is quoted: `topics."a.b".partitions=2`. Never throws. */
export function parseSetOption(text: string): SetOption {
  const match = /^((?:"[^"]+"|[^."=]+)(?:\.(?:"[^"]+"|[^."=]+))*)=([\s\S]*)$/.exec(text);
  if (match === null) {
    const problem = 'write SETTING=VALUE, such as mqtt.listen=127.0.0.1:0';
    return { label: `--set ${nameIn(text)}`, path: [], value: undefined, problems: [problem] };
  }
  const [, name = '', value = ''] = match;
  const path = [...name.matchAll(/"([^"]+)"|[^."]+/g)].map(([plain, quoted]) => quoted ?? plain);
  const tree = readYaml(value);
  return {
    label: `--set ${name}`,
    path,
    value: tree.value,
    problems: tree.problems.map(({ message }) => message),
  };
}

/** What may be meant as the name of a setting. What follows may be a secret, so that it is not quoted. */
function nameIn(text: string): string {
  const [name = ''] = /^[\w."-]{0,60}/.exec(text) ?? [];
  return name.length === text.length ? name : `${name}…`;
}

/**
 * The tree with the option's value in its place; the tree itself is changed. Undefined if there is no such place,
 * because the option goes into something that is not a mapping.
 */
export function applySetOption(tree: unknown, { path, value }: SetOption): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (name === '__proto__') return undefined;
  const mapping: unknown = tree ?? Object.create(null);
  if (typeof mapping !== 'object' || Array.isArray(mapping)) return undefined;
  const names = mapping as Record<string, unknown>;
  const inner = applySetOption(names[name], { label: '', path: rest, value, problems: [] });
  if (inner === undefined) return undefined;
  names[name] = inner;
  return names;
}
