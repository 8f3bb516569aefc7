import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isSystemError, messageOf } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { scramMechanisms } from '../../forwarder/kafka/scram-keys.ts';
import type { AccessLists } from '../../ingest/mqtt/topic-access.ts';
import { readFileAtMost } from '../../platform/bounded-file.ts';
import type { PasswordHash } from './password-hash.ts';
import type { ScramVerifier } from './scram.ts';
import { isLegalUserName, type User } from './user.ts';

/** The file with the users, in the data folder. Only the gateway's own user can read it. */
export const USERS_FILE = 'users.json';

const VERSION = 1;

/** What the file holds. A `damaged` one holds nobody, and may be set aside; one of a `later` version may not. */
export type UsersFile =
  | { readonly kind: 'none' }
  | { readonly kind: 'users'; readonly users: readonly User[] }
  | { readonly kind: 'damaged' | 'later'; readonly problem: string };

/** Reads the file. Never throws: a gateway starts whatever is in it. */
export async function readUsersFile(dataDir: string): Promise<UsersFile> {
  const path = join(dataDir, USERS_FILE);
  try {
    const bytes = await readFileAtMost(path, limits.usersFileBytesMax);
    return bytes === null ? damaged(path, 'it is too long') : parseUsersFile(path, bytes.toString('utf8'));
  } catch (error) {
    if (isSystemError(error) && 'code' in error && error.code === 'ENOENT') return { kind: 'none' };
    return damaged(path, messageOf(error));
  }
}

/**
 * The text of the file, on one line:
 *
 *     {"version":1,"sha256":"…","users":[{"name":…,"password":{…},"scram":{…},"access":{…},"clients":{…}}]}
 *
 * The sum is that of the users' JSON: what a card has damaged is to give nobody more than he had.
 */
export function usersFileText(users: readonly User[]): string {
  return `${JSON.stringify({ version: VERSION, sha256: sumOf(users), users })}\n`;
}

const sumOf = (users: unknown): string => createHash('sha256').update(JSON.stringify(users)).digest('hex');

function parseUsersFile(path: string, text: string): UsersFile {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return damaged(path, 'it is no JSON');
  }
  if (!isObject(content)) return damaged(path, 'it is no JSON object');
  const { version, sha256, users } = content;
  if (typeof version === 'number' && version > VERSION)
    return {
      kind: 'later',
      problem: `a later version of Headwater has written ${path}: nobody can log in until that one runs again`,
    };
  if (version !== VERSION || !Array.isArray(users)) return damaged(path, 'it holds no users');
  if (sha256 !== sumOf(users)) return damaged(path, 'its sum does not fit to its content');
  if (users.length > limits.usersMax || !users.every(isUser))
    return damaged(path, 'what it holds are no users');
  return { kind: 'users', users };
}

const damaged = (path: string, why: string): UsersFile => ({
  kind: 'damaged',
  problem:
    `${path} cannot be used (${why}): nobody can log in. Copy it from a backup and start the gateway again, or add the ` +
    'users anew, such as by headwater devices add NAME: that keeps the damaged file beside it',
});

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isBase64 = (value: unknown): boolean =>
  typeof value === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(value);
const isCount = (value: unknown, max: number): value is number =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= max;

function isUser(value: unknown): value is User {
  if (!isObject(value)) return false;
  const { name, password, scram, access, clients } = value;
  return (
    typeof name === 'string' &&
    isLegalUserName(name) &&
    (password === null || isPasswordHash(password)) &&
    (scram === null ||
      (isObject(scram) && scramMechanisms.every((mechanism) => isVerifier(scram[mechanism])))) &&
    isAccess(access) &&
    isObject(clients) &&
    Object.values(clients).every(isAccess)
  );
}

/** Whether it is a hash that a file may hold, and that does not ask for too much work. */
export function isPasswordHash(value: unknown): value is PasswordHash {
  if (!isObject(value) || !isBase64(value['salt']) || !isBase64(value['hash'])) return false;
  const { scheme, iterations, n, r, p } = value;
  if (scheme === 'sha512') return true;
  if (scheme === 'pbkdf2-sha512') return isCount(iterations, limits.importedIterationsMax);
  const isCheap = isCount(n, limits.scryptBytesMax) && isCount(r, limits.scryptBytesMax) && p === 1;
  return scheme === 'scrypt' && isCheap && 128 * n * r <= limits.scryptBytesMax;
}

const isVerifier = (value: unknown): value is ScramVerifier =>
  isObject(value) &&
  [value['salt'], value['storedKey'], value['serverKey']].every(isBase64) &&
  isCount(value['iterations'], limits.scramIterationsMax);

const isAccess = (value: unknown): value is AccessLists =>
  isObject(value) &&
  [value['publish'], value['subscribe']].every((list) => list === undefined || isTexts(list));

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
