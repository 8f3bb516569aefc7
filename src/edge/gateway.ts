import type { ClockReading } from '../core/clock.ts';
import { isOperatingError, OperatingError } from '../core/errors.ts';
import '../core/limit-relations.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Accept } from '../core/record.ts';
import { clockTopicName, gapsTopicName } from '../core/topic-name.ts';
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
import { type AnomalyDetection, startAnomalyDetection } from './anomaly-detection.ts';
import { CardWear } from './card-wear.ts';
import { formatAddress } from './config/address.ts';
import type { Config } from './config/schema.ts';
import { type Addresses, readGatewayFile, removeGatewayFile, writeGatewayFile } from './gateway-file.ts';
import { GatewayReport } from './gateway-report.ts';
import { greeting } from './greeting.ts';
import { Housekeeping } from './housekeeping.ts';
import { type Machine, thisMachine } from './machine.ts';
import { MetricsRegistry } from './metrics-registry.ts';
import { type MqttBroker, startMqttBroker, startTelling } from './mqtt-broker.ts';
import { openLog } from './open-log.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { RunTotals } from './run-totals.ts';
import { serviceLog } from './service-log.ts';
import { WorkerSessionStore } from './session-store/worker-session-store.ts';
import { type AdminPort, openAdmin, type Served } from './start-admin.ts';
import { startForwarder } from './start-forwarder.ts';
import { StartedParts } from './started-parts.ts';
import type { StatusReport } from './status.ts';
import { TopicChanges } from './topic-changes.ts';
import { topicMapping } from './topic-mapping.ts';
import { ensureTopics, type TopicWriters, topicWriters } from './topics.ts';
import { type MqttUsers, openMqttUsers } from './users/mqtt-users.ts';
import { version } from './version.ts';
import { startWiredSources } from './wired-sources.ts';
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
  readonly #process = new ProcessMetrics(nodeClock, this.#metrics);
  readonly #parts: StartedParts;
  readonly #lock: FolderLock;
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
    this.#logger = serviceLog(config.log.level);
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
    this.#process.stop();
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
    const admin = await openAdmin({
      config: this.#config,
      dataDir: this.#dataDir,
      hasher: mqttUsers.hasher,
      parts: this.#parts,
      clock: nodeClock,
      logger: this.#logger.child({ part: 'admin' }),
    });
    const report = new GatewayReport({
      gateway: this.#config.gateway.name,
      dataDir: this.#dataDir,
      addresses,
      admin: admin.status,
      log,
      card,
      housekeeping,
      users: mqttUsers,
      broker,
      wired,
      anomaly: this.#anomaly,
      forwarder: () => this.#forwarder,
      process: this.#process,
      metrics: this.#metrics,
      registry: this.#registry,
    });
    const served = this.#served(log, writers, mqttUsers, {
      status: () => report.status(),
      renderMetrics: () => report.renderMetrics(),
      serial: wired,
    });
    const { address } = await admin.serve(served);
    addresses.admin = formatAddress(address);
    startTelling(broker.ingest, () => report.present(), this.#anomaly?.desk ?? null, this.#parts);

    this.#forwarder = await this.#startForwarder(log, readClock, output);
    await this.#keepGatewayFile(addresses, admin.tls);
    await this.#greet(output, broker, mqttUsers, addresses, admin);
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

  /** What the admin API shows and serves. */
  #served(
    log: Log,
    writers: TopicWriters,
    { users }: MqttUsers,
    seen: Pick<Served, 'status' | 'renderMetrics' | 'serial'>,
  ): Served {
    return {
      ...seen,
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
      series: this.#anomaly?.desk ?? null,
      accepted: () => this.#metrics.accepted(),
      metricsContentType: this.#registry.contentType,
      metrics: this.#metrics,
    };
  }

  /** Tells the command line where the gateway is, and which certificate it shows; that may be another one some day. */
  async #keepGatewayFile(addresses: Addresses, tls: AdminPort['tls']): Promise<void> {
    const write = () =>
      writeGatewayFile(this.#dataDir, {
        pid: process.pid,
        ...addresses,
        adminFingerprint: tls?.status().fingerprint ?? null,
      });
    await write();
    let writing = Promise.resolve();
    let isOver = false;
    tls?.onChange(() => {
      const again = () => (isOver ? Promise.resolve() : write());
      writing = writing.then(again).catch((error: unknown) => {
        if (!isOperatingError(error)) throw error;
        this.#logger.error(
          { error: error.message },
          'the command line cannot be told of the new certificate; make room on the disk or let this user write the data folder, and start again',
        );
      });
    });
    this.#parts.add('gateway.json', async () => {
      isOver = true;
      await writing;
      await removeGatewayFile(this.#dataDir);
    });
  }

  async #greet(
    output: Output,
    { tls, sourceWarnings }: MqttBroker,
    users: MqttUsers,
    addresses: StatusReport['addresses'],
    admin: AdminPort,
  ): Promise<void> {
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
