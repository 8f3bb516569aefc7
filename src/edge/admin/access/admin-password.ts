import { createHash } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, messageOf, OperatingError } from '../../../core/errors.ts';
import { limits } from '../../../core/limits.ts';
import { readFileAtMost } from '../../../platform/bounded-file.ts';
import { replaceFile } from '../../../platform/data-folder.ts';
import type { PasswordHash, PasswordHasher } from '../../users/password-hash.ts';
import { isPasswordHash } from '../../users/users-file.ts';

/** The file with the admin password's hash, in the data folder. Only the gateway's own user can read it. */
export const ADMIN_PASSWORD_FILE = 'admin.json';

const VERSION = 1;
const OWNER_ONLY = 0o600;

type Kept =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly hash: PasswordHash }
  | { readonly kind: 'damaged' | 'later'; readonly problem: string };

/** Whether a password was ever set in a data folder, so that nobody can claim the gateway. Never rejects. */
export const isAdminPasswordSet = async (dataDir: string): Promise<boolean> =>
  (await readKept(join(dataDir, ADMIN_PASSWORD_FILE))).kind !== 'none';

/**
 * The password of the page. Without a file none was ever set; a damaged file lets nobody in by a password, and is no leave for
 * a stranger to set another one.
 */
export class AdminPassword {
  readonly #dataDir: string;
  readonly #hasher: PasswordHasher;
  #kept: Kept;

  private constructor(dataDir: string, hasher: PasswordHasher, kept: Kept) {
    this.#dataDir = dataDir;
    this.#hasher = hasher;
    this.#kept = kept;
  }

  /** Reads the file. Never rejects: a gateway starts whatever is in it. */
  static async open(dataDir: string, hasher: PasswordHasher): Promise<AdminPassword> {
    return new AdminPassword(dataDir, hasher, await readKept(join(dataDir, ADMIN_PASSWORD_FILE)));
  }

  /** Whether none was ever set. */
  get isUnset(): boolean {
    return this.#kept.kind === 'none';
  }

  /** What is wrong with the file, and what to do; null if nothing is. */
  get problem(): string | null {
    return 'problem' in this.#kept ? this.#kept.problem : null;
  }

  /** Whether this is the password; it takes as long if none can be. Only to be called in the hasher's turn. */
  async isRight(password: string): Promise<boolean> {
    const hash = this.#kept.kind === 'password' ? this.#kept.hash : null;
    return (await this.#hasher.verify(hash, Buffer.from(password))).isRight;
  }

  /**
   * Sets the password, durably, and keeps a damaged file beside the new one. Only to be called in the hasher's turn.
   * @throws OperatingError `bad-input` if it is too short or too long, `unreadable-format` if a later version has written the
   *   file, `data-folder-unusable`
   */
  async set(password: string): Promise<void> {
    requireLegal(password);
    if (this.#kept.kind === 'later') throw new OperatingError('unreadable-format', this.#kept.problem);
    const hash = await this.#hasher.hash(Buffer.from(password));
    const path = join(this.#dataDir, ADMIN_PASSWORD_FILE);
    if (this.#kept.kind === 'damaged') await keepDamaged(path);
    await replaceFile(path, fileText(hash), OWNER_ONLY);
    this.#kept = { kind: 'password', hash };
  }
}

function requireLegal(password: string): void {
  const isLegal =
    [...password].length >= limits.adminPasswordLengthMin &&
    Buffer.byteLength(password) <= limits.adminPasswordBytesMax;
  if (isLegal) return;
  throw new OperatingError(
    'bad-input',
    `the password has to have at least ${limits.adminPasswordLengthMin} characters, and at most ${limits.adminPasswordBytesMax} bytes; choose another one`,
  );
}

const fileText = (password: PasswordHash): string =>
  `${JSON.stringify({ version: VERSION, sha256: sumOf(password), password })}\n`;

const sumOf = (password: unknown): string =>
  createHash('sha256').update(JSON.stringify(password)).digest('hex');

async function readKept(path: string): Promise<Kept> {
  try {
    const bytes = await readFileAtMost(path, limits.adminPasswordFileBytesMax);
    return bytes === null ? damaged(path, 'it is too long') : parsed(path, bytes.toString('utf8'));
  } catch (error) {
    if (isSystemError(error) && 'code' in error && error.code === 'ENOENT') return { kind: 'none' };
    return damaged(path, messageOf(error));
  }
}

function parsed(path: string, text: string): Kept {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return damaged(path, 'it is no JSON');
  }
  if (typeof content !== 'object' || content === null) return damaged(path, 'it is no JSON object');
  const { version, sha256, password } = content as Readonly<Record<string, unknown>>;
  if (typeof version === 'number' && version > VERSION)
    return {
      kind: 'later',
      problem: `a later version of Headwater has written ${path}: nobody can log in to the page until that one runs again`,
    };
  if (version !== VERSION || !isPasswordHash(password)) return damaged(path, 'it holds no password');
  if (sha256 !== sumOf(password)) return damaged(path, 'its sum does not fit to its content');
  return { kind: 'password', hash: password };
}

const damaged = (path: string, why: string): Kept => ({
  kind: 'damaged',
  problem:
    `${path} cannot be used (${why}): nobody can log in to the page. Set the password anew by headwater admin passwd: that ` +
    'keeps the damaged file beside the new one',
});

async function keepDamaged(path: string): Promise<void> {
  try {
    await copyFile(path, `${path}.damaged`);
  } catch (error) {
    const message = `${path} is damaged and cannot be copied (${messageOf(error)}): move it away and try again`;
    throw new OperatingError('data-folder-unusable', message, { cause: error });
  }
}
