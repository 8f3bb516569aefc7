import { hostname } from 'node:os';
import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import { nodeRandom } from '../platform/node-random.ts';
import { AdminAccess } from './admin/access/admin-access.ts';
import { AdminServer, type AdminServerOptions } from './admin/admin-server.ts';
import { loadAdminToken } from './admin/admin-token.ts';
import type { OwnNames } from './admin/request-guard.ts';
import type { Config } from './config/schema.ts';
import { machineNames } from './listeners/machine-names.ts';
import type { StartedParts } from './started-parts.ts';
import type { PasswordHasher } from './users/password-hash.ts';

/** The admin port as the gateway runs it. */
export interface AdminPort {
  readonly server: AdminServer;
  readonly access: AdminAccess;
}

export interface AdminPortOptions {
  readonly config: Config;
  readonly dataDir: string;
  readonly hasher: PasswordHasher;
  readonly parts: StartedParts;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is shown and served. */
  readonly served: Omit<AdminServerOptions, 'listen' | 'access' | 'names' | 'clock' | 'logger'>;
}

/**
 * Starts the admin API and what guards it.
 * @throws OperatingError `port-unusable`, `data-folder-unusable`
 */
export async function startAdmin(options: AdminPortOptions): Promise<AdminPort> {
  const { config, dataDir, hasher, parts, clock, logger, served } = options;
  const token = await loadAdminToken(dataDir, nodeRandom);
  const access = await AdminAccess.open({ dataDir, token, hasher, clock, random: nodeRandom, logger });
  const server = await AdminServer.start({
    ...served,
    listen: config.admin.listen,
    access,
    names: ownNames(config.gateway.name, clock),
    clock,
    logger,
  });
  parts.add('admin', () => server.stop());
  return { server, access };
}

/** Names and addresses of this machine, which are looked at again now and then: an address may be another one tomorrow. */
function ownNames(gateway: string, clock: Clock): () => OwnNames {
  let known: OwnNames | undefined;
  let lookedMs = 0;
  return () => {
    const nowMs = clock.monotonicMs();
    if (known === undefined || nowMs - lookedMs >= limits.adminNamesLookMs) {
      const { hosts, addresses } = machineNames(gateway, hostname());
      known = { machine: new Set([...hosts, ...addresses]), configured: new Set() };
      lookedMs = nowMs;
    }
    return known;
  };
}
