import type { Config } from '../config/schema.ts';
import type { Machine } from '../machine.ts';
import type { AdminClient } from './admin-client.ts';
import type { Terminal } from './terminal.ts';

/** What the commands for serial ports work on. */
export interface SerialContext {
  readonly terminal: Terminal;
  readonly machine: Pick<Machine, 'serialDevices' | 'openPort'>;
  readonly config: () => Promise<Config>;
  readonly gateway: () => Promise<AdminClient>;
}
