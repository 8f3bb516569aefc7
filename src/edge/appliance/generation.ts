import { limits } from '../../core/limits.ts';
import { isLoopback, parseAddress } from '../config/address.ts';
import { settingShape } from '../config/schema.ts';
import { valueAt } from '../config/setting-problems.ts';
import { yamlText } from '../config/yaml-tree.ts';
import { listenSettings } from './boot-file.ts';
import { withFilePaths } from './file-settings.ts';
import { type ImportedSettings, sha256 } from './imported-settings.ts';
import { isMapping, type Mapping, mergedSettings, putSetting } from './settings-tree.ts';

/** What a generation is, as a function of what it is made of. */
export interface Generation {
  /** `headwater.yaml`: what the gateway reads. */
  readonly config: string;
  /** `system.json`, with a sum over itself and over all the others. */
  readonly system: string;
  /** Files of the folder `secrets`, by their names. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What `config` says. */
  readonly settings: Mapping;
  readonly imported: ImportedSettings;
  /** Settings of ports that are closed to the network while there are no users. */
  readonly closed: readonly string[];
}

export interface GenerationInput {
  readonly imported: ImportedSettings;
  /** The settings that the image comes with. */
  readonly defaults: unknown;
  readonly hostName: string;
  /** Whether there is somebody who could log in. */
  readonly hasUsers: boolean;
  /** The folder that leads to the generation in force, as the gateway sees it. */
  readonly currentFolder: string;
}

const VERSION = 1;
const HEADER =
  '# Made at boot of what the image comes with and of the headwater.yaml of the boot partition, which is the one to edit:\n' +
  '# changes here do not last.\n';

/** Makes a generation. Pure. */
export function generationOf(input: GenerationInput): Generation {
  const { imported, defaults, currentFolder } = input;
  const { appliance: _machine, ...settings } = imported.tree;
  const located = withFilePaths(
    settings,
    settingShape(input.hostName),
    (name) => `${currentFolder}/secrets/${name}`,
  );
  const tree = mergedSettings(defaults, located) as Mapping;
  const closed = input.hasUsers ? [] : closedToStrangers(tree);
  const config = `${HEADER}${yamlText(tree)}`;
  return {
    config,
    system: systemText(config, imported),
    secrets: imported.files,
    settings: tree,
    imported,
    closed,
  };
}

/** Ports beyond loopback become local ones: the gateway would not start, since nobody could log in there. */
function closedToStrangers(tree: Mapping): readonly string[] {
  if (valueAt(tree, ['mqtt', 'anonymous']) === true) return [];
  return listenSettings.flatMap((path) => {
    const listen = parseAddress(String(valueAt(tree, path) ?? ''));
    if (listen === undefined || isLoopback(listen.host)) return [];
    putSetting(tree, path, `127.0.0.1:${listen.port}`);
    return [path.join('.')];
  });
}

/** What is wrong with a generation that could not be read again, and what to do; null if it can. */
export function tooLarge({ config, system }: Generation): string | null {
  const fits =
    Buffer.byteLength(config) <= limits.configFileBytesMax &&
    Buffer.byteLength(system) <= limits.systemFileBytesMax;
  return fits
    ? null
    : `with what earlier files said it becomes longer than ${limits.configFileBytesMax} bytes; write "default" for sections that nobody needs`;
}

function systemText(config: string, { files, ...imported }: ImportedSettings): string {
  const content = {
    config: sha256(config),
    files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, sha256(text)])),
    imported,
  };
  return `${JSON.stringify({ version: VERSION, sha256: sha256(JSON.stringify(content)), ...content })}\n`;
}

/** What `system.json` says: which other files belong to the generation, and what they have to be. */
export interface SystemFile {
  readonly config: string;
  readonly files: Readonly<Record<string, string>>;
  readonly imported: Omit<ImportedSettings, 'files'>;
}

/** Reads `system.json`; null if it is none, was cut off or damaged. */
export function parseSystemFile(text: string): SystemFile | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isMapping(parsed) || parsed['version'] !== VERSION) return null;
  const { version: _version, sha256: sum, ...content } = parsed;
  if (sum !== sha256(JSON.stringify(content))) return null;
  // By construction: the sum is right, and this version has written it.
  const { config, files, imported } = content as unknown as SystemFile;
  return { config, files, imported: { ...imported, tree: mergedSettings({}, imported.tree) as Mapping } };
}
