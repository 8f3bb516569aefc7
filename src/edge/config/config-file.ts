/** The environment variable that names the configuration where `--config` does not. */
export const configVariableName = 'HEADWATER_CONFIG';

/** What is read if nobody names a file, and only if it is there. */
export const defaultConfigFile = './headwater.yaml';

/** Where a command line may name the configuration. */
export interface ConfigFileWishes {
  /** The file of `--config`. */
  readonly configFile: string | undefined;
  /** The value of HEADWATER_CONFIG; an empty one names nothing. */
  readonly configVariable: string | undefined;
}

/** A file that has to be there, since somebody named it. */
export interface NamedConfigFile {
  readonly name: string;
  /** How it was named, for messages. */
  readonly by: '--config' | typeof configVariableName;
}

/** The file that somebody named; undefined if nobody did. */
export function namedConfigFile({
  configFile,
  configVariable,
}: ConfigFileWishes): NamedConfigFile | undefined {
  if (configFile !== undefined) return { name: configFile, by: '--config' };
  if (configVariable === undefined || configVariable === '') return undefined;
  return { name: configVariable, by: configVariableName };
}
