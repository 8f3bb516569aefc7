import { hostname } from 'node:os';
import type { Clock } from '../core/clock.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import { nodeRandom } from '../platform/node-random.ts';
import { AdminAccess } from './admin/access/admin-access.ts';
import { AdminServer, type AdminServerOptions } from './admin/admin-server.ts';
import { loadAdminToken } from './admin/admin-token.ts';
import type { OwnNames } from './admin/request-guard.ts';
import { isAdminSecured } from './config/admin-section.ts';
import type { Config } from './config/schema.ts';
import { adminCertificateFile } from './listeners/certificate-file.ts';
import { machineNames } from './listeners/machine-names.ts';
import { ownCertificate } from './listeners/own-certificate.ts';
import { TlsCredentials } from './listeners/tls-credentials.ts';
import type { StartedParts } from './started-parts.ts';
import type { AdminStatus } from './status.ts';
import type { PasswordHasher } from './users/password-hash.ts';

/** What is shown and served. */
export type Served = Omit<AdminServerOptions, 'listen' | 'tls' | 'access' | 'names' | 'clock' | 'logger'>;

/** The admin port as the gateway runs it. */
export interface AdminPort {
  readonly access: AdminAccess;
  /** Null for plain HTTP. */
  readonly tls: TlsCredentials | null;
  status(): AdminStatus;
  /** What the user should know when the gateway starts, one line each. */
  warnings(): Promise<readonly string[]>;
  /**
   * Begins to listen.
   * @throws OperatingError `port-unusable`
   */
  serve(served: Served): Promise<AdminServer>;
}

export interface AdminPortOptions {
  readonly config: Config;
  readonly dataDir: string;
  readonly hasher: PasswordHasher;
  readonly parts: StartedParts;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Gets ready what guards the admin port: token, password, certificate.
 * @throws OperatingError `data-folder-unusable`
 */
export async function openAdmin(options: AdminPortOptions): Promise<AdminPort> {
  const { config, dataDir, hasher, parts, clock, logger } = options;
  const token = await loadAdminToken(dataDir, nodeRandom);
  const access = await AdminAccess.open({ dataDir, token, hasher, clock, random: nodeRandom, logger });
  const tls = isAdminSecured(config.admin) ? await openCredentials(options) : null;
  if (tls !== null) parts.add('admin certificate', () => tls.stop());
  return {
    access,
    tls,
    status: () => ({ tls: tls?.status() ?? null, state: access.state, problem: access.problem }),
    warnings: async () => [
      ...((await tls?.warnings()) ?? []),
      ...(access.problem === null ? [] : [access.problem]),
    ],
    serve: async (served) => {
      const { listen } = config.admin;
      const names = ownNames(config, clock);
      const server = await AdminServer.start({ ...served, listen, tls, access, names, clock, logger });
      parts.add('admin', () => server.stop());
      return server;
    },
  };
}

/** While the configured files cannot be used, the gateway's own certificate is shown: the command line gets in, and says so. */
async function openCredentials({
  config,
  dataDir,
  clock,
  logger,
}: AdminPortOptions): Promise<TlsCredentials> {
  const names = machineNames(config.gateway.name, hostname());
  const certified = await ownCertificate(dataDir, names, nodeRandom, logger);
  const { tls = {} } = config.admin;
  return await TlsCredentials.open({
    section: 'admin.tls',
    config: tls,
    certificateFile: adminCertificateFile(config.admin, dataDir),
    own: tls.certFile === undefined ? certified : null,
    standIn: certified,
    clock,
    logger,
  });
}

/** Names and addresses of this machine, which are looked at again now and then: an address may be another one tomorrow. */
function ownNames({ gateway, admin }: Config, clock: Clock): () => OwnNames {
  const configured = new Set(admin.names.map((name) => name.toLowerCase()));
  let known: OwnNames | undefined;
  let lookedMs = 0;
  return () => {
    const nowMs = clock.monotonicMs();
    if (known === undefined || nowMs - lookedMs >= limits.adminNamesLookMs) {
      const { hosts, addresses } = machineNames(gateway.name, hostname());
      known = { machine: new Set([...hosts, ...addresses]), configured };
      lookedMs = nowMs;
    }
    return known;
  };
}
