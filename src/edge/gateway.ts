import type { ClockReading } from '../core/clock.ts';
import { isOperatingError, OperatingError } from '../core/errors.ts';
import '../core/limit-relations.ts';
import { limits } from '../core/limits.ts';
import type { Accept } from '../core/record.ts';
import type { TopicMapping } from '../forwarder/cluster/topic-mapping.ts';
import type { Forwarder } from '../forwarder/forwarder.ts';
import { MirrorForwarding } from '../forwarder/mirror/mirror-forwarding.ts';
import type { Log, LogOptions } from '../log/log.ts';
import { readBootId } from '../platform/boot-id.ts';
import { CountedDisk } from '../platform/counted-disk.ts';
import { prepareDataFolder } from '../platform/data-folder.ts';
import { FolderLock } from '../platform/folder-lock.ts';
import { freeBytes } from '../platform/free-space.ts';
import { linuxStorageDevice } from '../platform/linux-storage-device.ts';
import { clockReader, nodeClock } from '../platform/node-clock.ts';
import { NodeDisk } from '../platform/node-disk.ts';
import { nodeRandom } from '../platform/node-random.ts';
import { pinoLogger, type ServiceLogger } from '../platform/pino-logger.ts';
import { AdminServer, type AdminServerOptions } from './admin/admin-server.ts';
import { loadAdminToken } from './admin/admin-token.ts';
import { type AnomalyDetection, startAnomalyDetection } from './anomaly-detection.ts';
import { CardWear } from './card-wear.ts';
import { formatAddress } from './config/address.ts';
import type { Config } from './config/schema.ts';
import { ConfigReloads } from './config-reloads.ts';
import { readGatewayFile, removeGatewayFile, writeGatewayFile } from './gateway-file.ts';
import { GatewayReport } from './gateway-report.ts';
import { greeting } from './greeting.ts';
import { Housekeeping } from './housekeeping.ts';
import { type Machine, thisMachine } from './machine.ts';
import { MetricsRegistry } from './metrics-registry.ts';
import { type MqttBroker, startMqttBroker, startTelling } from './mqtt-broker.ts';
import { openLog } from './open-log.ts';
import { RunTotals } from './run-totals.ts';
import { WorkerSessionStore } from './session-store/worker-session-store.ts';
import { startForwarder } from './start-forwarder.ts';
import { StartedParts } from './started-parts.ts';
import type { StatusReport } from './status.ts';
import { TopicChanges } from './topic-changes.ts';
import { topicMapping } from './topic-mapping.ts';
import { ensureTopics, type TopicWriters, topicWriters, withOwnTopics } from './topics.ts';
import { type MqttUsers, openMqttUsers } from './users/mqtt-users.ts';
import { version } from './version.ts';
import { startWiredSources } from './wired-sources.ts';
import { WorkerSealer } from './worker-sealer.ts';

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

type OwnLogOptions = Pick<LogOptions, 'disk' | 'sealer' | 'readClock' | 'retention'>;

/** The whole daemon: every part, in the order in which they need each other. */
export class Gateway {
  readonly #config: Config;
  readonly #dataDir: string;
  readonly #machine: Machine;
  readonly #logger: ServiceLogger;
  readonly #reread: () => Promise<Config>;
  readonly #registry = new MetricsRegistry();
  readonly #metrics = new RunTotals(this.#registry);
  readonly #parts: StartedParts;
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
    this.#logger = pinoLogger(config.log.level);
    this.#mapping = topicMapping(config);
    this.#forwarding = new MirrorForwarding(this.#mapping);
    this.#parts = new StartedParts(nodeClock, this.#logger);
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
    const dataDir = await prepareDataFolder(config.data.dir);
    const lock = FolderLock.take(dataDir);
    if (lock === null) throw await inUse(dataDir);
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
    const stuck = await this.#parts.stop(limits.stopTimeoutMs);
    this.#registry.close();
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
    const mqttUsers = await openMqttUsers(
      this.#dataDir,
      this.#config.mqtt,
      this.#logger.child({ part: 'users' }),
    );
    this.#parts.add('users', () => mqttUsers.users.settled());

    const { disk, card, sessions, housekeeping, readClock, log } = await this.#openStorage(signal);
    const writers = topicWriters(this.#config);
    await ensureTopics(log, this.#config.topics, writers.keys(), this.#logger);
    const shared = { config: this.#config, disk, log, parts: this.#parts, metrics: this.#metrics };
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
    const report = new GatewayReport({
      gateway: this.#config.gateway.name,
      dataDir: this.#dataDir,
      addresses,
      log,
      card,
      housekeeping,
      users: mqttUsers,
      broker,
      wired,
      anomaly: this.#anomaly,
      forwarder: () => this.#forwarder,
      metrics: this.#metrics,
      registry: this.#registry,
    });
    const topics = this.#topicChanges(log, writers);
    const reloads = new ConfigReloads({
      config: this.#config,
      reread: this.#reread,
      apply: (config) => this.#takeUp(config, { log, topics, broker }),
      logger: this.#logger.child({ part: 'configuration' }),
      metrics: this.#metrics,
    });
    this.#reloads = reloads;
    const { address } = await this.#startAdmin(log, mqttUsers, {
      topics,
      status: () => report.status(),
      renderMetrics: () => report.renderMetrics(),
      serial: wired,
      reload: () => reloads.reload(),
    });
    addresses.admin = formatAddress(address);
    startTelling(broker.ingest, () => report.present(), this.#anomaly?.desk ?? null, this.#parts);

    this.#forwarder = await this.#startForwarder(log, readClock, output);
    await writeGatewayFile(this.#dataDir, { pid: process.pid, ...addresses });
    this.#parts.add('gateway.json', () => removeGatewayFile(this.#dataDir));
    this.#isStarted = true;
    await this.#greet(output, broker, mqttUsers, addresses);
  }

  /** What keeps readings: the log with all that belongs to it. */
  async #openStorage(signal: AbortSignal) {
    const disk = new CountedDisk(new NodeDisk(this.#dataDir), this.#metrics);
    const card = await this.#openCard(disk);
    const sealer = new WorkerSealer(this.#dataDir, this.#metrics);
    const sessions = new WorkerSessionStore(
      this.#dataDir,
      this.#logger.child({ part: 'mqtt' }),
      this.#metrics,
    );
    const housekeeping = await this.#openHousekeeping(disk, sessions);
    const readClock = clockReader(await readBootId(nodeRandom), housekeeping.retention.isClockSet);
    const log = await this.#openLog({ disk, sealer, readClock, retention: housekeeping.retention }, signal);
    card.start();
    // Stopped the other way round: what the log and its thread still write counts.
    this.#parts.add('card', () => card.stop());
    this.#parts.add('sealer', () => sealer.stop());
    this.#forwarding.remember(log);
    this.#parts.add('log', () => log.close());
    housekeeping.start(log);
    this.#parts.add('housekeeping', () => housekeeping.stop());
    return { disk, card, sessions, housekeeping, readClock, log };
  }

  #topicChanges(log: Log, writers: TopicWriters): TopicChanges {
    return new TopicChanges({
      log,
      mapping: this.#mapping,
      configured: this.#config.topics,
      writers: withOwnTopics(writers),
    });
  }

  async #startAdmin(
    log: Log,
    { users }: MqttUsers,
    seen: Pick<AdminServerOptions, 'topics' | 'status' | 'renderMetrics' | 'serial' | 'reload'>,
  ): Promise<AdminServer> {
    const server = await AdminServer.start({
      clock: nodeClock,
      metrics: this.#metrics,
      listen: this.#config.admin.listen,
      log,
      users,
      alerts: this.#anomaly?.desk ?? null,
      token: await loadAdminToken(this.#dataDir, nodeRandom),
      ...seen,
      metricsContentType: this.#registry.contentType,
      logger: this.#logger.child({ part: 'admin' }),
    });
    this.#parts.add('admin', () => server.stop());
    return server;
  }

  async #greet(
    output: Output,
    { tls, sourceWarnings }: MqttBroker,
    users: MqttUsers,
    addresses: StatusReport['addresses'],
  ): Promise<void> {
    const warnings = [...((await tls?.warnings()) ?? []), ...sourceWarnings];
    for (const line of [
      ...greeting(this.#config, addresses, this.#dataDir, tls?.status() ?? null),
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

  #openCard(disk: CountedDisk): Promise<CardWear> {
    return CardWear.open({
      disk,
      thisRun: () => this.#metrics.totals(),
      endurance: this.#config.data.endurance,
      readDevice: () => linuxStorageDevice(this.#dataDir),
      clock: nodeClock,
      logger: this.#logger.child({ part: 'card' }),
      metrics: this.#metrics,
    });
  }

  #openHousekeeping(disk: CountedDisk, sessions: WorkerSessionStore): Promise<Housekeeping> {
    return Housekeeping.open({
      disk,
      forwarding: this.#forwarding,
      budgetBytes: this.#config.data.budget,
      freeBytes: () => freeBytes(this.#dataDir),
      isClockSet: this.#machine.isClockSet,
      otherBytes: () => sessions.bytes + (this.#anomaly?.stateBytes ?? 0),
      clock: nodeClock,
      logger: this.#logger.child({ part: 'housekeeping' }),
      metrics: this.#metrics,
    });
  }

  #openLog(own: OwnLogOptions, signal: AbortSignal): Promise<Log> {
    return openLog(
      {
        ...own,
        dataDir: this.#dataDir,
        clock: nodeClock,
        random: nodeRandom,
        logger: this.#logger.child({ part: 'log' }),
        metrics: this.#metrics,
        version,
        commitIntervalMs: this.#config.data.commitIntervalMs,
      },
      signal,
    );
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
