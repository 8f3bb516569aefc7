import type { ClockReading } from '../core/clock.ts';
import { OperatingError } from '../core/errors.ts';
import '../core/limit-relations.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Accept } from '../core/record.ts';
import { clockTopicName, gapsTopicName } from '../core/topic-name.ts';
import type { TopicMapping } from '../forwarder/cluster/topic-mapping.ts';
import type { Forwarder } from '../forwarder/forwarder.ts';
import { MirrorForwarding } from '../forwarder/mirror/mirror-forwarding.ts';
import { isSetAt } from '../log/clock/clock-epoch.ts';
import type { Log, LogOptions } from '../log/log.ts';
import { boardSerial } from '../platform/board-serial.ts';
import { readBootId } from '../platform/boot-id.ts';
import { CountedDisk } from '../platform/counted-disk.ts';
import { prepareDataFolder } from '../platform/data-folder.ts';
import { FolderLock } from '../platform/folder-lock.ts';
import { freeBytes } from '../platform/free-space.ts';
import { linuxStorageDevice } from '../platform/linux-storage-device.ts';
import { machineLocalTime } from '../platform/local-time.ts';
import { clockReader, nodeClock } from '../platform/node-clock.ts';
import { NodeDisk } from '../platform/node-disk.ts';
import { nodeRandom } from '../platform/node-random.ts';
import { pinoLogger } from '../platform/pino-logger.ts';
import { AdminServer, type AdminServerOptions } from './admin/admin-server.ts';
import { loadAdminToken } from './admin/admin-token.ts';
import { type AnomalyDetection, startAnomalyDetection } from './anomaly-detection.ts';
import { CardWear } from './card-wear.ts';
import { accessReader, accessWarnings } from './cluster-credentials.ts';
import { formatAddress } from './config/address.ts';
import type { Config } from './config/schema.ts';
import { reportForwarder } from './forwarder-metrics.ts';
import { readGatewayFile, removeGatewayFile, writeGatewayFile } from './gateway-file.ts';
import { greeting } from './greeting.ts';
import { Housekeeping } from './housekeeping.ts';
import { type Machine, thisMachine } from './machine.ts';
import { MetricsRegistry } from './metrics-registry.ts';
import { reportMirror } from './mirror-report.ts';
import { type MqttBroker, startMqttBroker, startTelling } from './mqtt-broker.ts';
import { openLog } from './open-log.ts';
import { RunTotals } from './run-totals.ts';
import { WorkerSessionStore } from './session-store/worker-session-store.ts';
import { StartedParts } from './started-parts.ts';
import { degradations, type PresentStatus, type StatusReport, topicStatuses } from './status.ts';
import { TopicChanges } from './topic-changes.ts';
import { topicMapping } from './topic-mapping.ts';
import { ensureTopics, type TopicWriters, topicWriters } from './topics.ts';
import { type MqttUsers, openMqttUsers } from './users/mqtt-users.ts';
import { version } from './version.ts';
import { startWiredSources, type WiredSources } from './wired-sources.ts';
import { WorkerSealer } from './worker-sealer.ts';

/** Where the gateway tells a person what it does, one line at a time. */
export interface Output {
  print(line: string): void;
}

type OwnLogOptions = Pick<LogOptions, 'disk' | 'sealer' | 'readClock' | 'retention'>;

/** The whole daemon: every part, in the order in which they need each other. */
export class Gateway {
  readonly #config: Config;
  readonly #dataDir: string;
  readonly #machine: Machine;
  readonly #logger: Logger;
  readonly #registry = new MetricsRegistry();
  readonly #metrics = new RunTotals(this.#registry);
  readonly #parts: StartedParts;
  readonly #lock: FolderLock;
  readonly #startedMs = nodeClock.monotonicMs();
  /** Null without a cluster in the configuration. */
  #forwarder: Forwarder | null = null;
  /** Null if the configuration wants none. */
  #anomaly: AnomalyDetection | null = null;
  /** What the log may remove, as far as the mirror is concerned. */
  readonly #forwarding: MirrorForwarding;
  readonly #mapping: TopicMapping;

  private constructor(config: Config, dataDir: string, lock: FolderLock, machine: Machine) {
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
   * is full or fails is waited for, until the signal.
   * @throws OperatingError `data-folder-in-use`, `data-folder-unusable`, `unreadable-format`, `port-unusable`,
   *   `log-unavailable`, or what the creation of a configured topic meets
   */
  static async start(
    config: Config,
    output: Output,
    signal: AbortSignal,
    machine: Machine = thisMachine,
  ): Promise<Gateway> {
    const dataDir = await prepareDataFolder(config.data.dir);
    const lock = FolderLock.take(dataDir);
    if (lock === null) throw await inUse(dataDir);
    const gateway = new Gateway(config, dataDir, lock, machine);
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

  async #startParts(output: Output, signal: AbortSignal): Promise<void> {
    // A crashed run left it; until this one is ready, nobody shall look for a gateway at its addresses.
    await removeGatewayFile(this.#dataDir);
    const mqttUsers = await openMqttUsers(
      this.#dataDir,
      this.#config.mqtt,
      this.#logger.child({ part: 'users' }),
    );
    this.#parts.add('users', () => mqttUsers.users.settled());

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
    const present = () => this.#present(log, housekeeping, mqttUsers, { broker, wired }, addresses);
    const status = async () => ({ ...present(), card: await card.status() });
    const renderMetrics = () => this.#renderMetrics(log, card, broker);
    const { address } = await this.#startAdmin(log, writers, mqttUsers, {
      status,
      renderMetrics,
      serial: wired,
    });
    addresses.admin = formatAddress(address);
    startTelling(broker.ingest, present, this.#anomaly?.desk ?? null, this.#parts);

    if (this.#config.forwarder.brokers.length > 0) await this.#startForwarder(log, readClock, output);
    await writeGatewayFile(this.#dataDir, { pid: process.pid, ...addresses });
    this.#parts.add('gateway.json', () => removeGatewayFile(this.#dataDir));
    await this.#greet(output, broker, mqttUsers, addresses);
  }

  async #startAdmin(
    log: Log,
    writers: TopicWriters,
    { users }: MqttUsers,
    seen: Pick<AdminServerOptions, 'status' | 'renderMetrics' | 'serial'>,
  ): Promise<AdminServer> {
    const server = await AdminServer.start({
      clock: nodeClock,
      metrics: this.#metrics,
      listen: this.#config.admin.listen,
      log,
      topics: new TopicChanges({
        log,
        mapping: this.#mapping,
        configured: this.#config.topics,
        writers: new Map([
          ...writers,
          [gapsTopicName, ['the loss ledger']],
          [clockTopicName, ['what the log tells of the clock']],
        ]),
      }),
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

  async #startForwarder(log: Log, readClock: () => ClockReading, output: Output): Promise<void> {
    // Loaded only now: the Kafka library takes as long to load as all the rest, and readings need not wait for it.
    const module = await import('../forwarder/forwarder.ts');
    const { forwarder } = this.#config;
    const surroundings = { clock: nodeClock, random: nodeRandom, environment: process.env };
    const readAccess = accessReader(forwarder, surroundings);
    const logger = this.#logger.child({ part: 'forwarder' });
    // Told, but no reason not to start: files may come later, and readings are to be taken in whatever happens.
    for (const warning of await accessWarnings(forwarder, readAccess)) output.print(`warning: ${warning}`);
    // Who does not wait for the clock says that it is right.
    const isTimeKnown = (): boolean => forwarder.waitForClock === 0 || isSetAt(log.clockEpoch, readClock());
    const started = new module.Forwarder({
      log,
      brokers: forwarder.brokers.map(formatAddress),
      readAccess,
      mapping: this.#mapping,
      creation: forwarder.create,
      lingerMs: forwarder.lingerMs,
      waitForClockMs: forwarder.waitForClock,
      bytesPerSecond: forwarder.bytesPerSecond,
      meteredLink: { ...forwarder, localTime: machineLocalTime, isClockSet: isTimeKnown },
      delivery: forwarder.delivery,
      onCheckpointLost: forwarder.onCheckpointLost,
      board: await boardSerial(),
      clock: nodeClock,
      random: nodeRandom,
      logger,
      metrics: this.#metrics,
    });
    this.#forwarding.follow(started);
    started.start();
    this.#forwarder = started;
    const stopping = new AbortController();
    const reporting = reportMirror(
      { status: () => started.status(), clock: nodeClock, logger },
      stopping.signal,
    );
    this.#parts.add('forwarder', async () => {
      stopping.abort();
      await reporting;
      await started.stop();
    });
  }

  #present(
    log: Log,
    { retention: { budgetBytes, isClockSet } }: Housekeeping,
    users: MqttUsers,
    { broker, wired }: { readonly broker: MqttBroker; readonly wired: WiredSources },
    addresses: StatusReport['addresses'],
  ): PresentStatus {
    const reasons = degradations(log);
    return {
      gateway: this.#config.gateway.name,
      version,
      logId: log.logId,
      state: reasons.length === 0 ? 'ready' : 'degraded',
      reasons,
      addresses,
      tls: broker.tls?.status() ?? null,
      dataDir: this.#dataDir,
      uptimeSeconds: (nodeClock.monotonicMs() - this.#startedMs) / 1000,
      log: { available: log.available, ...log.stats(), budgetBytes },
      clock: { isSet: isClockSet(), epoch: log.clockEpoch?.ordinal ?? null },
      users: users.status(),
      mqtt: broker.status(),
      ...wired.status(),
      topics: topicStatuses(log.partitions()),
      forwarder: this.#forwarder?.status() ?? null,
      anomaly: this.#anomaly?.status() ?? null,
    };
  }

  /** All metrics; those that are states rather than events are read now. */
  async #renderMetrics(log: Log, card: CardWear, broker: MqttBroker): Promise<string> {
    const metrics = this.#metrics;
    await card.report();
    metrics.set('headwater_log_available', log.available ? 1 : 0);
    broker.report();
    this.#anomaly?.report();
    metrics.set('headwater_journal_files', log.stats().journalFiles);
    metrics.set('headwater_clock_set', log.clockEpoch?.isSet === true ? 1 : 0);
    this.#registry.forget('headwater_high_watermark');
    for (const { topic, partition, highWatermark } of log.partitions()) {
      metrics.set('headwater_high_watermark', highWatermark, { topic, partition });
    }
    if (this.#forwarder !== null) reportForwarder(this.#forwarder.status(), this.#registry);
    return await this.#registry.render();
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
