import { readYaml, type SettingPath } from './yaml-tree.ts';

/** The example of a configuration with its examples switched on: comments that look like a setting lose their `#`. */
export const withExamples = (example: string): string =>
  example
    .replaceAll(/^( *)# (?= *(?:- )?[a-zA-Z]+:( |$))/gm, '$1')
    .replaceAll(/^ *(?:brokers|serial|modbus|sources|series): \[\]\n/gm, '');

/** What the example says above each setting, by its path; list items, and the names of `topics`, are `*`. */
export function exampleComments(example: string): ReadonlyMap<string, string> {
  const text = withExamples(example);
  const lines = text.split('\n');
  const tree = readYaml(text);
  const comments = new Map<string, string>();
  for (const path of pathsIn(tree.value, [])) {
    const position = tree.positionOf(path);
    const name = path.map((part, index) => (isChosen(path, index, part) ? '*' : part)).join('.');
    const comment = position === undefined ? '' : commentAbove(lines, position.line - 1);
    if (comment !== '' && !comments.has(name)) comments.set(name, comment);
  }
  return comments;
}

const isChosen = (path: SettingPath, index: number, part: string): boolean =>
  /^\d+$/.test(part) || (index === 1 && path[0] === 'topics');

function commentAbove(lines: readonly string[], at: number): string {
  const words: string[] = [];
  for (let index = at - 1; lines[index]?.trimStart().startsWith('#') === true; index--) {
    const text = (lines[index] ?? '').replace(/^[ #]+/, '').trim();
    // Another way to write the setting before.
    if (text.startsWith('or ')) break;
    words.unshift(text);
  }
  return words.join(' ').trim();
}

function pathsIn(value: unknown, path: SettingPath): readonly SettingPath[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inside = Object.entries(value).flatMap(([name, inner]) => pathsIn(inner, [...path, name]));
  return path.length === 0 ? inside : [path, ...inside];
}
