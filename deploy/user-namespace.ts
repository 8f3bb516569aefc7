import { readlink, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const NAMESPACE_MS_MAX = 10_000;
const POLL_MS = 20;

/**
 * The command of a shell, in a namespace of its own, after which programs for arm64 run by an emulator. It fails, and says what is missing,
 * if they cannot.
 */
export const registerEmulator = `'${fileURLToPath(new URL('register-emulator', import.meta.url)).replaceAll("'", String.raw`'\''`)}'`;

/**
 * What a shell in a new user namespace does first: it waits for a line, which is written when users are mapped. Whoever starts before is
 * nobody; the shell that it becomes, with the script `$0`, is root.
 */
export const becomeRoot = 'read -r _ && exec sh -c "$0"';

/**
 * Gives every user and group the same number inside the namespace of a process, as soon as it has one.
 * @throws Error if it gets none
 */
export async function mapUsers(pid: number): Promise<void> {
  const own = await readlink('/proc/self/ns/user');
  const deadline = performance.now() + NAMESPACE_MS_MAX;
  while ((await readlink(`/proc/${pid}/ns/user`)) === own) {
    if (performance.now() > deadline)
      throw new Error('this machine gives no user namespace: run this in one that does');
    await sleep(POLL_MS);
  }
  for (const map of ['uid_map', 'gid_map']) await writeFile(`/proc/${pid}/${map}`, '0 0 65536\n');
}
