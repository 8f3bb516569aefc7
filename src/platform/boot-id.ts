import { readFile } from 'node:fs/promises';
import type { Random } from '../core/random.ts';

/** Where Linux says which start of the machine this is. */
const bootIdPath = '/proc/sys/kernel/random/boot_id';

/** Which start of the machine this is, 32 hex digits. Where nothing says so, a new one: then this run counts as a start. */
export async function readBootId(random: Random, path: string = bootIdPath): Promise<string> {
  const text = (await readFile(path, 'utf8').catch(() => '')).trim().replaceAll('-', '');
  return /^[0-9a-f]{32}$/.test(text) ? text : Buffer.from(random.bytes(16)).toString('hex');
}
