import { OperatingError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import { nodeRandom } from '../../platform/node-random.ts';
import { type Address, formatAddress, isLoopback } from '../config/address.ts';
import { configuredListeners } from '../config/mqtt-sections.ts';
import type { Config } from '../config/schema.ts';
import { type AnonymousAccess, Logins } from './logins.ts';
import { PasswordHasher } from './password-hash.ts';
import { Users } from './users.ts';

/** Who may log in, as the status tells it. */
export interface UsersStatus {
  readonly count: number;
  readonly anonymous: AnonymousAccess;
  /** What is wrong with the file of users, and what to do; null if nothing is. */
  readonly problem: string | null;
}

/** The users of a gateway, with how they log in. */
export interface MqttUsers {
  readonly users: Users;
  readonly logins: Logins;
  /** Hashes the passwords of users, so many at once that others may hash by it only. */
  readonly hasher: PasswordHasher;
  status(): UsersStatus;
  /** What the user should know when the gateway starts, one line each. */
  warnings(): readonly string[];
}

/** Why a port beyond loopback would let nobody in, and what to do. */
export const nobodyMayLogIn = (listen: Address): string =>
  `beyond loopback (${formatAddress(listen)}) devices log in, and there are no users yet. Add one: ` +
  'headwater devices add NAME (with the same --config or --set data.dir=…), or set mqtt.anonymous: true to let everybody in';

/**
 * Reads the users of the data folder. A damaged file is told, and keeps nobody from sending by serial ports.
 * @throws OperatingError `bad-configuration` if the MQTT port is to be open beyond loopback, and there never was a user: nobody
 *   could get in, and somebody is there to be told so
 */
export async function openMqttUsers(
  dataDir: string,
  mqtt: Config['mqtt'],
  logger: Logger,
): Promise<MqttUsers> {
  const hasher = new PasswordHasher(nodeRandom);
  const users = await Users.open(dataDir, hasher);
  const { anonymous } = mqtt;
  const open = configuredListeners(mqtt).find(({ listen }) => !isLoopback(listen.host));
  if (open !== undefined && users.isUnused && anonymous !== true)
    throw new OperatingError('bad-configuration', `${open.setting}: ${nobodyMayLogIn(open.listen)}`);
  const logins = new Logins({ users, hasher, anonymous, clock: nodeClock, random: nodeRandom, logger });
  const warnings = (): readonly string[] => [
    ...(users.problem === null ? [] : [`warning: ${users.problem}`]),
    ...(open !== undefined && users.count === 0 && users.problem === null && anonymous !== true
      ? [
          `warning: ${open.setting}: there are no users, so no device can log in. Add one: headwater devices add NAME`,
        ]
      : []),
  ];
  if (users.problem !== null) logger.error({ problem: users.problem }, 'the users cannot be read');
  return {
    users,
    logins,
    hasher,
    status: () => ({ count: users.count, anonymous: logins.anonymous, problem: users.problem }),
    warnings,
  };
}
