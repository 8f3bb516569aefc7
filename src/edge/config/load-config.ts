import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { readAtMost } from '../../platform/bounded-file.ts';
import {
  type ConfigFileWishes,
  defaultConfigFile,
  type NamedConfigFile,
  namedConfigFile,
} from './config-file.ts';
import { type ConfigSources, readConfig } from './read-config.ts';
import type { Config } from './schema.ts';

/** Which configuration is meant: the file that is named, else `./headwater.yaml` if there is one, and `--set` options. */
export interface ConfigRequest extends ConfigFileWishes {
  readonly sets: readonly string[];
  readonly workingDirectory: string;
  readonly hostName: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read, as the user would name it. */
  readonly fileName: string | undefined;
  /**
   * Finds, reads and checks it again: the same file, if there was one, and the same `--set` options.
   * @throws OperatingError as {@link loadConfig}
   */
  readonly again: () => Promise<LoadedConfig>;
}

/**
 * Finds, reads and checks the configuration.
 * @throws OperatingError `bad-configuration` with every problem, one a line
 */
export async function loadConfig(request: ConfigRequest): Promise<LoadedConfig> {
  const sources = await configSources(request);
  const fileName = sources.file?.name;
  const result = readConfig(sources);
  if ('problems' in result) throw new OperatingError('bad-configuration', result.problems.join('\n'));
  // A file that is gone is a mistake then, not a wish for the defaults.
  const isNamed = namedConfigFile(request) !== undefined;
  const again = () => loadConfig(isNamed ? request : { ...request, configFile: fileName });
  return { config: result.config, fileName, again };
}

/**
 * Finds and reads what the configuration is made of, and checks none of it.
 * @throws OperatingError `bad-configuration` if there is no reading the file
 */
export async function configSources(request: ConfigRequest): Promise<ConfigSources> {
  const { workingDirectory, sets, hostName } = request;
  const isThere = existsSync(resolve(workingDirectory, defaultConfigFile));
  const wish = namedConfigFile(request) ?? (isThere ? defaultWish : undefined);
  const file = wish === undefined ? undefined : await readFile(wish, workingDirectory);
  return { sets, hostName, workingDirectory, file };
}

const defaultWish: NamedConfigFile = { name: defaultConfigFile, by: '--config' };

async function readFile(
  { name, by }: NamedConfigFile,
  workingDirectory: string,
): Promise<NonNullable<ConfigSources['file']>> {
  let bytes: Buffer | null;
  try {
    bytes = await readAtMost(resolve(workingDirectory, name), limits.configFileBytesMax);
  } catch (error) {
    const advice = `write the file, correct ${by}, or leave it out to run with the defaults`;
    throw new OperatingError(
      'bad-configuration',
      `${name}: cannot be read (${messageOf(error)}); ${advice}`,
      {
        cause: error,
      },
    );
  }
  if (bytes === null) {
    const message = `${name}: is longer than ${limits.configFileBytesMax} bytes, so it is not a configuration`;
    throw new OperatingError('bad-configuration', message);
  }
  try {
    return { name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    const message = `${name}: is not UTF-8 text; save it as UTF-8`;
    throw new OperatingError('bad-configuration', message, { cause: error });
  }
}
