import { readlink, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const NAMESPACE_MS_MAX = 10_000;
const POLL_MS = 20;

/** In a namespace of its own: programs for arm64 run by an emulator, which the machine outside knows nothing of. */
export const registerEmulator =
  'mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && ' +
  'cat /usr/lib/binfmt.d/qemu-aarch64.conf >/proc/sys/fs/binfmt_misc/register';

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
