import { pbkdf2Sync } from 'node:crypto';
import { limits } from '../../core/limits.ts';
import { isLoopback, parseAddress } from '../config/address.ts';
import { checkSettings, settingShape } from '../config/schema.ts';
import { type SettingProblem, valueAt } from '../config/setting-problems.ts';
import { readYaml, type SettingPath } from '../config/yaml-tree.ts';
import { type ApplianceSettings, type BootUser, isWifiKey, KEPT } from './appliance-section.ts';
import { BOOT_FILE, toldProblems } from './boot-file-problems.ts';
import { checkAppliance } from './check-appliance.ts';
import { type CredentialText, credentialProblems } from './credential-texts.ts';
import { type GivenFile, neededFiles, withFilePaths, withoutFiles } from './file-settings.ts';
import { type ImportedSettings, sha256 } from './imported-settings.ts';
import { type BootSecret, redactedCopy } from './redacted-copy.ts';
import { isMapping, type Mapping, mapping, mergedSettings, TAKEN_BACK } from './settings-tree.ts';

/** What a boot file is judged by. */
export interface BootFileContext {
  /** What earlier files have said. */
  readonly before: ImportedSettings;
  /** The settings that the image comes with. */
  readonly defaults: unknown;
  readonly hostName: string;
  /** Names of the MQTT users that there are. */
  readonly users: readonly string[];
  /** Reads a file beside the boot file: its text, or what is wrong with it. */
  readonly beside: (fileName: string) => Promise<{ readonly text: string } | { readonly problem: string }>;
}

/** What a boot file says, or everything that is wrong with it: one line each, beginning with the place, without secrets. */
export type BootFile =
  | { readonly problems: readonly string[] }
  | {
      readonly imported: ImportedSettings;
      readonly users: readonly BootUser[];
      /** What is left on the boot partition. */
      readonly copy: string;
    };

/** Reads and checks the boot file as a whole, over what earlier ones have said. Never throws for what is in it. */
export async function readBootFile(text: string, context: BootFileContext): Promise<BootFile> {
  const yaml = readYaml(text);
  if (yaml.problems.length > 0 && yaml.value === null) return { problems: toldProblems(yaml, []) };
  const written = asMapping(yaml.value);
  const shape = settingShape(context.hostName);
  const taken = withoutFiles(written, shape);
  const texts = await textsOf(taken.files, context);
  const merged = asMapping(mergedSettings(context.before.tree, taken.tree));
  const { appliance: machine, ...others } = merged;
  const needed = neededFiles(others, shape);
  const files: Record<string, string> = {};
  for (const { name } of needed) {
    const kept = texts.byName.get(name) ?? context.before.files[name];
    if (kept !== undefined) files[name] = kept;
  }
  const whole = mergedSettings(
    context.defaults,
    withFilePaths(others, shape, (name) => `/${name}`),
  );
  const checked = checkSettings(whole, context.hostName);
  const appliance = checkAppliance(machine);
  const problems: SettingProblem[] = [
    ...(isMapping(yaml.value) || yaml.value === null ? [] : [noMapping]),
    ...taken.problems,
    ...texts.problems,
    ...('problems' in checked ? checked.problems : []).map((problem) => asWritten(problem, written)),
    ...('problems' in appliance ? appliance.problems : []),
    ...keptProblems(needed, files, new Set([...taken.refused, ...texts.refused])),
    ...credentialProblems(credentials(needed, files)),
    ...('problems' in appliance ? [] : machineProblems(appliance.settings, context)),
    ...fixedProblems(written),
    ...strangerProblems(written, whole, appliance, context.users),
  ];
  if (problems.length > 0 || yaml.problems.length > 0 || 'problems' in appliance)
    return { problems: toldProblems(yaml, problems) };
  const given = withKeys(taken.files, texts.byName);
  const secrets = secretsOf(written, given, texts.byName, appliance.settings);
  const copy = redactedCopy(text, yaml, secrets);
  const { mqttUsers = [] } = appliance.settings;
  return {
    imported: {
      tree: keptTree(others, machine),
      files,
      wifiKeys: wifiKeys(appliance.settings, context.before),
      bootFileSha256: sha256(copy),
      consumed: consumedFiles(given, texts.byName),
    },
    users: mqttUsers,
    copy,
  };
}

const noMapping: SettingProblem = {
  path: [],
  message: 'write settings here, such as gateway: { name: gw1 }',
};

const asMapping = (value: unknown): Mapping => (isMapping(value) ? value : mapping());

interface Texts {
  readonly byName: ReadonlyMap<string, string>;
  /** Names of files that were given and cannot be used. */
  readonly refused: ReadonlySet<string>;
  readonly problems: readonly SettingProblem[];
}

async function textsOf(given: readonly GivenFile[], { beside }: BootFileContext): Promise<Texts> {
  const byName = new Map<string, string>();
  const refused = new Set<string>();
  const problems: SettingProblem[] = [];
  for (const { name, path, given: from } of given) {
    if (from.as === 'text') byName.set(name, from.text);
    if (from.as !== 'file') continue;
    const read = await beside(from.fileName);
    if ('text' in read) byName.set(name, read.text);
    else {
      refused.add(name);
      problems.push({ path: asFile(path), message: read.problem });
    }
  }
  return { byName, refused, problems };
}

/**
 * What is secret by what it says as well: a private key may stand beside its certificate, whatever the setting is called. A file that goes for one
 * setting is gone for all that name it. Names differ by more than case: the partition is FAT.
 */
function withKeys(given: readonly GivenFile[], texts: ReadonlyMap<string, string>): readonly GivenFile[] {
  const isKey = ({ name, isSecret }: GivenFile): boolean =>
    isSecret || /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(texts.get(name) ?? '');
  const going = new Set(given.filter(isKey).flatMap((one) => fileOf(one) ?? []));
  return given.map((one) => ({ ...one, isSecret: isKey(one) || going.has(fileOf(one) ?? '') }));
}

const fileOf = ({ given }: GivenFile): string | null =>
  given.as === 'file' ? given.fileName.toLowerCase() : null;

/** Each once: what is removed from the boot partition. */
function consumedFiles(
  given: readonly GivenFile[],
  texts: ReadonlyMap<string, string>,
): ImportedSettings['consumed'] {
  const byFile = new Map<string, { fileName: string; sha256: string }>();
  for (const one of given)
    if (one.isSecret && one.given.as === 'file')
      byFile.set(one.given.fileName.toLowerCase(), {
        fileName: one.given.fileName,
        sha256: sha256(texts.get(one.name) ?? ''),
      });
  return [...byFile.values()];
}

const asFile = (path: SettingPath): SettingPath => [...path.slice(0, -1), `${path.at(-1)}File`];

const credentials = (
  needed: readonly { name: string; path: SettingPath }[],
  files: Readonly<Record<string, string>>,
): readonly CredentialText[] =>
  needed.flatMap(({ name, path }) => (files[name] === undefined ? [] : [{ path, text: files[name] }]));

/** What is said to be kept, and is not there. */
const keptProblems = (
  needed: readonly { name: string; path: SettingPath }[],
  files: Readonly<Record<string, string>>,
  refused: ReadonlySet<string>,
): readonly SettingProblem[] =>
  needed
    .filter(({ name }) => files[name] === undefined && !refused.has(name))
    .map(({ path }) => ({ path, message: 'this device keeps none; write it' }));

/** A problem of a setting that names a file, at the text that stands there instead. */
function asWritten({ path, message }: SettingProblem, written: Mapping): SettingProblem {
  const setting = path.at(-1) ?? '';
  if (!setting.endsWith('File')) return { path, message };
  const plain = setting.slice(0, -'File'.length);
  const atText = [...path.slice(0, -1), plain];
  const isGiven = (at: SettingPath): boolean => {
    const value = valueAt(written, at);
    return value !== undefined && value !== TAKEN_BACK;
  };
  if (isGiven(atText)) return { path: atText, message };
  if (isGiven(path)) return { path, message };
  const wanted = `write it here as ${plain}, or as ${setting} the name of a file that lies beside ${BOOT_FILE}`;
  return { path: atText, message: `is missing; ${wanted}` };
}

function machineProblems(settings: ApplianceSettings, context: BootFileContext): readonly SettingProblem[] {
  return [
    ...networkProblems(settings.wifi?.networks ?? [], context),
    ...userProblems(settings.mqttUsers ?? [], context),
  ];
}

const networkProblems = (
  networks: NonNullable<ApplianceSettings['wifi']>['networks'],
  { before }: BootFileContext,
): readonly SettingProblem[] =>
  networks.flatMap(({ ssid, password }, index) => {
    const path = ['appliance', 'wifi', 'networks', String(index)];
    const isUnknown = password === KEPT && keptKey(before, ssid) === undefined;
    const isSecond = networks.findIndex((network) => network.ssid === ssid) < index;
    return [
      ...(isUnknown
        ? [{ path: [...path, 'password'], message: 'this device keeps none of this network; write it' }]
        : []),
      ...(isSecond
        ? [{ path: [...path, 'ssid'], message: 'this network is named twice; keep one of the two' }]
        : []),
    ];
  });

function userProblems(users: readonly BootUser[], context: BootFileContext): readonly SettingProblem[] {
  const all = new Set([...context.users, ...users.map(({ name }) => name)]);
  const path = ['appliance', 'mqttUsers'];
  const message = `there is room for ${limits.usersMax} users, and with these there are ${all.size}; remove some that nobody needs (headwater devices remove)`;
  const tooMany = users.length > 0 && all.size > limits.usersMax ? [{ path, message }] : [];
  const known = users.flatMap(({ name, password }, index) => {
    const path = ['appliance', 'mqttUsers', String(index)];
    const isUnknown = password === KEPT && !context.users.includes(name);
    const isSecond = users.findIndex((user) => user.name === name) < index;
    return [
      ...(isUnknown
        ? [{ path: [...path, 'password'], message: 'this device keeps none of this user; write it' }]
        : []),
      ...(isSecond
        ? [{ path: [...path, 'name'], message: 'this user is named twice; keep one of the two' }]
        : []),
    ];
  });
  return [...tooMany, ...known];
}

/** What an appliance does not let be chosen. */
function fixedProblems(written: Mapping): readonly SettingProblem[] {
  const isGiven = valueAt(written, ['data', 'dir']) !== undefined;
  return isGiven
    ? [{ path: ['data', 'dir'], message: 'remove it; an appliance has one place for its data' }]
    : [];
}

/** Ports that the file itself opens, and nobody could log in at. */
function strangerProblems(
  written: Mapping,
  whole: unknown,
  appliance: ReturnType<typeof checkAppliance>,
  users: readonly string[],
): readonly SettingProblem[] {
  const isOpen = valueAt(whole, ['mqtt', 'anonymous']) === true;
  const added = 'settings' in appliance ? (appliance.settings.mqttUsers ?? []) : [undefined];
  if (isOpen || users.length + added.length > 0) return [];
  return listenSettings.flatMap((path) => {
    const listen = parseAddress(String(valueAt(written, path) ?? ''));
    if (listen === undefined || isLoopback(listen.host)) return [];
    const message =
      'beyond loopback devices log in, and there are no users: write some as appliance: { mqttUsers: [{ name: …, password: … }] }, or mqtt: { anonymous: true } to let everybody in';
    return [{ path, message }];
  });
}

/** Where devices connect. */
export const listenSettings: readonly SettingPath[] = [
  ['mqtt', 'listen'],
  ['mqtt', 'tls', 'listen'],
  ['mqtt', 'ws', 'listen'],
  ['mqtt', 'wss', 'listen'],
];

function secretsOf(
  written: Mapping,
  given: readonly GivenFile[],
  texts: ReadonlyMap<string, string>,
  settings: ApplianceSettings,
): readonly BootSecret[] {
  const ofFiles = given
    .filter(({ isSecret, given: from }) => isSecret && from.as !== 'kept')
    .map(({ path, name, given: from }): BootSecret => {
      const text = texts.get(name) ?? '';
      if (from.as === 'text') return { path, text };
      return { path: asFile(path), name: path.at(-1) ?? '', text };
    });
  const ofList = (path: SettingPath, items: readonly { readonly password?: string | undefined }[]) =>
    items.flatMap(({ password }, index): BootSecret[] => {
      const at = [...path, String(index), 'password'];
      const isGiven = password !== undefined && password !== KEPT && valueAt(written, at) !== undefined;
      return isGiven ? [{ path: at, text: password }] : [];
    });
  return [
    ...ofFiles,
    ...ofList(['appliance', 'wifi', 'networks'], settings.wifi?.networks ?? []),
    ...ofList(['appliance', 'mqttUsers'], settings.mqttUsers ?? []),
  ];
}

/** What the device remembers of the settings: no users, who are kept elsewhere, and no passwords of networks. */
function keptTree(settings: Mapping, machine: unknown): Mapping {
  const tree = mergedSettings(settings, undefined) as Mapping;
  if (!isMapping(machine)) return tree;
  const { mqttUsers: _users, ...others } = mergedSettings(machine, undefined) as Mapping;
  const networks = valueAt(others, ['wifi', 'networks']);
  if (Array.isArray(networks))
    for (const network of networks)
      if (isMapping(network) && network['password'] !== undefined) network['password'] = KEPT;
  tree['appliance'] = others;
  return tree;
}

function wifiKeys({ wifi }: ApplianceSettings, before: ImportedSettings): Readonly<Record<string, string>> {
  const keys = new Map<string, string>();
  for (const { ssid, password } of wifi?.networks ?? []) {
    if (password === undefined) continue;
    keys.set(ssid, password === KEPT ? (keptKey(before, ssid) ?? '') : wifiKey(ssid, password));
  }
  return Object.fromEntries(keys);
}

/** The key of a network, which may be called `constructor`. */
const keptKey = ({ wifiKeys }: ImportedSettings, ssid: string): string | undefined =>
  Object.hasOwn(wifiKeys, ssid) ? wifiKeys[ssid] : undefined;

/** What a network is joined with: so its passphrase, which people use elsewhere as well, need not be kept. */
const wifiKey = (ssid: string, password: string): string =>
  isWifiKey(password)
    ? password.toLowerCase()
    : pbkdf2Sync(password, ssid, limits.wifiKeyRounds, limits.wifiKeyBytes, 'sha1').toString('hex');
