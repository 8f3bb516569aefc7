import type { ClockReading } from '../core/clock.ts';
import { isOperatingError, OperatingError } from '../core/errors.ts';
import '../core/limit-relations.ts';
import { limits } from '../core/limits.ts';
import type { Accept } from '../core/record.ts';
import type { ServiceManager } from '../core/service-manager.ts';
import type { TopicMapping } from '../forwarder/cluster/topic-mapping.ts';
import type { Forwarder } from '../forwarder/forwarder.ts';
import { MirrorForwarding } from '../forwarder/mirror/mirror-forwarding.ts';
import type { Log } from '../log/log.ts';
import { CountedDisk } from '../platform/counted-disk.ts';
import { prepareDataFolder } from '../platform/data-folder.ts';
import { refuseFolderOfAnother } from '../platform/file-owner.ts';
import { FolderLock } from '../platform/folder-lock.ts';
import { nodeClock } from '../platform/node-clock.ts';
import { NodeDisk } from '../platform/node-disk.ts';
import type { ServiceLogger } from '../platform/pino-logger.ts';
import { type AnomalyDetection, startAnomalyDetection } from './anomaly-detection.ts';
import { refuseHalfRestored } from './backup/restore-marker.ts';
import { formatAddress } from './config/address.ts';
import type { Config } from './config/schema.ts';
import { ConfigReloads } from './config-reloads.ts';
import { readGatewayFile, removeGatewayFile } from './gateway-file.ts';
import { keepGatewayFile } from './gateway-file-keeping.ts';
import { GatewayReport } from './gateway-report.ts';
import { greeting } from './greeting.ts';
import { HealthWatch } from './health/health-watch.ts';
import { extendStart } from './health/start-extension.ts';
import { type Machine, thisMachine } from './machine.ts';
import { MetricsRegistry } from './metrics-registry.ts';
import { type MqttBroker, startMqttBroker, startTelling } from './mqtt-broker.ts';
import { openStorage } from './open-storage.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { RunTotals } from './run-totals.ts';
import { serviceLog } from './service-log.ts';
import { type AdminPort, openAdmin, type Served } from './start-admin.ts';
import { startForwarder } from './start-forwarder.ts';
import { StartedParts } from './started-parts.ts';
import type { StatusReport } from './status.ts';
import { TopicChanges } from './topic-changes.ts';
import { topicMapping } from './topic-mapping.ts';
import { ensureTopics, type TopicWriters, topicWriters, withOwnTopics } from './topics.ts';
import { type MqttUsers, openMqttUsers } from './users/mqtt-users.ts';
import { startWiredSources } from './wired-sources.ts';

/** Where the gateway tells a person what it does, one line at a time. */
export interface Output {
  print(line: string): void;
}

/** The parts that a reload needs besides those that the gateway knows. */
interface ReloadedParts {
  readonly log: Log;
  readonly topics: TopicChanges;
  readonly broker: MqttBroker;
}

/** The whole daemon: every part, in the order in which they need each other. */
export class Gateway {
  readonly #config: Config;
  readonly #dataDir: string;
  readonly #machine: Machine;
  readonly #logger: ServiceLogger;
  readonly #reread: () => Promise<Config>;
  readonly #registry = new MetricsRegistry();
  readonly #metrics = new RunTotals(this.#registry);
  readonly #process = new ProcessMetrics(nodeClock, this.#metrics);
  readonly #parts: StartedParts;
  readonly #disk: CountedDisk;
  readonly #manager: ServiceManager;
  /** Aborted when the start is over. */
  readonly #startIsOver = new AbortController();
  readonly #lock: FolderLock;
  /** Null before it is started. */
  #reloads: ConfigReloads | null = null;
  #isStarted = false;
  /** Null without a cluster in the configuration. */
  #forwarder: Forwarder | null = null;
  /** Null if the configuration wants none. */
  #anomaly: AnomalyDetection | null = null;
  /** What the log may remove, as far as the mirror is concerned. */
  readonly #forwarding: MirrorForwarding;
  readonly #mapping: TopicMapping;

  private constructor(
    config: Config,
    reread: () => Promise<Config>,
    dataDir: string,
    lock: FolderLock,
    machine: Machine,
  ) {
    this.#reread = reread;
    this.#config = config;
    this.#dataDir = dataDir;
    this.#machine = machine;
    this.#lock = lock;
    this.#logger = serviceLog(config.log.level);
    this.#mapping = topicMapping(config);
    this.#forwarding = new MirrorForwarding(this.#mapping);
    this.#parts = new StartedParts(nodeClock, this.#logger);
    this.#disk = new CountedDisk(new NodeDisk(dataDir), this.#metrics);
    this.#manager = machine.serviceManager(this.#logger.child({ part: 'service' }));
    void extendStart(this.#manager, nodeClock, () => this.#disk.operations, this.#startIsOver.signal);
  }

  /**
   * Starts everything; resolves once readings are accepted. If a part cannot start, those before it are stopped. A disk that
   * is full or fails is waited for, until the signal. `reread` is how the configuration is read again.
   * @throws OperatingError `data-folder-in-use`, `data-folder-unusable`, `unreadable-format`, `port-unusable`,
   *   `log-unavailable`, or what the creation of a configured topic meets
   */
  static async start(
    config: Config,
    reread: () => Promise<Config>,
    output: Output,
    signal: AbortSignal,
    machine: Machine = thisMachine,
  ): Promise<Gateway> {
    await refuseFolderOfAnother(config.data.dir);
    const dataDir = await prepareDataFolder(config.data.dir);
    const lock = FolderLock.take(dataDir);
    if (lock === null) throw await inUse(dataDir);
    try {
      await refuseHalfRestored(dataDir);
    } catch (error) {
      lock.release();
      throw error;
    }
    const gateway = new Gateway(config, reread, dataDir, lock, machine);
    try {
      await gateway.#startParts(output, signal);
      return gateway;
    } catch (error) {
      await gateway.stop();
      throw error;
    }
  }

  /**
   * Stops everything within `limits.stopTimeoutMs`, the log after all that feeds it: what was accepted is durable.
   * A part that is stuck is left behind, and the data folder then stays locked until the process ends.
   */
  async stop(): Promise<void> {
    this.#startIsOver.abort();
    this.#manager.tell({ stopping: true, status: 'stopping', extendMs: limits.stopExtensionMs });
    const stuck = await this.#parts.stop(limits.stopTimeoutMs);
    this.#process.stop();
    if (stuck.length === 0) this.#lock.release();
    // What is stuck would keep the process alive, and the data folder locked, for ever.
    else setTimeout(() => process.exit(), limits.stuckExitMs).unref();
  }

  /** Reads the configuration again, and makes count of it what can; what became of it is in the service log. */
  async reload(): Promise<void> {
    try {
      await this.#reloads?.reload();
    } catch (error) {
      if (!isOperatingError(error)) throw error;
    }
  }

  #openReloads(parts: ReloadedParts): ConfigReloads {
    this.#reloads = new ConfigReloads({
      config: this.#config,
      reread: this.#reread,
      apply: (config) => this.#takeUp(config, parts),
      logger: this.#logger.child({ part: 'configuration' }),
      metrics: this.#metrics,
    });
    return this.#reloads;
  }

  /** @throws OperatingError if nothing of it counts, because the log refuses or its topics cannot be */
  async #takeUp(config: Config, { log, topics, broker }: ReloadedParts): Promise<void> {
    if (!this.#isStarted || !log.available)
      throw new OperatingError(
        'log-unavailable',
        `${this.#isStarted ? 'nothing can be stored now ("headwater status" says why)' : 'the gateway is still starting'}; reload again then`,
      );
    await topics.reconfigure(config.topics, topicWriters(config), this.#logger);
    this.#logger.setLevel(config.log.level);
    broker.useRoutes(config.mqtt.routes);
    this.#anomaly?.use(config);
    this.#forwarder?.useLink(config.forwarder);
  }

  async #startParts(output: Output, signal: AbortSignal): Promise<void> {
    // A crashed run left it; until this one is ready, nobody shall look for a gateway at its addresses.
    await removeGatewayFile(this.#dataDir);
    const mqttUsers = await this.#openUsers();
    const storage = await this.#openStorage(signal);
    const { sessions, readClock, log } = storage;
    const writers = topicWriters(this.#config);
    await ensureTopics(log, this.#config.topics, writers.keys(), this.#logger);
    const shared = {
      config: this.#config,
      disk: this.#disk,
      log,
      parts: this.#parts,
      metrics: this.#metrics,
    };
    this.#anomaly = await startAnomalyDetection({
      ...shared,
      logger: this.#logger.child({ part: 'anomaly' }),
    });
    const accept: Accept = async (records) => {
      await log.append(records);
    };

    const wired = startWiredSources({ ...shared, accept, machine: this.#machine, logger: this.#logger });
    const broker = await startMqttBroker({
      ...shared,
      accept,
      dataDir: this.#dataDir,
      users: mqttUsers,
      sessions,
      logger: this.#logger.child({ part: 'mqtt' }),
    });
    const addresses = { ...broker.addresses, admin: '' };
    const admin = await openAdmin({
      config: this.#config,
      dataDir: this.#dataDir,
      hasher: mqttUsers.hasher,
      parts: this.#parts,
      clock: nodeClock,
      logger: this.#logger.child({ part: 'admin' }),
    });
    const health = this.#watchHealth(log);
    const report = new GatewayReport({
      ...storage,
      gateway: this.#config.gateway.name,
      dataDir: this.#dataDir,
      addresses,
      admin: admin.status,
      health: () => health.report(),
      users: mqttUsers,
      broker,
      wired,
      anomaly: this.#anomaly,
      forwarder: () => this.#forwarder,
      process: this.#process,
      metrics: this.#metrics,
      registry: this.#registry,
    });
    const topics = this.#topicChanges(log, writers);
    const reloads = this.#openReloads({ log, topics, broker });
    const served = this.#served(log, mqttUsers, {
      topics,
      health: () => health.report(),
      status: () => report.status(),
      renderMetrics: () => report.renderMetrics(),
      clients: () => broker.ingest.clients(),
      serial: wired,
      reload: () => reloads.reload(),
    });
    const { address } = await admin.serve(served);
    addresses.admin = formatAddress(address);
    startTelling(broker.ingest, () => report.present(), this.#anomaly?.desk ?? null, this.#parts);

    this.#forwarder = await this.#startForwarder(log, readClock, output);
    this.#isStarted = true;
    await this.#announce(output, broker, mqttUsers, addresses, admin);
    this.#begin(health);
  }

  #begin(health: HealthWatch): void {
    this.#startIsOver.abort();
    health.begin();
    this.#parts.add('health', () => health.stop());
  }

  #watchHealth(log: Log): HealthWatch {
    return new HealthWatch({
      log,
      manager: this.#manager,
      mirror: () => this.#forwarder?.status().message ?? null,
      clock: nodeClock,
      logger: this.#logger.child({ part: 'health' }),
    });
  }

  #openStorage(signal: AbortSignal) {
    return openStorage(
      {
        config: this.#config.data,
        dataDir: this.#dataDir,
        disk: this.#disk,
        forwarding: this.#forwarding,
        isClockSet: this.#machine.isClockSet,
        stateBytes: () => this.#anomaly?.stateBytes ?? 0,
        parts: this.#parts,
        logger: this.#logger,
        metrics: this.#metrics,
      },
      signal,
    );
  }

  async #openUsers(): Promise<MqttUsers> {
    const logger = this.#logger.child({ part: 'users' });
    const opened = await openMqttUsers(this.#dataDir, this.#config.mqtt, logger);
    this.#parts.add('users', () => opened.users.settled());
    return opened;
  }

  #topicChanges(log: Log, writers: TopicWriters): TopicChanges {
    return new TopicChanges({
      log,
      mapping: this.#mapping,
      configured: this.#config.topics,
      writers: withOwnTopics(writers),
    });
  }

  /** What the admin API shows and serves. */
  #served(
    log: Log,
    { users }: MqttUsers,
    seen: Pick<Served, 'topics' | 'health' | 'status' | 'renderMetrics' | 'clients' | 'serial' | 'reload'>,
  ): Served {
    return {
      ...seen,
      log,
      users,
      alerts: this.#anomaly?.desk ?? null,
      series: this.#anomaly?.desk ?? null,
      accepted: () => this.#metrics.accepted(),
      serviceLog: () => this.#logger.newest(),
      metricsContentType: this.#registry.contentType,
      metrics: this.#metrics,
    };
  }

  /** Lets others find the gateway: programs by its file, people by what it prints. */
  async #announce(
    output: Output,
    { tls, sourceWarnings }: MqttBroker,
    users: MqttUsers,
    addresses: StatusReport['addresses'],
    admin: AdminPort,
  ): Promise<void> {
    await keepGatewayFile({
      dataDir: this.#dataDir,
      addresses,
      tls: admin.tls,
      parts: this.#parts,
      logger: this.#logger,
    });
    const warnings = [...((await tls?.warnings()) ?? []), ...sourceWarnings, ...(await admin.warnings())];
    for (const line of [
      ...greeting({
        config: this.#config,
        addresses,
        dataDir: this.#dataDir,
        certificates: tls?.status() ?? null,
        claimCode: admin.access.claimCode,
        adminTls: admin.status().tls,
      }),
      ...users.warnings(),
      ...warnings.map((warning) => `warning: ${warning}`),
    ])
      output.print(line);
  }

  async #startForwarder(log: Log, readClock: () => ClockReading, output: Output): Promise<Forwarder | null> {
    const { forwarder: config } = this.#config;
    if (config.brokers.length === 0) return null;
    return await startForwarder({
      config,
      log,
      readClock,
      mapping: this.#mapping,
      forwarding: this.#forwarding,
      parts: this.#parts,
      logger: this.#logger.child({ part: 'forwarder' }),
      metrics: this.#metrics,
      print: (line) => output.print(line),
    });
  }
}

async function inUse(dataDir: string): Promise<OperatingError> {
  const pid = (await readGatewayFile(dataDir))?.pid;
  return new OperatingError(
    'data-folder-in-use',
    `another gateway${pid === undefined ? '' : ` (process ${pid})`} works on the data folder ${dataDir}. ` +
      'Stop it first, or give this one a folder of its own with --set data.dir=…',
  );
}
