import { createHash, timingSafeEqual } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../../../core/limits.ts';
import type { Random } from '../../../core/random.ts';
import { readFileAtMost } from '../../../platform/bounded-file.ts';
import { replaceFile } from '../../../platform/data-folder.ts';

const OWNER_ONLY = 0o600;
/** Without I, L, O and U, which people take for others (Crockford's base 32). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const BITS_PER_LETTER = 5;
const GROUP_LENGTH = 4;

/** The file with the code, in the data folder, while nobody has claimed the gateway. Only the gateway's own user can read it. */
export const claimCodePath = (dataDir: string): string => join(dataDir, 'claim-code');

/**
 * Makes a new code and keeps it in its file, for `headwater admin claim-code`.
 * @throws OperatingError `data-folder-unusable`
 */
export async function newClaimCode(dataDir: string, random: Random): Promise<string> {
  const code = grouped(letters(random.bytes(limits.adminClaimCodeBytes)));
  await replaceFile(claimCodePath(dataDir), `${code}\n`, OWNER_ONLY);
  return code;
}

/** Removes the file; no error if there is none. */
export function removeClaimCode(dataDir: string): Promise<void> {
  return rm(claimCodePath(dataDir), { force: true });
}

/** The code in the file; null if there is none. @throws the error of the operating system, OperatingError for what is no file */
export async function readClaimCode(dataDir: string): Promise<string | null> {
  try {
    const bytes = await readFileAtMost(claimCodePath(dataDir), limits.adminClaimCodeFileBytesMax);
    return bytes === null ? null : bytes.toString('utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Whether it is the code, however it was typed, in a time that does not tell how much of it is right. */
export const isClaimCode = (given: string, code: string): boolean =>
  timingSafeEqual(digest(typed(given)), digest(typed(code)));

const typed = (code: string): string => code.toUpperCase().replaceAll(/[^0-9A-Z]/g, '');

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function letters(bytes: Uint8Array): string {
  let value = 0n;
  for (const byte of bytes) value = value * 256n + BigInt(byte);
  let text = '';
  for (let left = bytes.length * 8; left > 0; left -= BITS_PER_LETTER) {
    text = `${ALPHABET[Number(value % BigInt(ALPHABET.length))]}${text}`;
    value /= BigInt(ALPHABET.length);
  }
  return text;
}

const grouped = (text: string): string =>
  (text.match(new RegExp(`.{1,${GROUP_LENGTH}}`, 'g')) ?? []).join('-');
