import type { ForwarderStatus } from '../forwarder/progress/status.ts';
import type { ModbusBusStatus } from '../ingest/modbus/modbus-source.ts';
import type { MqttStatus } from '../ingest/mqtt/mqtt-ingest.ts';
import type { MqttSourceStatus } from '../ingest/mqtt-source/mqtt-source.ts';
import type { SerialPortStatus } from '../ingest/serial/serial-source.ts';
import type { PartitionInfo } from '../log/types.ts';
import type { AdminState } from './admin/access/admin-access.ts';
import type { AnomalyReport } from './alert-counts.ts';
import type { ParentLog } from './backup/parent-log.ts';
import type { CardStatus } from './card-wear.ts';
import type { Fill } from './fill-forecast.ts';
import type { Addresses } from './gateway-file.ts';
import type { TlsStatus } from './listeners/tls-status.ts';
import type { UsersStatus } from './users/mqtt-users.ts';

/** What `GET /api/status` answers and `headwater status` shows. */
export interface StatusReport {
  readonly gateway: string;
  readonly version: string;
  readonly logId: string;
  /** The log beside which the backup was made that was restored here last; null if none was. */
  readonly parentLog: ParentLog | null;
  /** `degraded`: readings are refused now, `reasons` says why. Being offline from the cluster is not degraded. */
  readonly state: 'ready' | 'degraded';
  /** In words; empty while ready. */
  readonly reasons: readonly string[];
  readonly addresses: Addresses;
  /** Of the page and the API. */
  readonly admin: AdminStatus;
  /** Of the MQTT listeners with TLS; null if there are none. */
  readonly tls: TlsStatus | null;
  readonly dataDir: string;
  readonly uptimeSeconds: number;
  readonly log: {
    readonly available: boolean;
    /** Commits of this run. */
    readonly commits: number;
    readonly journalFiles: number;
    /** What the data folder takes on the disk, and what it may take. */
    readonly usedBytes: number;
    readonly budgetBytes: number;
    /** When the budget is reached at the rate of the last day. */
    readonly fill: Fill;
    /** Wall clock of the last commit; null before the first. */
    readonly lastCommitMs: number | null;
  };
  readonly clock: ClockStatus;
  /** What the medium under the data folder has been given, against what it is rated for. */
  readonly card: CardStatus;
  /** Who may log in to the MQTT port. */
  readonly users: UsersStatus;
  /** What the MQTT broker keeps for its clients, and what followed no route. */
  readonly mqtt: MqttReport;
  /** The configured serial ports. A lost one does not make the gateway degraded: it refuses nothing. */
  readonly serial: readonly SerialPortStatus[];
  /** The configured Modbus buses. A lost one, or a silent unit, does not make the gateway degraded: it refuses nothing. */
  readonly modbus: readonly ModbusBusStatus[];
  readonly topics: readonly TopicStatus[];
  /** Null without a cluster in the configuration. */
  readonly forwarder: ForwarderStatus | null;
  /** Null if anomaly detection is switched off. An alert does not make the gateway degraded: it refuses nothing. */
  readonly anomaly: AnomalyReport | null;
}

/** How the admin port is. */
export interface AdminStatus {
  /** Null if it speaks plain HTTP. */
  readonly tls: TlsStatus | null;
  /** Whether somebody has set the password of the page. */
  readonly state: AdminState;
  /** What is wrong with the kept password, and what to do; null if nothing is. */
  readonly problem: string | null;
}

/** What can be said without a look at the device. */
export type PresentStatus = Omit<StatusReport, 'card'>;

/** What the status says of MQTT. */
export interface MqttReport extends MqttStatus {
  /** The configured brokers that the gateway subscribes to. A lost one does not make it degraded: it refuses nothing. */
  readonly sources: readonly MqttSourceStatus[];
}

/** How the wall clock is, which the stamps of records come from. */
export interface ClockStatus {
  /** Whether it is known to be right. */
  readonly isSet: boolean;
  /** The clock epoch of the records that come now; null before the first record of all. */
  readonly epoch: number | null;
}

/** A topic with how far each of its partitions reaches. */
export interface TopicStatus {
  readonly name: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly logStartOffset: number;
    readonly highWatermark: number;
  }[];
}

/** Partitions, grouped by topic in the order in which the topics were created. */
export function topicStatuses(partitions: readonly PartitionInfo[]): readonly TopicStatus[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, ofTopic]) => ({
    name,
    partitions: ofTopic
      .map(({ partition, logStartOffset, highWatermark }) => ({ partition, logStartOffset, highWatermark }))
      .sort((one, other) => one.partition - other.partition),
  }));
}
