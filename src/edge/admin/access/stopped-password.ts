import { nodeRandom } from '../../../platform/node-random.ts';
import { PasswordHasher } from '../../users/password-hash.ts';
import { changeStopped } from '../../users/stopped-users.ts';
import { AdminPassword } from './admin-password.ts';
import { removeClaimCode } from './claim-code.ts';

/**
 * Sets the admin password in the data folder of a stopped gateway, also of one that never ran.
 * @throws OperatingError `data-folder-in-use`, and as {@link AdminPassword.set}
 */
export async function setStoppedPassword(dataDir: string, password: string): Promise<void> {
  await changeStopped(dataDir, async (path) => {
    const hasher = new PasswordHasher(nodeRandom);
    const kept = await AdminPassword.open(path, hasher);
    await hasher.inTurn(() => kept.set(password));
    await removeClaimCode(path);
  });
}
