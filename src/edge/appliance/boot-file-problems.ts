import { problemsIn } from '../config/read-config.ts';
import type { SettingProblem } from '../config/setting-problems.ts';
import type { SettingPath, YamlTree } from '../config/yaml-tree.ts';

/** What messages call the boot file. */
export const BOOT_FILE = 'headwater.yaml';

/**
 * What is wrong with a boot file, one line each, beginning with the place. They go to a screen and a log, and what stands in the
 * wrong place may be a secret: nothing of what is written is told, but names of settings. Its line is enough.
 */
export function toldProblems(yaml: YamlTree, problems: readonly SettingProblem[]): readonly string[] {
  const written = new Map(problems.map(({ path }) => [keyOf(named(path)), path]));
  const safe: YamlTree = {
    ...yaml,
    problems: yaml.problems.map(({ position, message }) => ({ position, message: withoutText(message) })),
    positionOf: (path) => yaml.positionOf(written.get(keyOf(path)) ?? path),
  };
  return problemsIn(
    BOOT_FILE,
    safe,
    problems.map(({ path, message }) => ({ path: named(path), message: messageFor(path, message) })),
  );
}

const keyOf = (path: SettingPath): string => JSON.stringify(path);

/** Without a space behind it, the colon and the value after it are part of the name. */
const named = (path: SettingPath): SettingPath =>
  path.map((part) => (part.includes(':') ? `${part.slice(0, part.indexOf(':'))}:…` : part));

function messageFor(path: SettingPath, message: string): string {
  if (path.at(-1)?.includes(':') === true) return 'write a space behind the ":"';
  return (
    message
      .replace(/, not (?:"(?:[^"\\]|\\.)*"|-?[\d.e+-]+|true|false)$/, '')
      // Lists of settings: here the secret itself is one.
      .replaceAll(/\b(\w+)File, \1Env\b/g, '$1')
  );
}

/** What the reader of YAML says may quote the text. */
const withoutText = (message: string): string =>
  message.startsWith('not readable as YAML')
    ? 'not readable as YAML; put texts with special characters into single quotes, and indent with spaces'
    : message;
