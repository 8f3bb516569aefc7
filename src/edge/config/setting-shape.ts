import type { SettingPath } from './yaml-tree.ts';

/** A piece of JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What the text of a setting stands for, where it matters to who shows it. */
export type Notation = 'path' | 'secret-file' | 'secret-variable';

/**
 * What the settings are, and how each is written: all that can be known without values. Whatever lists, shows or describes
 * settings reads it, so that there is one source of them.
 */
export type Shape = {
  /** Whether it may be left out. */
  readonly isOptional: boolean;
  /** What counts then, as people would write it; undefined if nothing does. */
  readonly byDefault?: unknown;
  /** Whether a section that is left out is off, rather than one with all defaults. */
  readonly isOff?: boolean;
} & Form;

type Form =
  /** One value, or a list of values. */
  | { readonly form: 'value'; readonly schema: JsonSchema; readonly notation: Notation | null }
  | { readonly form: 'section'; readonly settings: ReadonlyMap<string, Shape> }
  | { readonly form: 'list'; readonly item: Shape; readonly bounds: JsonSchema }
  /** A section for each name that the user chooses. */
  | { readonly form: 'table'; readonly name: JsonSchema; readonly item: Shape }
  /** One of several types: a section with `type`, or the name of the type alone. */
  | { readonly form: 'types'; readonly types: ReadonlyMap<string, Shape> }
  /** A mapping comes last. */
  | { readonly form: 'either'; readonly options: readonly Shape[] };

/** The paths of all settings; `*` stands for a name that the user chooses, and for each item of a list. */
export function pathsOf(shape: Shape, path: SettingPath = []): readonly SettingPath[] {
  switch (shape.form) {
    case 'value':
      return [path];
    case 'section':
      return [...shape.settings].flatMap(([name, inner]) => pathsOf(inner, [...path, name]));
    case 'list':
      return deeper(pathsOf(shape.item, [...path, '*']), path.length + 1, path);
    case 'table':
      return pathsOf(shape.item, [...path, '*']);
    case 'types': {
      const settings = [...shape.types.values()].flatMap((type) => pathsOf(type, path));
      return [[...path, 'type'], ...settings];
    }
    case 'either':
      return deeper(
        shape.options.flatMap((option) => pathsOf(option, path)),
        path.length,
        path,
      );
  }
}

/** Those that go below; if none does, the setting itself. */
function deeper(paths: readonly SettingPath[], length: number, itself: SettingPath): readonly SettingPath[] {
  const below = paths.filter((path) => path.length > length);
  return below.length > 0 ? below : [itself];
}
