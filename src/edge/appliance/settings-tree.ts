import type { SettingPath } from '../config/yaml-tree.ts';

/** A mapping of settings, without a prototype, so that no name is special. */
export type Mapping = Record<string, unknown>;

/** Written instead of a value or a section, it takes back what earlier files said of it. */
export const TAKEN_BACK = 'default';

/** Whether it is a mapping, neither a list nor a value. */
export const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An empty mapping. */
export const mapping = (): Mapping => Object.create(null) as Mapping;

/**
 * What counts when `over` is written over `base`: mappings are merged setting by setting; of all else, lists as well, what is
 * written last counts as a whole. A section with nothing in it changes nothing, and the word `default` takes a setting or a
 * section back. Pure.
 */
export function mergedSettings(base: unknown, over: unknown): unknown {
  if (over === undefined || (over === null && isMapping(base))) return copied(base);
  if (!isMapping(over)) return copied(over);
  const merged = mapping();
  for (const [name, value] of Object.entries(isMapping(base) ? base : {})) merged[name] = copied(value);
  for (const [name, value] of Object.entries(over)) {
    if (value === TAKEN_BACK) delete merged[name];
    else merged[name] = mergedSettings(merged[name], value);
  }
  return merged;
}

function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied);
  if (!isMapping(value)) return value;
  const copy = mapping();
  for (const [name, inner] of Object.entries(value)) copy[name] = copied(inner);
  return copy;
}

/** The tree with the value at the path; what is not there is made. The tree itself is changed. */
export function putSetting(tree: Mapping, path: SettingPath, value: unknown): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) {
    tree[name] = value;
    return;
  }
  const inner = tree[name];
  const next = isMapping(inner) ? inner : mapping();
  tree[name] = next;
  putSetting(next, rest, value);
}

/** The names of all values in the tree, lists as one: `mqtt.listen`. */
export function settingNames(tree: unknown, path: SettingPath = []): readonly string[] {
  if (!isMapping(tree)) return tree === undefined ? [] : [path.join('.')];
  return Object.entries(tree).flatMap(([name, value]) => settingNames(value, [...path, name]));
}
