import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../../core/random.ts';
import { replaceFile } from '../../platform/data-folder.ts';

/** The file with the secret, in the data folder. Only the gateway's own user can read it. */
export const ADMIN_TOKEN_FILE = 'admin.token';
const TOKEN_BYTES = 32;
const OWNER_ONLY = 0o600;

/**
 * The secret that every API request must carry: made at the first start, then the same for the life of the data
 * folder. A file that does not hold one, or that others may read, is replaced.
 * @throws OperatingError `data-folder-unusable`
 */
export async function loadAdminToken(dataDir: string, random: Random): Promise<string> {
  const path = join(dataDir, ADMIN_TOKEN_FILE);
  const kept = await readKept(path);
  if (kept?.isPrivate) return kept.token;
  const token = kept?.token ?? Buffer.from(random.bytes(TOKEN_BYTES)).toString('hex');
  await replaceFile(path, `${token}\n`, OWNER_ONLY);
  return token;
}

/** Whether an `Authorization` header carries the token, in a time that does not tell how much of it is right. */
export function carriesToken(authorization: string | undefined, token: string): boolean {
  const [scheme, given] = authorization?.split(' ') ?? [];
  if (scheme?.toLowerCase() !== 'bearer' || given === undefined) return false;
  return timingSafeEqual(digest(given), digest(token));
}

/** Equal lengths are what `timingSafeEqual` needs. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The token in the file and whether only its owner can read it; null if it cannot be read or holds none. */
async function readKept(path: string): Promise<{ token: string; isPrivate: boolean } | null> {
  try {
    const token = (await readFile(path, 'utf8')).trim();
    if (!/^[0-9a-f]{64}$/.test(token)) return null;
    return { token, isPrivate: ((await stat(path)).mode & 0o077) === 0 };
  } catch {
    return null;
  }
}
