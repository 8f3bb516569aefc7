import { createHash } from 'node:crypto';
import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { type IdentityFile, identityFiles } from '../identity-files.ts';

const FORMAT = 'headwater-backup';
const VERSION = 1;
const OWNER_READS_AND_WRITES = 0o600;

/** What the configuration file is called in a backup, whatever it is called where it lies. */
export const CONFIGURATION = 'headwater.yaml';

/** Every file that may be in a backup: it can name no other, and so no other place. */
export const backupFiles: readonly IdentityFile[] = [
  { name: CONFIGURATION, mode: 0o666, bytesMax: limits.configFileBytesMax },
  ...identityFiles,
];

export interface BackedUpFile {
  readonly name: string;
  readonly mode: number;
  readonly content: Buffer;
}

/** A gateway without its readings. */
export interface Backup {
  /** ISO 8601, by the clock of the gateway. */
  readonly madeAt: string;
  readonly gateway: string;
  /** The version of Headwater that made it. */
  readonly headwater: string;
  /** The log that the gateway wrote then; null if it had none. The parent of the log of who is restored: that one does not go on with it. */
  readonly parentLogId: string | null;
  readonly files: readonly BackedUpFile[];
}

/** The rights that a file with these has in a backup: never more than it ought to have. */
export const modeInBackup = (file: IdentityFile, mode: number): number =>
  (mode & file.mode) | OWNER_READS_AND_WRITES;

/** The document: one JSON object, with the SHA-256 of all else that is in it. */
export function backupText({ madeAt, gateway, headwater, parentLogId, files }: Backup): string {
  const content = {
    format: FORMAT,
    version: VERSION,
    madeAt,
    gateway,
    headwater,
    parentLogId,
    files: files.map((file) => ({ ...file, content: file.content.toString('base64') })),
  };
  return `${JSON.stringify({ ...content, sha256: sumOf(content) }, null, 2)}\n`;
}

/** What names a backup: two with the same sum are the same. */
export const backupSum = (backup: Backup): string => JSON.parse(backupText(backup)).sha256;

/**
 * Reads a document, and checks all of it.
 * @throws OperatingError `unreadable-format` for one of a later version, `bad-input` for what is no whole backup
 */
export function parseBackup(text: string): Backup {
  const document = parsed(text);
  if (!isObject(document) || document['format'] !== FORMAT) throw notOne('it is not one');
  const { sha256, ...content } = document;
  const { version, madeAt, gateway, headwater, parentLogId, files } = content;
  if (typeof version === 'number' && version > VERSION)
    throw new OperatingError(
      'unreadable-format',
      `a later version of Headwater${typeof headwater === 'string' ? `, ${headwater},` : ''} has made this backup: restore it by that one`,
    );
  if (sha256 !== sumOf(content)) throw notOne('its sum does not fit to its content, so it is damaged');
  const isKnown =
    version === VERSION &&
    isWord(madeAt) &&
    isWord(gateway) &&
    isWord(headwater) &&
    (parentLogId === null || isWord(parentLogId)) &&
    Array.isArray(files);
  if (!isKnown) throw notOne('something that belongs to one is missing');
  const read = files.map(fileOf);
  if (new Set(read.map(({ name }) => name)).size < read.length) throw notOne('a file is in it twice');
  return { madeAt, gateway, headwater, parentLogId, files: read };
}

function fileOf(value: unknown): BackedUpFile {
  const { name, mode, content } = isObject(value) ? value : {};
  const known = backupFiles.find((file) => file.name === name);
  if (known === undefined) throw notOne(`it names a file that is none of a backup: ${JSON.stringify(name)}`);
  if (typeof mode !== 'number' || modeInBackup(known, mode) !== mode)
    throw notOne(`the rights of ${known.name} are not such as it may have`);
  const bytes = typeof content === 'string' ? Buffer.from(content, 'base64') : null;
  if (bytes === null || bytes.toString('base64') !== content)
    throw notOne(`the content of ${known.name} is not base64`);
  if (bytes.length > known.bytesMax) throw notOne(`${known.name} is too long`);
  return { name: known.name, mode, content: bytes };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A name, a moment, a version or an id: what is longer is none. */
const isWord = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= limits.backupWordLengthMax;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const sumOf = (content: unknown): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex');

const notOne = (why: string): OperatingError =>
  new OperatingError(
    'bad-input',
    `this is no backup that can be restored: ${why}. Nothing is changed; copy the file again, or take another backup`,
  );
