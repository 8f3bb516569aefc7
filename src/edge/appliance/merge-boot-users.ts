import { administerStopped } from '../users/stopped-users.ts';
import { type BootUser, KEPT } from './appliance-section.ts';

/**
 * Adds the users of a boot file to a data folder, as `headwater devices` does: one that is there gets the password and the lists
 * that are given. Done again, it ends the same. Each user is durable on its own.
 * @throws OperatingError `data-folder-in-use`, `data-folder-unusable`, `illegal-user`, `too-many-users`
 */
export async function mergeBootUsers(dataDir: string, users: readonly BootUser[]): Promise<void> {
  await administerStopped(dataDir, async (administration) => {
    const there = new Set((await administration.list()).map(({ name }) => name));
    for (const { name, password, publish, subscribe } of users) {
      const secret = password === undefined || password === KEPT ? {} : { password };
      const access = { ...(publish && { publish }), ...(subscribe && { subscribe }) };
      if (there.has(name)) await administration.change(name, { ...secret, access });
      else await administration.add({ name, ...secret, access });
    }
  });
}
