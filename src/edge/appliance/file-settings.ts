import type { SettingProblem } from '../config/setting-problems.ts';
import type { Notation, Shape } from '../config/setting-shape.ts';
import type { SettingPath } from '../config/yaml-tree.ts';
import { KEPT } from './appliance-section.ts';
import { isMapping, type Mapping, mapping, TAKEN_BACK } from './settings-tree.ts';

/*
 * Settings that name a file, `passwordFile` for one. The boot file may name one that lies beside it, or hold its text itself, as
 * `password`. The device keeps the text of either in a file of its own.
 */

/** A text that the boot file gives, or says that the device has. */
export interface GivenFile {
  /** Without `File`: `forwarder.sasl.password`. */
  readonly path: SettingPath;
  /** What the device calls its file, whatever the place of an item in its list is. */
  readonly name: string;
  readonly isSecret: boolean;
  readonly given:
    | { readonly as: 'text'; readonly text: string }
    | { readonly as: 'file'; readonly fileName: string }
    | { readonly as: 'kept' };
}

export interface WithoutFiles {
  /** The tree with {@link KEPT} for each text. */
  readonly tree: unknown;
  readonly files: readonly GivenFile[];
  /** The names of those that cannot be used, for which there is a problem. */
  readonly refused: readonly string[];
  readonly problems: readonly SettingProblem[];
}

/** Takes the texts out of a tree of settings, whatever else is wrong with it. Pure. */
export function withoutFiles(tree: unknown, shape: Shape): WithoutFiles {
  const files: GivenFile[] = [];
  const refused: string[] = [];
  const problems: SettingProblem[] = [];
  const taken = mapped(tree, shape, ({ at, settings, names, path }) => {
    for (const [fileSetting, notation] of fileSettings(settings)) {
      const name = fileSetting.slice(0, -'File'.length);
      const fileName = [...names, name].join('.');
      const given = givenFile(at, name, [...path, name]);
      delete at[fileSetting];
      if (given === null) continue;
      if (given === TAKEN_BACK) {
        at[name] = TAKEN_BACK;
        continue;
      }
      // Also for one that is refused: what is wrong is told once.
      at[name] = KEPT;
      const isSecret = notation === 'secret-file' || name === 'key';
      if ('problem' in given) {
        refused.push(fileName);
        problems.push(given.problem);
      } else files.push({ path: [...path, name], name: fileName, isSecret, given });
    }
    for (const variable of settings.keys()) {
      if (!variable.endsWith('Env') || at[variable] === undefined) continue;
      const name = variable.slice(0, -'Env'.length);
      problems.push({
        path: [...path, variable],
        message: `write it as ${name}: nobody sets variables here`,
      });
      delete at[variable];
      at[name] = KEPT;
      refused.push([...names, name].join('.'));
    }
  });
  return { tree: taken, files, refused, problems };
}

/** The tree as the gateway reads it: for each text the path of the file that holds it. */
export function withFilePaths(tree: unknown, shape: Shape, pathOf: (name: string) => string): unknown {
  return mapped(tree, shape, ({ at, settings, names }) => {
    for (const [fileSetting] of fileSettings(settings)) {
      const name = fileSetting.slice(0, -'File'.length);
      if (at[name] !== KEPT) continue;
      delete at[name];
      at[fileSetting] = pathOf([...names, name].join('.'));
    }
  });
}

/** The names of the files that a tree needs: those of texts that it says to be kept. */
export function neededFiles(tree: unknown, shape: Shape): readonly { name: string; path: SettingPath }[] {
  const needed: { name: string; path: SettingPath }[] = [];
  mapped(tree, shape, ({ at, settings, names, path }) => {
    for (const [fileSetting] of fileSettings(settings)) {
      const name = fileSetting.slice(0, -'File'.length);
      if (at[name] === KEPT) needed.push({ name: [...names, name].join('.'), path: [...path, name] });
    }
  });
  return needed;
}

type Settings = Extract<Shape, { readonly form: 'section' }>['settings'];

interface Section {
  /** A copy, to be changed. */
  readonly at: Mapping;
  readonly settings: Settings;
  readonly path: SettingPath;
  /** The path with the names of items instead of their places in the list. */
  readonly names: readonly string[];
}

/** A copy of the tree, with every section shown to `visit`. */
function mapped(
  value: unknown,
  shape: Shape,
  visit: (section: Section) => void,
  path: SettingPath = [],
  names: readonly string[] = [],
): unknown {
  const inside = (inner: unknown, of: Shape | undefined, name: string, called = name): unknown =>
    of === undefined ? inner : mapped(inner, of, visit, [...path, name], [...names, called]);
  if (shape.form === 'list' && Array.isArray(value))
    return value.map((item, index) => inside(item, shape.item, String(index), itemName(item, index)));
  if (!isMapping(value) || (shape.form !== 'section' && shape.form !== 'table')) return value;
  const at = mapping();
  for (const [name, inner] of Object.entries(value))
    at[name] = inside(inner, shape.form === 'section' ? shape.settings.get(name) : shape.item, name);
  if (shape.form === 'section') visit({ at, settings: shape.settings, path, names });
  return at;
}

const itemName = (item: unknown, index: number): string =>
  isMapping(item) && typeof item['name'] === 'string' && /^[\w.-]+$/.test(item['name'])
    ? item['name']
    : String(index);

const fileSettings = (settings: Settings): readonly [string, Notation][] =>
  [...settings].flatMap(([name, shape]): [string, Notation][] =>
    name.endsWith('File') && shape.form === 'value' && shape.notation !== null
      ? [[name, shape.notation]]
      : [],
  );

function givenFile(
  at: Mapping,
  name: string,
  path: SettingPath,
): GivenFile['given'] | { readonly problem: SettingProblem } | typeof TAKEN_BACK | null {
  const [text, fileName] = [at[name], at[`${name}File`]];
  const refuse = (message: string, setting = path) => ({ problem: { path: setting, message } });
  const filePath = [...path.slice(0, -1), `${name}File`];
  if (text === undefined && fileName === undefined) return null;
  if (text !== undefined && fileName !== undefined) return refuse(`write ${name} or ${name}File, not both`);
  if (text === TAKEN_BACK || fileName === TAKEN_BACK) return TAKEN_BACK;
  if (fileName !== undefined) {
    const isName = typeof fileName === 'string' && /^[^./\\:\p{Cc}][^/\\:\p{Cc}]*$/u.test(fileName);
    return isName
      ? { as: 'file', fileName }
      : refuse(`write the name of a file that lies beside headwater.yaml, or its text as ${name}`, filePath);
  }
  if (text === KEPT) return { as: 'kept' };
  if (typeof text === 'string' && text !== '') return { as: 'text', text };
  const isMisread = typeof text === 'number' || typeof text === 'boolean';
  return refuse(
    isMisread
      ? `write the ${name} itself, in quotes because YAML takes it for something else`
      : `write the ${name} itself, or as ${name}File the name of a file that lies beside headwater.yaml`,
  );
}
