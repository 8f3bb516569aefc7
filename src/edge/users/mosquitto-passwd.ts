import { limits } from '../../core/limits.ts';
import type { ImportedHash } from './password-hash.ts';

/** A user of a file that mosquitto_passwd has written. */
export interface ImportedUser {
  readonly name: string;
  readonly password: ImportedHash;
}

/** The users of such a file, or what is wrong with it: one line each, without any hash. */
export type PasswdFile =
  | { readonly users: readonly ImportedUser[] }
  | { readonly problems: readonly string[] };

/**
 * Reads a file of mosquitto_passwd: `name:$7$iterations$salt$hash` (PBKDF2 with SHA-512), or `name:$6$salt$hash` of
 * versions before 2.0 (SHA-512). Pure; what the names may be is not looked at.
 */
export function readPasswdFile(text: string): PasswdFile {
  const users = new Map<string, ImportedUser>();
  const problems: string[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, name, kept = ''] = /^([^:]+):(.*)$/.exec(line) ?? [];
    const password = importedHash(kept.trim());
    if (name !== undefined && password !== null) users.set(name, { name, password });
    else
      problems.push(
        `line ${index + 1}: write name:$7$iterations$salt$hash or name:$6$salt$hash; if there is a password as it ` +
          'is, hash the file first: mosquitto_passwd -U FILE',
      );
  }
  return problems.length > 0 ? { problems } : { users: [...users.values()] };
}

function importedHash(kept: string): ImportedHash | null {
  const [, iterations, salt = '', hash = ''] =
    /^\$(?:6|7\$(\d{1,9}))\$([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]{86}==)$/.exec(kept) ?? [];
  if (hash === '') return null;
  if (iterations === undefined) return { scheme: 'sha512', salt, hash };
  const count = Number(iterations);
  if (count < 1 || count > limits.importedIterationsMax) return null;
  return { scheme: 'pbkdf2-sha512', iterations: count, salt, hash };
}
