import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Accept } from '../core/record.ts';
import type { PortEvent } from '../ingest/serial/port-watchers.ts';
import { portLocator } from '../ingest/wired/port-selection.ts';
import { nodeClock } from '../platform/node-clock.ts';
import type { Config } from './config/schema.ts';
import type { Machine } from './machine.ts';
import { ModbusBuses } from './modbus-buses.ts';
import { portWishes } from './port-wishes.ts';
import { SerialPorts } from './serial-ports.ts';
import type { StartedParts } from './started-parts.ts';
import type { PresentStatus } from './status.ts';

export interface WiredSourcesOptions {
  readonly config: Pick<Config, 'serial' | 'modbus'>;
  readonly machine: Machine;
  readonly accept: Accept;
  readonly parts: StartedParts;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The devices that are on wires, as the gateway runs them. */
export interface WiredSources {
  /** What the status says of them. */
  status(): Pick<PresentStatus, 'serial' | 'modbus'>;
  /** What happens at a serial port from now on, until the signal; null if there is none of this name. */
  watch(name: string, signal: AbortSignal): AsyncIterable<PortEvent> | null;
}

/** Begins to read all of them, each as a part that is stopped before the log. What is not there is tried again until it is. */
export function startWiredSources(options: WiredSourcesOptions): WiredSources {
  const { config, machine, parts, accept, logger, metrics } = options;
  const locate = portLocator(portWishes(config), machine.serialDevices);
  const shared = { locate, accept, clock: nodeClock, metrics };
  const ports = SerialPorts.start({
    ...shared,
    ports: config.serial,
    open: machine.openPort,
    logger: logger.child({ part: 'serial' }),
  });
  parts.add('serial', () => ports.stop());
  const buses = ModbusBuses.start({
    ...shared,
    buses: config.modbus,
    open: machine.openBus,
    logger: logger.child({ part: 'modbus' }),
  });
  parts.add('modbus', () => buses.stop());
  return {
    status: () => ({ serial: ports.status(), modbus: buses.status() }),
    watch: (name, signal) => ports.watch(name, signal),
  };
}
