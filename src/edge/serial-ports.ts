import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Accept } from '../core/record.ts';
import type { OpenPort } from '../ingest/serial/port.ts';
import type { PortEvent } from '../ingest/serial/port-watchers.ts';
import { type SerialPortStatus, SerialSource } from '../ingest/serial/serial-source.ts';
import { type LocatePort, wishText } from '../ingest/wired/port-selection.ts';
import type { SerialPortConfig } from './config/serial-section.ts';
import { decoderOf, framerOf } from './registry.ts';

export interface SerialPortsOptions {
  readonly ports: readonly SerialPortConfig[];
  readonly locate: LocatePort;
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
  static start({ ports, locate, logger, ...shared }: SerialPortsOptions): SerialPorts {
    const sources = ports.map((port) =>
      SerialSource.start({
        ...shared,
        name: port.name,
        wanted: wishText(port.wish),
        locate: () => locate({ kind: 'serial', name: port.name }),
        settings: port,
        stalledAfterMs: port.stalledAfter ?? null,
        commands: port.commands ?? null,
        framer: framerOf(port.framing),
        decoder: decoderOf(port.decoder),
        logger: logger.child({ port: port.name }),
      }),
    );
    return new SerialPorts(sources);
  }

  /** In the order of the configuration. */
  status(): readonly SerialPortStatus[] {
    return this.#sources.map((source) => source.status());
  }

  /** How a port is now and what happens there from now on, until the signal is aborted; null if there is none of that name. */
  watch(name: string, signal: AbortSignal): AsyncIterable<PortEvent> | null {
    return this.#sources.find((source) => source.status().name === name)?.watch(signal) ?? null;
  }

  /** Closes the ports; what was read is in the log if that takes it in time. */
  async stop(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.stop()));
  }
}
