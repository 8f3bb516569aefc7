import type { SeriesRule } from '../anomaly/series/series-settings.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Accept } from '../core/record.ts';
import type { OpenBus } from '../ingest/modbus/bus.ts';
import { type ModbusBusStatus, ModbusSource } from '../ingest/modbus/modbus-source.ts';
import type { LocatePort } from '../ingest/wired/port-selection.ts';
import type { ModbusBusConfig } from './config/modbus-section.ts';

export interface ModbusBusesOptions {
  readonly buses: readonly ModbusBusConfig[];
  readonly locate: LocatePort;
  readonly open: OpenBus;
  readonly accept: Accept;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The configured Modbus buses. */
export class ModbusBuses {
  readonly #sources: readonly ModbusSource[];

  private constructor(sources: readonly ModbusSource[]) {
    this.#sources = sources;
  }

  /** Starts to poll their units. A bus that is not there, or cannot be opened, is tried again until it can. */
  static start({ buses, locate, logger, ...shared }: ModbusBusesOptions): ModbusBuses {
    const sources = buses.map((bus) =>
      ModbusSource.start({
        ...shared,
        ...bus,
        locate: () => locate({ kind: 'modbus', name: bus.name }),
        logger: logger.child({ bus: bus.name }),
      }),
    );
    return new ModbusBuses(sources);
  }

  /** In the order of the configuration. */
  status(): readonly ModbusBusStatus[] {
    return this.#sources.map((source) => source.status());
  }

  /** Closes the buses; what was read is in the log if that takes it in time. */
  async stop(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.stop()));
  }
}

/** What register maps say of the series that come of them: units, and how far readings are apart. */
export const modbusSeriesRules = (buses: readonly ModbusBusConfig[]): readonly SeriesRule[] =>
  buses.flatMap(({ units }) =>
    units.flatMap(({ name, topic, intervalMs, registers }) =>
      registers.map((register) => ({
        match: `${topic}:${name}:${register.name}`,
        unit: register.unit ?? undefined,
        hints: { intervalMs },
      })),
    ),
  );
