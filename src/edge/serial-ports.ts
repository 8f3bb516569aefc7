import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Accept } from '../core/record.ts';
import type { OpenPort } from '../ingest/serial/port.ts';
import { type SerialPortStatus, SerialSource } from '../ingest/serial/serial-source.ts';
import type { SerialPortConfig } from './config/schema.ts';
import { decoderOf, framings } from './registry.ts';

export interface SerialPortsOptions {
  readonly ports: readonly SerialPortConfig[];
  readonly open: OpenPort;
  readonly accept: Accept;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The configured serial ports. */
export class SerialPorts {
  readonly #sources: readonly SerialSource[];

  private constructor(sources: readonly SerialSource[]) {
    this.#sources = sources;
  }

  /** Starts to read all of them. One that is not there, or cannot be opened, is tried again until it can. */
  static start({ ports, logger, ...shared }: SerialPortsOptions): SerialPorts {
    const sources = ports.map(({ name, path, baud, framing, decoder }) =>
      SerialSource.start({
        ...shared,
        name,
        settings: { path, baud },
        framer: framings[framing](),
        decoder: decoderOf(decoder),
        logger: logger.child({ port: name }),
      }),
    );
    return new SerialPorts(sources);
  }

  /** In the order of the configuration. */
  status(): readonly SerialPortStatus[] {
    return this.#sources.map((source) => source.status());
  }

  /** Closes the ports; what was read is in the log if that takes it in time. */
  async stop(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.stop()));
  }
}
