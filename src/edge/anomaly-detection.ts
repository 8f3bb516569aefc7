import { allDetectors } from '../anomaly/all-detectors.ts';
import { Anomaly } from '../anomaly/anomaly.ts';
import type { Disk } from '../core/disk.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Log } from '../log/log.ts';
import { nodeClock } from '../platform/node-clock.ts';
import type { AlertDesk } from './admin/alert-requests.ts';
import type { SeriesDesk } from './admin/series-list.ts';
import { type AnomalyReport, anomalyReport, reportAlerts } from './alert-counts.ts';
import { seriesRules } from './config/anomaly-section.ts';
import type { Config } from './config/schema.ts';
import { modbusSeriesRules } from './modbus-buses.ts';
import type { StartedParts } from './started-parts.ts';
import type { AlertFeed } from './told-topics.ts';
import { decodedBy, topicDecoders } from './topic-decoders.ts';

export interface AnomalyDetectionOptions {
  readonly config: Config;
  readonly disk: Disk;
  readonly log: Log;
  readonly parts: StartedParts;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Anomaly detection as the gateway runs it. */
export interface AnomalyDetection {
  readonly desk: AlertDesk & AlertFeed & SeriesDesk;
  /** What the status says of it. */
  status(): AnomalyReport;
  /** Enters among the metrics what is a state rather than an event. */
  report(): void;
  /** What this says of series, and how it says that payloads are understood, counts from now on. */
  use(config: Pick<Config, 'anomaly' | 'modbus' | 'mqtt'>): void;
  /** What saved detector states take on the disk. */
  readonly stateBytes: number;
}

/**
 * Begins to look at what the log holds, as a part that is stopped before the log; null if the configuration does not want it. What comes
 * after this has resolved is judged, whatever happens.
 */
export async function startAnomalyDetection(
  options: AnomalyDetectionOptions,
): Promise<AnomalyDetection | null> {
  const { config, disk, log, parts, logger, metrics } = options;
  const { enabled, topics, seriesMax, stateBytesPerDay, verdicts } = config.anomaly;
  if (!enabled) return null;
  let decoded = decodedBy(topicDecoders(config.mqtt.routes));
  const anomaly = await Anomaly.open({
    log,
    disk,
    clock: nodeClock,
    logger,
    metrics,
    detection: allDetectors,
    rules: rulesOf(config),
    seriesMax,
    topics,
    decoded: (topic, value) => decoded(topic, value),
    verdictsTopic: verdicts ?? null,
    stateBytesPerDay,
  });
  anomaly.start();
  parts.add('anomaly detection', () => anomaly.stop());
  return {
    desk: anomaly,
    status: () => anomalyReport(anomaly.status()),
    report: () => {
      const status = anomaly.status();
      metrics.set('headwater_anomaly_series', status.series);
      metrics.set('headwater_anomaly_lag_records', status.lagRecords);
      reportAlerts(anomalyReport(status), metrics);
    },
    use: (next) => {
      decoded = decodedBy(topicDecoders(next.mqtt.routes));
      anomaly.useRules(rulesOf(next));
    },
    get stateBytes() {
      return anomaly.stateBytes;
    },
  };
}

const rulesOf = ({ anomaly, modbus }: Pick<Config, 'anomaly' | 'modbus'>) => [
  ...seriesRules(anomaly),
  ...modbusSeriesRules(modbus),
];
