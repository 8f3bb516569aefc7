import type { Logger } from '../core/logger.ts';
import type { ListSerialDevices } from '../core/serial-device.ts';
import type { ServiceManager } from '../core/service-manager.ts';
import type { OpenBus } from '../ingest/modbus/bus.ts';
import type { OpenPort } from '../ingest/serial/port.ts';
import { isClockSet, systemTimeService } from '../platform/clock-check.ts';
import { linuxSerialDevices } from '../platform/linux-serial-devices.ts';
import { nodeClock } from '../platform/node-clock.ts';
import { systemdService } from '../platform/systemd.ts';

/** What a gateway asks of the machine that it runs on and that others may answer: a demonstration has no serial port. */
export interface Machine {
  /** What serial ports it has. */
  readonly serialDevices: ListSerialDevices;
  /** Opens one. */
  readonly openPort: OpenPort;
  /** Opens a Modbus bus, by a serial port of its or by TCP. */
  readonly openBus: OpenBus;
  /** Whether its wall clock is known to be right. */
  readonly isClockSet: () => Promise<boolean>;
  /** What looks after this process, if anything does. */
  readonly serviceManager: (logger: Logger) => ServiceManager;
}

/** The machine of this process. */
export const thisMachine: Machine = {
  serialDevices: (patterns) => linuxSerialDevices(patterns),
  openPort: async (path, settings, listener) => {
    // Loaded only for those who have ports: it is native code.
    const { openSerialPort } = await import('../ingest/serial/serial-port.ts');
    return await openSerialPort(nodeClock, path, settings, listener);
  },
  openBus: async (settings, timeoutMs, signal) => {
    // The same holds for what is below this one.
    const { openModbusBus } = await import('../ingest/modbus/modbus-serial-bus.ts');
    return await openModbusBus(nodeClock, settings, timeoutMs, signal);
  },
  isClockSet: () => isClockSet(systemTimeService),
  serviceManager: (logger) => systemdService(logger),
};
