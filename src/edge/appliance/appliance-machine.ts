import { execFile } from 'node:child_process';
import { lchown, stat, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { promisify } from 'node:util';
import { limits } from '../../core/limits.ts';
import { makeFolder } from '../../platform/make-folder.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import { readUsersFile } from '../users/users-file.ts';
import type { BootUser } from './appliance-section.ts';
import type { GatewayUser } from './node-appliance-disk.ts';

/** What preparing an appliance changes besides files. */
export interface ApplianceMachine {
  wallMs(): number;
  /** @throws whatever keeps the clock from being set */
  setClock(wallMs: number): Promise<void>;
  /** Changes the name under which the machine runs. @throws the error of the operating system */
  setHostName(name: string): Promise<void>;
  /** Whether a folder lies on another file system than that of `/`. Never rejects. */
  isMounted(folder: string): Promise<boolean>;
  /** Names of the users of a data folder; none if there is no telling. Never rejects. */
  userNames(dataDir: string): Promise<readonly string[]>;
  /**
   * Adds users to a data folder, or changes those that there are.
   * @throws OperatingError as `headwater devices add`
   */
  mergeUsers(dataDir: string, users: readonly BootUser[]): Promise<void>;
}

/** The machine of this process. */
export const thisApplianceMachine = (gatewayUser: GatewayUser | null): ApplianceMachine => ({
  ...withoutMachine(gatewayUser),
  async setClock(wallMs) {
    await promisify(execFile)('date', ['-s', `@${(wallMs / 1000).toFixed(3)}`], {
      timeout: limits.setClockMs,
    });
  },
  setHostName: (name) => writeFile('/proc/sys/kernel/hostname', name),
  async isMounted(folder) {
    const devices = await Promise.all([stat('/'), stat(folder)]).catch(() => null);
    return devices !== null && devices[0].dev !== devices[1].dev;
  },
});

/** The same where only files are wanted: clock and name of the machine stay. */
export const withoutMachine = (gatewayUser: GatewayUser | null): ApplianceMachine => ({
  wallMs: () => nodeClock.wallMs(),
  setClock: () => Promise.resolve(),
  setHostName: () => Promise.resolve(),
  isMounted: () => Promise.resolve(true),
  async userNames(dataDir) {
    const file = await readUsersFile(dataDir);
    return file.kind === 'users' ? file.users.map(({ name }) => name) : [];
  },
  async mergeUsers(dataDir, users) {
    // Loaded only where there are some: the lock of the folder comes with a database.
    const { mergeBootUsers } = await import('./merge-boot-users.ts');
    await makeFolder(dataDir, 0o750);
    if (gatewayUser === null) return await mergeBootUsers(dataDir, users);
    await lchown(dataDir, gatewayUser.uid, gatewayUser.gid);
    await asUser(gatewayUser, () => mergeBootUsers(dataDir, users));
  },
});

/**
 * Works as the user of the gateway: what is made is his, and links that he may have left in his folder lead the administrator
 * nowhere. The whole process has these rights meanwhile.
 */
async function asUser({ uid, gid }: GatewayUser, work: () => Promise<void>): Promise<void> {
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([gid]);
  process.setegid?.(gid);
  process.seteuid?.(uid);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(groups);
  }
}
