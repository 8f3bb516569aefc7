import { resolve } from 'node:path';
import { limits } from '../../core/limits.ts';
import { resolvedAdmin } from './admin-section.ts';
import { resolvedSasl, resolvedTls } from './cluster-sections.ts';
import { resolvedMqttTls } from './mqtt-sections.ts';
import { type Config, checkSettings } from './schema.ts';
import { applySetOption, parseSetOption, type SetOption } from './set-option.ts';
import type { SettingProblem } from './setting-problems.ts';
import { resolvedSource } from './source-section.ts';
import { withoutPassword } from './written-secrets.ts';
import { type Position, readYaml, type SettingPath, type YamlTree } from './yaml-tree.ts';

export interface ConfigSources {
  /** The file, with the name that messages shall use. */
  readonly file: { readonly name: string; readonly text: string } | undefined;
  /** The `--set` options, in order: a later one wins. */
  readonly sets: readonly string[];
  /** Where relative paths start. */
  readonly workingDirectory: string;
  /** The default name of the gateway comes from it. */
  readonly hostName: string;
}

/** A configuration, or everything that is wrong with its sources: one line each, beginning with the place. */
export type ConfigResult = { readonly config: Config } | { readonly problems: readonly string[] };

/** Where something is written. */
export type Origin =
  | ({ readonly from: 'file'; readonly file: string } & Position)
  | { readonly from: 'set'; readonly option: string };

/** A place as messages name it: `headwater.yaml:3:5` or `--set mqtt.listen`. */
export const placeOf = (origin: Origin): string =>
  origin.from === 'set' ? origin.option : at(origin.file, origin);

/** All sources as one tree of settings, none of them checked. */
export interface MergedSettings {
  readonly tree: unknown;
  /** The same, with what is left of a file that is broken: for hints, never to be taken for what was meant. */
  readonly remains: unknown;
  /** What the sources themselves are wrong in. */
  readonly problems: readonly string[];
  /** Where a setting of the tree, or what it is part of, is written. */
  originOf(path: SettingPath): Origin;
}

interface Merged extends MergedSettings {
  readonly yaml: YamlTree;
  readonly sets: readonly SetOption[];
}

/** Takes the file and the `--set` options together. Pure, and never throws. */
export function mergedSettings(sources: ConfigSources): MergedSettings {
  return merged(sources);
}

function merged(sources: ConfigSources): Merged {
  const { file } = sources;
  const yaml = readYaml(file?.text ?? '');
  const sets = sources.sets.map(parseSetOption);
  const problems = [
    ...yaml.problems.map(({ position, message }) => `${at(file?.name, position)}: ${message}`),
    ...sets.flatMap((set) => set.problems.map((message) => `${set.label}: ${message}`)),
  ];
  const { tree, problems: ofSets } = withSets(yaml.value, sets);
  const remains = yaml.remains === yaml.value ? tree : withSets(yaml.remains, sets).tree;
  const originOf = (path: SettingPath): Origin => writtenAt(path, file?.name ?? '', yaml, sets);
  return { tree, remains, problems: [...problems, ...ofSets], originOf, yaml, sets };
}

function withSets(
  whole: unknown,
  sets: readonly SetOption[],
): { readonly tree: unknown; readonly problems: readonly string[] } {
  const problems: string[] = [];
  let tree = whole;
  for (const set of sets.filter((candidate) => candidate.problems.length === 0)) {
    const changed = applySetOption(tree, set);
    if (changed === undefined) {
      problems.push(
        `${set.label}: there is no such setting; only mappings have settings inside, so set the whole`,
      );
    } else {
      tree = changed;
    }
  }
  return { tree, problems };
}

function writtenAt(path: SettingPath, file: string, yaml: YamlTree, sets: readonly SetOption[]): Origin {
  const set = sets.findLast((candidate) => beginsWith(path, candidate.path));
  if (set !== undefined) return { from: 'set', option: set.label };
  for (let length = path.length; length > 0; length--) {
    const position = yaml.positionOf(path.slice(0, length));
    if (position !== undefined) return { from: 'file', file, ...position };
  }
  return { from: 'file', file, line: 1, column: 1 };
}

/**
 * Reads and checks a whole configuration. Pure, and never throws.
 * @param known what somebody knows to be wrong with its settings
 */
export function readConfig(sources: ConfigSources, known: readonly SettingProblem[] = []): ConfigResult {
  const { tree, yaml, sets, problems: ofSources } = merged(sources);
  const checked = checkSettings(tree, sources.hostName);
  const ofSettings = [...('problems' in checked ? checked.problems : []), ...known];
  const told = ofSettings.map((problem) => located(problem, sources.file?.name, yaml, sets));
  const problems = inOrder([...ofSources, ...told]);
  if (problems.length > 0 || 'problems' in checked) return { problems };
  return { config: withAbsolutePaths(checked.config, sources.workingDirectory) };
}

/** Problems with a file, one line each beginning with the place, in the order of their lines. */
export function problemsIn(
  fileName: string,
  yaml: YamlTree,
  ofSettings: readonly SettingProblem[],
): readonly string[] {
  const ofFile = yaml.problems.map(({ position, message }) => `${at(fileName, position)}: ${message}`);
  return inOrder([...ofFile, ...ofSettings.map((problem) => located(problem, fileName, yaml, []))]);
}

/** By their lines, and no more than are read. */
const inOrder = (problems: readonly string[]): readonly string[] =>
  shortened(problems.toSorted((one, other) => lineOf(one) - lineOf(other)));

/** The same with paths that no longer depend on the working directory. */
export function withAbsolutePaths(config: Config, workingDirectory: string): Config {
  const absolute = (path: string): string => resolve(workingDirectory, path);
  const { data, mqtt, admin, forwarder } = config;
  const sources = mqtt.sources.map((source) => resolvedSource(source, absolute));
  const tls = forwarder.tls && resolvedTls(forwarder.tls, absolute);
  const sasl = forwarder.sasl && resolvedSasl(forwarder.sasl, absolute);
  return {
    ...config,
    data: { ...data, dir: absolute(data.dir) },
    mqtt: { ...mqtt, sources, ...(mqtt.tls && { tls: resolvedMqttTls(mqtt.tls, absolute) }) },
    admin: resolvedAdmin(admin, absolute),
    forwarder: { ...forwarder, tls, sasl },
  };
}

function located(
  problem: SettingProblem,
  fileName: string | undefined,
  yaml: YamlTree,
  sets: readonly SetOption[],
): string {
  const { path, message } = problem;
  const set = sets.findLast((candidate) => beginsWith(path, candidate.path));
  if (set !== undefined) {
    const inside = path.length > set.path.length ? `${nameOf(path)}: ` : '';
    return `${set.label}: ${inside}${message}`;
  }
  const position = yaml.positionOf(path);
  const setInside = sets.findLast((candidate) => beginsWith(candidate.path, path));
  if (position === undefined && setInside !== undefined)
    return `${setInside.label}: ${nameOf(path)}: ${message}`;
  const name = path.length > 0 ? `${nameOf(path)}: ` : '';
  // What is missing has no place of its own; what it is missing from has, unless that is the file.
  const place = position ?? (path.length > 1 ? yaml.positionOf(path.slice(0, -1)) : undefined);
  if (place === undefined && path.length > 0) return `${name}${message}`;
  return `${at(fileName, place)}: ${name}${message}`;
}

const at = (fileName = '', { line, column }: Position = { line: 1, column: 1 }): string =>
  `${fileName}:${line}:${column}`;

const beginsWith = (path: SettingPath, start: SettingPath): boolean =>
  start.every((name, index) => path[index] === name);

/** The path as `--set` would write it; without a password, if a name was to be an address. */
export const nameOf = (path: SettingPath): string =>
  path
    .map(withoutPassword)
    .map((name) => (/[."=]/.test(name) ? JSON.stringify(name) : name))
    .join('.');

/** The line that a problem begins with; what has none comes last. */
const lineOf = (problem: string): number =>
  Number(/^\S*?:(\d+):\d+: /.exec(problem)?.[1] ?? Number.POSITIVE_INFINITY);

function shortened(problems: readonly string[]): readonly string[] {
  const more = problems.length - limits.configProblemsShownMax;
  if (more <= 0) return problems;
  return [...problems.slice(0, limits.configProblemsShownMax), `and ${more} more`];
}
