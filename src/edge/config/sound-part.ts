import { resolve } from 'node:path';
import { OperatingError } from '../../core/errors.ts';
import { type ConfigSources, mergedSettings, readConfig, withAbsolutePaths } from './read-config.ts';
import { type Config, checkSettings, defaultDataDir } from './schema.ts';
import { valueAt, withoutProblems } from './setting-problems.ts';

/*
 * What a configuration tells that is wrong somewhere: for who looks at a gateway, which may run well by the configuration that it was
 * started with. Nothing is ever run by it.
 */

/** The data folder, and what is wrong with the configuration all the same. */
export interface FoundDataDir {
  readonly dataDir: string;
  readonly problems: readonly string[];
}

/**
 * The data folder of a configuration, whatever else is wrong with that.
 * @throws OperatingError `bad-configuration` with every problem, one a line, if an option is wrong, or if they leave open where it is
 */
export function findDataDir(sources: ConfigSources): FoundDataDir {
  const result = readConfig(sources);
  if ('config' in result) return { dataDir: result.config.data.dir, problems: [] };
  const { problems } = result;
  const written = valueAt(mergedSettings(sources).remains, ['data', 'dir']);
  const isPath = typeof written === 'string' && written !== '' && !written.includes('\0');
  const isUnknown = !isPath && (written !== undefined || mentionsDir(sources));
  // Whoever has mistyped an option is at hand to write it again.
  if (isUnknown || problems.some((problem) => problem.startsWith('--set ')))
    throw new OperatingError('bad-configuration', problems.join('\n'));
  return { dataDir: resolve(sources.workingDirectory, isPath ? written : defaultDataDir), problems };
}

/** Whether something may be meant as `data.dir` that cannot be read: then the default would be a guess. */
const mentionsDir = ({ file, sets }: ConfigSources): boolean =>
  /^[^#\r\n]*\bdir/m.test([file?.text ?? '', ...sets].join('\n'));

/** The settings that are sound, and what follows from them alone; whole sections are left out where anything is wrong. */
export interface SoundPart {
  readonly tree: unknown;
  readonly config: Config;
}

/** Null if nothing can be made of it. */
export function soundPart(sources: ConfigSources): SoundPart | null {
  let tree = mergedSettings(sources).remains;
  // What settings mean together is looked at only where each of them is sound, and may leave out more.
  for (let round = 0; round < 3; round++) {
    const checked = checkSettings(tree, sources.hostName);
    if ('config' in checked)
      return { tree, config: withAbsolutePaths(checked.config, sources.workingDirectory) };
    ({ tree } = withoutProblems(tree, checked.problems));
  }
  return null;
}
