import process from 'node:process';
import type { Forwarder } from '../forwarder/forwarder.ts';
import type { Log } from '../log/log.ts';
import { freeBytes } from '../platform/free-space.ts';
import { nodeClock } from '../platform/node-clock.ts';
import type { AnomalyDetection } from './anomaly-detection.ts';
import type { ParentLog } from './backup/parent-log.ts';
import type { CardWear } from './card-wear.ts';
import { reportForwarder } from './forwarder-metrics.ts';
import type { HealthReport } from './health/health-report.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { MetricsRegistry } from './metrics-registry.ts';
import type { MqttBroker } from './mqtt-broker.ts';
import type { ProcessMetrics } from './process-metrics.ts';
import type { RunTotals } from './run-totals.ts';
import { type AdminStatus, type PresentStatus, type StatusReport, topicStatuses } from './status.ts';
import type { MqttUsers } from './users/mqtt-users.ts';
import { version } from './version.ts';
import type { WiredSources } from './wired-sources.ts';

/** The parts of a gateway that are asked how they are. */
export interface ReportedParts {
  readonly gateway: string;
  readonly dataDir: string;
  readonly parentLog: ParentLog | null;
  readonly addresses: StatusReport['addresses'];
  /** Asked only after the start. */
  readonly admin: () => AdminStatus;
  readonly log: Log;
  readonly health: () => HealthReport;
  readonly card: CardWear;
  readonly housekeeping: Housekeeping;
  readonly users: MqttUsers;
  readonly broker: MqttBroker;
  readonly wired: WiredSources;
  readonly anomaly: AnomalyDetection | null;
  /** Null before it is started, and without a cluster in the configuration. */
  readonly forwarder: () => Forwarder | null;
  readonly process: ProcessMetrics;
  readonly metrics: RunTotals;
  readonly registry: MetricsRegistry;
}

/** Says how the gateway is: to people and programs as a status, to Prometheus as metrics. */
export class GatewayReport {
  readonly #parts: ReportedParts;
  readonly #startedMs = nodeClock.monotonicMs();

  constructor(parts: ReportedParts) {
    this.#parts = parts;
    parts.metrics.set('headwater_build_info', 1, { version, node: process.version });
  }

  /** What can be said at once. */
  present(): PresentStatus {
    const {
      gateway,
      dataDir,
      parentLog,
      addresses,
      admin,
      log,
      health,
      housekeeping,
      users,
      broker,
      wired,
      anomaly,
      forwarder,
    } = this.#parts;
    const { budgetBytes, isClockSet } = housekeeping.retention;
    const { reasons } = health();
    const { commits, journalFiles, usedBytes, lastCommitMs } = log.stats();
    const fill = housekeeping.fill(usedBytes);
    const stored = { commits, journalFiles, usedBytes, lastCommitMs, budgetBytes, fill };
    return {
      gateway,
      version,
      logId: log.logId,
      parentLog,
      state: reasons.length === 0 ? 'ready' : 'degraded',
      reasons,
      addresses,
      admin: admin(),
      tls: broker.tls?.status() ?? null,
      dataDir,
      uptimeSeconds: (nodeClock.monotonicMs() - this.#startedMs) / 1000,
      log: { available: log.available, ...stored },
      clock: { isSet: isClockSet(), epoch: log.clockEpoch?.ordinal ?? null },
      users: users.status(),
      mqtt: broker.status(),
      ...wired.status(),
      topics: topicStatuses(log.partitions()),
      forwarder: forwarder()?.status() ?? null,
      anomaly: anomaly?.status() ?? null,
    };
  }

  /** The same with a look at the storage device. */
  async status(): Promise<StatusReport> {
    return { ...this.present(), card: await this.#parts.card.status() };
  }

  /** All metrics in Prometheus' text format; those that are states rather than events are read now. */
  async renderMetrics(): Promise<string> {
    const { log, health, card, broker, anomaly, forwarder, metrics, registry } = this.#parts;
    this.#parts.process.report();
    await card.report();
    metrics.set('headwater_data_free_bytes', await freeBytes(this.#parts.dataDir).catch(() => Number.NaN));
    metrics.set('headwater_log_available', log.available ? 1 : 0);
    metrics.set('headwater_healthy', health().isHealthy ? 1 : 0);
    broker.report();
    anomaly?.report();
    metrics.set('headwater_journal_files', log.stats().journalFiles);
    metrics.set('headwater_clock_set', log.clockEpoch?.isSet === true ? 1 : 0);
    registry.forget('headwater_high_watermark');
    for (const { topic, partition, highWatermark } of log.partitions())
      metrics.set('headwater_high_watermark', highWatermark, { topic, partition });
    const mirror = forwarder();
    if (mirror !== null) reportForwarder(mirror.status(), registry);
    return await registry.render();
  }
}
