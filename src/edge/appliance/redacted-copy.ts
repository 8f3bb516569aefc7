import { readYaml, type SettingPath, type YamlTree, yamlText } from '../config/yaml-tree.ts';
import { KEPT } from './appliance-section.ts';
import { isMapping, type Mapping, mapping } from './settings-tree.ts';

/** A secret of the boot file. */
export interface BootSecret {
  /** The setting whose value it is, or that names its file. */
  readonly path: SettingPath;
  /** What the setting is called without it, if that is another name: `key` for `keyFile`. */
  readonly name?: string;
  readonly text: string;
}

/**
 * The text of the boot file with {@link KEPT} for each secret: comments, order and line ends stay. Pure. What cannot be cut out so
 * that the copy says the same is written anew, without comments.
 */
export function redactedCopy(text: string, yaml: YamlTree, secrets: readonly BootSecret[]): string {
  if (secrets.length === 0) return text;
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const copy = withoutMentions(cutOut(text, yaml, secrets, lineEnd), secrets);
  const tree = withoutSecrets(yaml.value, secrets, []);
  const isFaithful = JSON.stringify(readYaml(copy).value) === JSON.stringify(tree);
  return isFaithful ? copy : yamlText(tree).replaceAll('\n', lineEnd);
}

function cutOut(text: string, yaml: YamlTree, secrets: readonly BootSecret[], lineEnd: string): string {
  const cuts = secrets.flatMap(({ path, name }) => {
    const range = yaml.rangeOf(path);
    if (range === undefined) return [];
    const start = name === undefined ? range.value : range.name;
    const marker = name === undefined ? KEPT : `${name}: ${KEPT}`;
    // A text of several lines ends with the end of its last line.
    const after = /[\r\n]$/.test(text.slice(range.value, range.end)) ? lineEnd : '';
    return [{ start, end: range.end, by: `${marker}${after}` }];
  });
  return cuts
    .toSorted((one, other) => other.start - one.start)
    .reduce((copy, { start, end, by }) => `${copy.slice(0, start)}${by}${copy.slice(end)}`, text);
}

/** Whoever has tried two passwords may have left one of them in a comment. */
function withoutMentions(text: string, secrets: readonly BootSecret[]): string {
  const lines = new Set(secrets.flatMap((secret) => secret.text.split(/\r?\n/)).map((line) => line.trim()));
  const mentioned = [...lines]
    .filter((line) => line !== '')
    .toSorted((one, other) => other.length - one.length);
  return text.replaceAll(/(^|[ \t])#[^\r\n]*/gm, (comment) =>
    mentioned.reduce((left, line) => left.replaceAll(line, '***'), comment),
  );
}

function withoutSecrets(value: unknown, secrets: readonly BootSecret[], path: SettingPath): unknown {
  const found = secrets.find((secret) => isSame(secret.path, path));
  if (found !== undefined) return KEPT;
  if (Array.isArray(value))
    return value.map((item, index) => withoutSecrets(item, secrets, [...path, String(index)]));
  if (!isMapping(value)) return value;
  const copy: Mapping = mapping();
  for (const [name, inner] of Object.entries(value)) {
    const renamed = secrets.find((secret) => isSame(secret.path, [...path, name]))?.name ?? name;
    copy[renamed] = withoutSecrets(inner, secrets, [...path, name]);
  }
  return copy;
}

const isSame = (one: SettingPath, other: SettingPath): boolean =>
  one.length === other.length && one.every((name, index) => name === other[index]);
