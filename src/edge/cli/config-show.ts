import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { OperatingError } from '../../core/errors.ts';
import {
  type ConfigSources,
  mergedSettings,
  nameOf,
  type Origin,
  placeOf,
  readConfig,
} from '../config/read-config.ts';
import { settingShape } from '../config/schema.ts';
import { type SettingInForce, settingsInForce } from '../config/settings-in-force.ts';
import { soundPart } from '../config/sound-part.ts';
import { writtenSecrets } from '../config/written-secrets.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

export interface ShowOptions {
  /** Also what is not set and has no default. */
  readonly all: boolean;
  readonly json: boolean;
}

/** A setting as it is shown. */
interface Row {
  readonly name: string;
  /** Null for what is not set, and for secrets. */
  readonly value: unknown;
  /** Where a secret is, instead of the secret. */
  readonly secret?: Secret;
  readonly from: Origin | { readonly from: 'default' } | { readonly from: 'nowhere' };
}

interface Secret {
  readonly in: 'file' | 'environment';
  /** Null if there is nothing of this name here: then the name may be the secret itself, written in the wrong place. */
  readonly name: string | null;
}

/**
 * `headwater config show`: what counts of each setting, and where it is written. Needs no running gateway.
 * @throws OperatingError `bad-configuration` with every problem, one a line
 */
export async function showConfig(
  sources: ConfigSources,
  options: ShowOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const shown = shownConfig(sources, options.all);
  const text = options.json
    ? `${JSON.stringify(shown)}\n`
    : shown.settings.map(lineOf(shown.settings)).join('');
  await terminal.output.write(text);
  return exitCodes.ok;
}

/** Settings as they are shown, and the file that they come from. */
export interface ShownConfig {
  readonly file: string | null;
  readonly settings: readonly Row[];
}

/**
 * The settings that count, without secrets; with `all` also what is not set.
 * @throws OperatingError `bad-configuration`
 */
function shownConfig(sources: ConfigSources, all: boolean): ShownConfig {
  const result = readConfig(sources);
  if ('problems' in result) throw new OperatingError('bad-configuration', result.problems.join('\n'));
  return shownSettings(sources, mergedSettings(sources).tree, all);
}

/** What is wrong with the configuration, and the settings that would count without the sections that are wrong. */
export function shownSoundPart(
  sources: ConfigSources,
): ShownConfig & { readonly problems: readonly string[] } {
  const result = readConfig(sources);
  const problems = 'problems' in result ? result.problems : [];
  const sound = soundPart(sources);
  if (sound === null) return { file: sources.file?.name ?? null, problems, settings: [] };
  return { ...shownSettings(sources, sound.tree, false), problems };
}

function shownSettings(sources: ConfigSources, tree: unknown, all: boolean): ShownConfig {
  const { workingDirectory, hostName, file } = sources;
  const { originOf } = mergedSettings(sources);
  const settings = settingsInForce(settingShape(hostName), tree, workingDirectory)
    .filter(({ value }) => all || value !== undefined)
    .map((setting) => rowOf(setting, originOf, workingDirectory));
  return { file: file?.name ?? null, settings };
}

/** What is written in the configuration, right or wrong, and may be a secret in the wrong place. */
export function misplacedSecrets(sources: ConfigSources): readonly string[] {
  const { workingDirectory } = sources;
  return writtenSecrets(mergedSettings(sources).remains, { workingDirectory, environment: process.env });
}

function rowOf(
  { path, value, isDefault, notation }: SettingInForce,
  originOf: (path: readonly string[]) => Origin,
  workingDirectory: string,
): Row {
  const name = nameOf(path);
  if (value === undefined) return { name, value: null, from: { from: 'nowhere' } };
  const from = isDefault ? ({ from: 'default' } as const) : originOf(path);
  if (notation === 'secret-file')
    return { name, value: null, secret: fileOf(String(value), workingDirectory), from };
  if (notation === 'secret-variable') return { name, value: null, secret: variableOf(String(value)), from };
  return { name, value, from };
}

function fileOf(path: string, workingDirectory: string): Secret {
  const absolute = resolve(workingDirectory, path);
  return { in: 'file', name: existsSync(absolute) ? absolute : null };
}

const variableOf = (name: string): Secret => ({
  in: 'environment',
  name: process.env[name] === undefined ? null : name,
});

const alignedUpTo = 40;

const lineOf = (rows: readonly Row[]): ((row: Row) => string) => {
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const widths = rows.map((row) => valueText(row).length).filter((width) => width <= alignedUpTo);
  const valueWidth = Math.max(...widths, 0);
  return (row) =>
    `${row.name.padEnd(nameWidth)}  ${valueText(row).padEnd(valueWidth)}  ${fromText(row.from)}`.trimEnd() +
    '\n';
};

function valueText({ value, secret, from }: Row): string {
  if (from.from === 'nowhere') return 'not set';
  if (secret !== undefined) return secretText(secret);
  // An empty text would not be seen, and white space at an end neither.
  if (typeof value === 'string')
    return value.trim() === value && value !== '' ? value : JSON.stringify(value);
  return JSON.stringify(value);
}

function secretText({ in: place, name }: Secret): string {
  if (place === 'file')
    return name === null ? 'a secret; its file is not there' : `a secret in the file ${name}`;
  return name === null
    ? 'a secret; its variable is not set here'
    : `a secret in the environment variable ${name}`;
}

function fromText(from: Row['from']): string {
  if (from.from === 'nowhere') return '';
  return from.from === 'default' ? 'default' : placeOf(from);
}
