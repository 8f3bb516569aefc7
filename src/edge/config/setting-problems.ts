import { nearMatches } from './near-match.ts';
import type { SettingIssue } from './setting-kinds.ts';
import { carriesPassword } from './written-secrets.ts';
import type { SettingPath } from './yaml-tree.ts';

/** What is wrong with a setting, in words. */
export interface SettingProblem {
  readonly path: SettingPath;
  readonly message: string;
}

/** What a user is told of an issue with a tree of settings, given the paths of all settings there are. */
export function problemsOf(
  issue: SettingIssue,
  tree: unknown,
  known: readonly SettingPath[],
): readonly SettingProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      // One that there is belongs to another of several types.
      message: isKnown([...path, key], known) ? issue.message : unknownSetting(path, key, known),
    }));
  }
  if (issue.code === 'invalid_key') {
    return [{ path, message: issue.issues[0]?.message ?? issue.message }];
  }
  const given = valueAt(tree, path);
  if (given === undefined && issue.code !== 'custom')
    return [{ path, message: `is missing; ${issue.message}` }];
  if (issue.code === 'invalid_union' && typeof given === 'object') {
    // Of what may stand here, a mapping is the last: whoever writes one means it.
    const inside = issue.errors.at(-1) ?? [];
    return inside.flatMap((inner) =>
      problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, tree, known),
    );
  }
  if (given === null) return [{ path, message: `is empty; ${issue.message}, or remove it for the default` }];
  const isShown = isShort(given) && !maySecretStand(path, given, known);
  return [{ path, message: isShown ? `${issue.message}, not ${JSON.stringify(given)}` : issue.message }];
}

/** A tree without the sections that have problems, and whether a setting is in one of them. */
export interface SoundTree {
  readonly tree: unknown;
  isLeftOut(path: SettingPath): boolean;
}

/** Leaves out of a tree what is wrong with it: settings of one section belong together, so the whole of it. */
export function withoutProblems(tree: unknown, problems: readonly SettingProblem[]): SoundTree {
  const leftOut = new Set(problems.map(({ path }) => sectionOf(path)));
  const keep = (value: unknown, path: SettingPath): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const inside = Object.entries(value).filter(([name]) => !leftOut.has(sectionOf([...path, name])));
    const kept: Record<string, unknown> = Object.create(null);
    for (const [name, inner] of inside) kept[name] = path.length === 0 ? keep(inner, [name]) : inner;
    return kept;
  };
  return { tree: keep(tree, []), isLeftOut: (path) => leftOut.has(sectionOf(path)) };
}

/** `mqtt.limits` of `mqtt.limits.packet`; the items of a list are not looked at without one of them. */
const sectionOf = ([part = '', inner = '']: SettingPath): string =>
  inner === '' || /^\d+$/.test(inner) ? part : JSON.stringify([part, inner]);

/** Whether somebody may have written a secret there: instead of the place where it is, or of a section that has it. */
function maySecretStand(path: SettingPath, given: unknown, known: readonly SettingPath[]): boolean {
  if (isAboutSecret(path.at(-1)) || (typeof given === 'string' && carriesPassword(given))) return true;
  // A number may be the password of a section, but hardly a whole part of the configuration.
  const depthMax = typeof given === 'string' ? Number.POSITIVE_INFINITY : path.length + 1;
  return known.some(
    (candidate) =>
      candidate.length > path.length &&
      candidate.length <= depthMax &&
      isAboutSecret(candidate.at(-1)) &&
      isBelow(candidate, path),
  );
}

const isAboutSecret = (name = ''): boolean => /^(?:password|token|url$)/.test(name);

const isShort = (value: unknown): boolean =>
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  (typeof value === 'string' && value.length <= 60);

/** What is written at the path of a tree; undefined if nothing is. */
export function valueAt(tree: unknown, path: SettingPath): unknown {
  let value = tree;
  for (const name of path) {
    value =
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}

function unknownSetting(path: SettingPath, key: string, known: readonly SettingPath[]): string {
  const written = known.find(
    (candidate) =>
      candidate.length > path.length + 1 &&
      isBelow(candidate, path) &&
      candidate.slice(path.length).join('.') === key,
  );
  if (written !== undefined) {
    const [outer, ...inner] = written.slice(path.length);
    return `unknown setting; write it as ${outer}: { ${inner.join('.')}: … }`;
  }
  const here = namesBelow(known, path);
  if (here.includes(`${key}File`) && here.includes(`${key}Env`))
    return (
      `a secret does not stand in the configuration; write it into a file of its own and name that as ${key}File, ` +
      `or name an environment variable as ${key}Env`
    );
  const near = nearMatches(key, here);
  const elsewhere = known.filter((candidate) => nearMatches(key, candidate.slice(-1)).length > 0);
  const inSection = elsewhere.filter(([section]) => section === path[0]);
  const wanted = inSection.length > 0 ? inSection : elsewhere;
  const matches = near.length > 0 ? near : wanted.map((candidate) => candidate.join('.'));
  if (matches.length > 0) return `unknown setting; did you mean ${matches.join(' or ')}?`;
  return `unknown setting; there are: ${here.join(', ')}`;
}

const isKnown = (path: SettingPath, known: readonly SettingPath[]): boolean =>
  known.some((candidate) => isBelow(candidate, path));

function namesBelow(known: readonly SettingPath[], path: SettingPath): readonly string[] {
  return [
    ...new Set(
      known.filter((candidate) => isBelow(candidate, path)).map((candidate) => candidate[path.length] ?? ''),
    ),
  ];
}

const isBelow = (candidate: SettingPath, path: SettingPath): boolean =>
  path.every((name, index) => candidate[index] === name || candidate[index] === '*');
