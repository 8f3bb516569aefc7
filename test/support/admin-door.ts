import type { Clock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { AdminAccess } from '../../src/edge/admin/access/admin-access.ts';
import type { AdminServerOptions } from '../../src/edge/admin/admin-server.ts';
import { PasswordHasher } from '../../src/edge/users/password-hash.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { SimRandom } from './sim-random.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** What opens the admin ports of tests. */
export const adminToken = 'ab'.repeat(32);

/** Hashes that cost nothing. */
export const cheapHasher = () => new PasswordHasher(new SimRandom(1), { n: 16, r: 1, p: 1 });

/** Who may use an admin port on loopback, with a data folder of its own that nobody has claimed; the folder goes with it. All is well. */
export async function adminDoor(
  clock: Clock = nodeClock,
): Promise<
  AsyncDisposable &
    Pick<AdminServerOptions, 'listen' | 'tls' | 'access' | 'names' | 'health'> & { readonly dataDir: string }
> {
  const folder = await temporaryFolder();
  const random = new SimRandom(1);
  const shared = { dataDir: folder.path, token: adminToken, hasher: cheapHasher(), logger: silentLogger };
  return {
    dataDir: folder.path,
    listen: { host: '127.0.0.1', port: 0 },
    tls: null,
    access: await AdminAccess.open({ ...shared, clock, random }),
    health: () => ({ isHealthy: true, reasons: [] }),
    names: () => ({ machine: new Set(), configured: new Set() }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
