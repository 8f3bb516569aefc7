import { resolve } from 'node:path';
import type { Notation, Shape } from './setting-shape.ts';
import type { SettingPath } from './yaml-tree.ts';

/** A setting that is in force, as people write it. */
export interface SettingInForce {
  readonly path: SettingPath;
  /** Undefined if nothing is written and there is no default. */
  readonly value: unknown;
  readonly isDefault: boolean;
  readonly notation: Notation | null;
}

/**
 * Every setting with what counts for it, in the order of their sections: what is written in the tree, or its default.
 * @param tree settings that have passed all checks
 * @param workingDirectory where relative paths start
 */
export function settingsInForce(
  shape: Shape,
  tree: unknown,
  workingDirectory: string,
): readonly SettingInForce[] {
  return rowsOf(shape, { value: tree, path: [], isDefault: false }).map((row) =>
    row.notation === 'path' && typeof row.value === 'string'
      ? { ...row, value: resolve(workingDirectory, row.value) }
      : row,
  );
}

interface Written {
  readonly value: unknown;
  readonly path: SettingPath;
  /** Whether it, or what it is part of, is not written. */
  readonly isDefault: boolean;
}

function rowsOf(shape: Shape, written: Written): readonly SettingInForce[] {
  const { path, value } = written;
  if (value === undefined && shape.byDefault !== undefined)
    return rowsOf({ ...shape, byDefault: undefined }, { path, value: shape.byDefault, isDefault: true });
  if (value === undefined && (shape.isOff === true || shape.form === 'value' || shape.form === 'either'))
    return [row(written, null)];
  switch (shape.form) {
    case 'value':
      return [row(written, shape.notation)];
    case 'section':
      return [...shape.settings].flatMap(([name, inner]) => rowsOf(inner, member(written, name)));
    case 'list': {
      const items = Array.isArray(value) ? value : [];
      if (items.length === 0) return [row({ ...written, value: items }, null)];
      return items.flatMap((_, index) => rowsOf(shape.item, member(written, String(index))));
    }
    case 'table':
      return Object.keys(value ?? {}).flatMap((name) => rowsOf(shape.item, member(written, name)));
    case 'types':
      return typeRows(shape.types, written);
    case 'either': {
      const mapping = shape.options.at(-1);
      return typeof value === 'object' && mapping !== undefined
        ? rowsOf(mapping, written)
        : [row(written, null)];
    }
  }
}

function typeRows(types: ReadonlyMap<string, Shape>, written: Written): readonly SettingInForce[] {
  const mapping = typeof written.value === 'string' ? { type: written.value } : written.value;
  const inner = { ...written, value: mapping };
  const type = member(inner, 'type');
  const settings = types.get(String(type.value));
  return [row(type, null), ...(settings === undefined ? [] : rowsOf(settings, inner))];
}

/** A setting of a section that is not there is not written either. */
function member({ value, path, isDefault }: Written, name: string): Written {
  const inner =
    typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      ? (value as Readonly<Record<string, unknown>>)[name]
      : undefined;
  return { value: inner, path: [...path, name], isDefault };
}

const row = ({ path, value, isDefault }: Written, notation: Notation | null): SettingInForce => ({
  path,
  value,
  isDefault,
  notation,
});
