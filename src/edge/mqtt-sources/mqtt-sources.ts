import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { Disk } from '../../core/disk.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Qos2Log } from '../../core/qos2.ts';
import type { Random } from '../../core/random.ts';
import type { Accept } from '../../core/record.ts';
import type { MqttSource, MqttSourceStatus } from '../../ingest/mqtt-source/mqtt-source.ts';
import type { RecordOf } from '../../ingest/mqtt-source/storage.ts';
import type { MqttSourceConfig } from '../config/source-section.ts';
import { SourceMemories } from './source-memory.ts';
import { readUpstreamAccess, upstreamWarnings } from './upstream-access.ts';

export interface MqttSourcesOptions {
  readonly sources: readonly MqttSourceConfig[];
  /** The name of the gateway. */
  readonly gateway: string;
  readonly disk: Disk;
  readonly recordOf: RecordOf;
  readonly accept: Accept;
  readonly qos2: Qos2Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The configured brokers that the gateway subscribes to. */
export class MqttSources {
  readonly #sources: readonly MqttSource[];
  readonly #metrics: Metrics;
  /** What the user should know before anything is received. */
  readonly warnings: readonly string[];

  private constructor(sources: readonly MqttSource[], metrics: Metrics, warnings: readonly string[]) {
    this.#sources = sources;
    this.#metrics = metrics;
    this.warnings = warnings;
  }

  /** Starts to subscribe to all of them. One that is not there is tried again until it is. */
  static async start(options: MqttSourcesOptions): Promise<MqttSources> {
    const { sources, gateway, disk, environment, logger, ...shared } = options;
    if (sources.length === 0) return new MqttSources([], shared.metrics, []);
    // Loaded only for those who have brokers: the client library takes its time.
    const module = await import('../../ingest/mqtt-source/mqtt-source.ts');
    const memories = await SourceMemories.open(disk, logger);
    const surroundings = { clock: shared.clock, environment };
    const warnings: string[] = [];
    for (const config of sources) warnings.push(...(await upstreamWarnings(config, surroundings)));
    const started = sources.map((config) => {
      const { name, url, topics, qos, clientId = `headwater-${gateway}-${name}` } = config;
      return module.MqttSource.start({
        ...shared,
        ...{ name, url: url.text, topics, qos, clientId },
        session: sessionOf(url.text, clientId),
        readAccess: () => readUpstreamAccess(config, surroundings),
        memory: memories.of(name),
        logger: logger.child({ source: name }),
      });
    });
    return new MqttSources(started, shared.metrics, warnings);
  }

  /** In the order of the configuration. */
  status(): readonly MqttSourceStatus[] {
    return this.#sources.map((source) => source.status());
  }

  /** Enters among the metrics what is a state rather than an event. */
  report(): void {
    for (const { name, unanswered, lagSeconds } of this.status()) {
      this.#metrics.set('headwater_mqtt_source_unanswered', unanswered, { source: name });
      this.#metrics.set('headwater_mqtt_source_lag_seconds', lagSeconds, { source: name });
    }
  }

  /** Ends the connections; the sessions stay at the brokers. */
  async stop(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.stop()));
  }
}

const SESSION_DIGITS = 16;

/** Another broker or client id is another session, whose packet ids have nothing to do with these. */
const sessionOf = (url: string, clientId: string): string =>
  createHash('sha256').update(`${url}\n${clientId}`).digest('hex').slice(0, SESSION_DIGITS);
