import type { Disk } from '../core/disk.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Accept } from '../core/record.ts';
import type { ListenerKind } from '../ingest/mqtt/listener.ts';
import { MqttIngest } from '../ingest/mqtt/mqtt-ingest.ts';
import { Routing } from '../ingest/mqtt/routes/routing.ts';
import type { Log } from '../log/log.ts';
import { nodeClock } from '../platform/node-clock.ts';
import { nodeRandom } from '../platform/node-random.ts';
import { formatAddress } from './config/address.ts';
import type { Config } from './config/schema.ts';
import { openMqttListeners } from './listeners/mqtt-listeners.ts';
import type { TlsCredentials } from './listeners/tls-credentials.ts';
import { MqttSources } from './mqtt-sources/mqtt-sources.ts';
import { logHistory } from './session-store/log-history.ts';
import type { WorkerSessionStore } from './session-store/worker-session-store.ts';
import type { StartedParts } from './started-parts.ts';
import type { MqttReport, PresentStatus } from './status.ts';
import { type AlertFeed, tellTopics } from './told-topics.ts';
import type { MqttUsers } from './users/mqtt-users.ts';

export interface MqttBrokerOptions {
  readonly config: Config;
  readonly dataDir: string;
  readonly disk: Disk;
  readonly log: Log;
  readonly accept: Accept;
  readonly users: MqttUsers;
  readonly sessions: WorkerSessionStore;
  readonly parts: StartedParts;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The MQTT broker as the gateway runs it. */
export interface MqttBroker {
  readonly ingest: MqttIngest;
  /** What the status says of it, and of the brokers that the gateway subscribes to. */
  status(): MqttReport;
  /** Enters among the metrics what is a state rather than an event. */
  report(): void;
  /** Messages go by these from now on, also those of the brokers that the gateway subscribes to. */
  useRoutes(routes: Config['mqtt']['routes']): void;
  /** What the user should know about the brokers before anything is received. */
  readonly sourceWarnings: readonly string[];
  /** Null if nobody is served by TLS. */
  readonly tls: TlsCredentials | null;
  /** Where it listens, by kind; null where it does not. */
  readonly addresses: Readonly<Record<ListenerKind, string | null>>;
}

/**
 * Starts the broker on all its listeners, as parts that are stopped in the right order.
 * @throws OperatingError `port-unusable`
 */
export async function startMqttBroker(options: MqttBrokerOptions): Promise<MqttBroker> {
  const { config, dataDir, log, users, sessions, parts, logger } = options;
  const { options: listeners, tls } = await openMqttListeners(config, dataDir, logger);
  if (tls !== null) parts.add('certificates', () => tls.stop());
  const routing = routingIn(log, config, options.metrics);
  const ingest = await MqttIngest.start({
    listeners,
    accept: options.accept,
    limits: config.mqtt.limits,
    routing,
    qos2: log,
    access: users.logins,
    store: sessions,
    history: logHistory(log),
    clock: nodeClock,
    logger,
    metrics: options.metrics,
  });
  parts.add('mqtt', () => ingest.stop());
  const sources = await startSources(options, routing);
  const addressOf = (kind: ListenerKind): string | null => {
    const address = ingest.addresses.get(kind);
    return address === undefined ? null : formatAddress(address);
  };
  return {
    ingest,
    status: () => ({ ...ingest.status(), sources: sources.status() }),
    report: () => {
      options.metrics.set('headwater_users', users.users.count);
      const validToMs = tls?.status().validToMs ?? null;
      if (validToMs !== null)
        options.metrics.set('headwater_certificate_expiry_timestamp_seconds', validToMs / 1000, {
          port: 'mqtt',
        });
      sources.report();
    },
    useRoutes: (routes) => routing.useRoutes(routes),
    sourceWarnings: sources.warnings,
    tls,
    addresses: {
      mqtt: addressOf('mqtt'),
      mqtts: addressOf('mqtts'),
      ws: addressOf('ws'),
      wss: addressOf('wss'),
    },
  };
}

/** Tells the broker's subscribers how the gateway is, until it is stopped. */
export function startTelling(
  ingest: MqttIngest,
  status: () => PresentStatus,
  alerts: AlertFeed | null,
  parts: StartedParts,
): void {
  const stopping = new AbortController();
  const telling = tellTopics(
    { status, tell: (messages) => ingest.tell(messages), alerts, clock: nodeClock },
    stopping.signal,
  );
  parts.add('told topics', async () => {
    stopping.abort();
    await telling;
  });
}

async function startSources(options: MqttBrokerOptions, routing: Routing): Promise<MqttSources> {
  const { config, disk, log, accept, parts, logger, metrics } = options;
  const sources = await MqttSources.start({
    sources: config.mqtt.sources,
    gateway: config.gateway.name,
    disk,
    recordOf: (mqttTopic, payload, receivedMs) =>
      routing.recordOf({ mqttTopic, payload, receivedMs, headers: [] }),
    accept,
    qos2: log,
    clock: nodeClock,
    random: nodeRandom,
    environment: process.env,
    logger,
    metrics,
  });
  parts.add('mqtt-sources', () => sources.stop());
  return sources;
}

const routingIn = (log: Log, { mqtt }: Config, metrics: Metrics): Routing =>
  new Routing({
    routes: mqtt.routes,
    topics: {
      partitionsOf: (topic) => log.partitionsOf(topic),
      grow: (topic, partitions) => log.growTopic(topic, partitions),
    },
    receiptTime: () => ({ isClockSet: log.clockEpoch?.isSet === true, wallMs: nodeClock.wallMs() }),
    metrics,
  });
