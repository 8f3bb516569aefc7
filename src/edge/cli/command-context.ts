import type { ConfigRequest } from '../config/load-config.ts';
import type { ConfigSources } from '../config/read-config.ts';
import type { Config } from '../config/schema.ts';
import type { Machine } from '../machine.ts';
import type { AdminClient } from './admin-client.ts';
import type { ExitCode } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** What commands work on. Configuration and gateway are looked for only by those that ask for them. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly machine: Pick<Machine, 'serialDevices' | 'openPort'>;
  /** @throws OperatingError `bad-configuration` */
  readonly config: () => Promise<Config>;
  /** What the configuration is made of, none of it checked. @throws OperatingError `bad-configuration` */
  readonly configSources: () => Promise<ConfigSources>;
  /** How the command line names the configuration. */
  readonly configRequest: () => ConfigRequest;
  /**
   * The data folder of the configuration. Whatever else is wrong with that is only a warning: the gateway may run well by the one that
   * it was started with. @throws OperatingError `bad-configuration` if it leaves open where the folder is
   */
  readonly dataDir: () => Promise<string>;
  /** The gateway that runs on it. @throws OperatingError as `dataDir` and {@link AdminClient.find} */
  readonly gateway: () => Promise<AdminClient>;
  /** The same without warnings, for who has the gateway itself say what is wrong. */
  readonly gatewayToReload: () => Promise<AdminClient>;
  /** Says what the command line ends with; without it, with `ok`. */
  readonly endWith: (code: ExitCode) => void;
}
