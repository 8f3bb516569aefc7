import type { ModbusBusStatus } from '../../../ingest/modbus/modbus-source.ts';
import type { ModbusUnitStatus } from '../../../ingest/modbus/unit-report.ts';
import type { MqttSourceStatus } from '../../../ingest/mqtt-source/mqtt-source.ts';
import type { SerialPortStatus } from '../../../ingest/serial/serial-source.ts';
import type { AlertCounts, AnomalyReport } from '../../alert-counts.ts';
import type { ParentLog } from '../../backup/parent-log.ts';
import type { CardStatus } from '../../card-wear.ts';
import type { Addresses } from '../../gateway-file.ts';
import type { TlsStatus } from '../../listeners/tls-status.ts';
import type { AdminStatus, MqttReport, StatusReport, TopicStatus } from '../../status.ts';
import { forwarderSchema } from './forwarder-schema.ts';
import {
  count,
  flag,
  listOf,
  nullable,
  numeric,
  objectOf,
  oneOfTexts,
  type Schema,
  text,
  timeMs,
} from './json-schema.ts';

type Ordinary<Value> = Exclude<Value, null>;

const lastError = nullable(
  objectOf<Ordinary<SerialPortStatus['lastError']>>({ message: text, atMs: timeMs }),
);

const addresses = objectOf<Addresses>({
  mqtt: nullable(text),
  mqtts: nullable(text),
  ws: nullable(text),
  wss: nullable(text),
  admin: text,
});

const tls = objectOf<TlsStatus>({
  certificateFile: text,
  fingerprint: nullable(text),
  validToMs: nullable(timeMs),
  clientCertificates: oneOfTexts(['off', 'optional', 'required']),
  problems: listOf(text),
});

const admin = objectOf<AdminStatus>({
  tls: nullable(tls),
  state: oneOfTexts(['unclaimed', 'claimed']),
  problem: nullable(text),
});

const card = objectOf<CardStatus>({
  payloadBytes: count,
  deviceBytes: objectOf<CardStatus['deviceBytes']>({
    journal: count,
    segments: count,
    other: count,
    metadata: count,
  }),
  deviceBytesPerPayloadByte: nullable(numeric),
  endurance: objectOf<CardStatus['endurance']>({ bytes: count, isEstimate: flag }),
  usedShare: numeric,
  bytesPerDay: nullable(numeric),
  yearsLeft: nullable(numeric),
  device: nullable(
    objectOf<Ordinary<CardStatus['device']>>({
      name: text,
      isShared: flag,
      bytesWritten: count,
      life: nullable(
        objectOf<Ordinary<Ordinary<CardStatus['device']>['life']>>({
          usedShareMax: numeric,
          reserve: nullable(text),
        }),
      ),
    }),
  ),
});

const source = objectOf<MqttSourceStatus>({
  name: text,
  url: text,
  state: oneOfTexts(['connecting', 'connected', 'lost']),
  topics: listOf(text),
  refusedTopics: listOf(text),
  qos: { type: 'integer', enum: [1, 2] },
  messages: count,
  deadLetters: count,
  unanswered: count,
  lagSeconds: numeric,
  reconnects: count,
  sessionsLost: count,
  lastMessageMs: nullable(timeMs),
  lastError,
});

const mqtt = objectOf<MqttReport>({
  sessions: count,
  queued: count,
  retained: count,
  unrouted: listOf(
    objectOf<MqttReport['unrouted'][number]>({ mqttTopic: text, problem: text, messages: count }),
  ),
  sources: listOf(source),
});

const serial = objectOf<SerialPortStatus>({
  name: text,
  wanted: text,
  device: nullable(text),
  state: oneOfTexts(['opening', 'open', 'stalled', 'lost']),
  frames: count,
  deadLetters: count,
  leftOut: count,
  dropped: count,
  commands: count,
  lastFrameMs: nullable(timeMs),
  lastError,
});

const unit = objectOf<ModbusUnitStatus>({
  name: text,
  unit: count,
  state: oneOfTexts(['new', 'answering', 'silent']),
  polls: count,
  records: count,
  lastRecordMs: nullable(timeMs),
  failing: listOf(
    objectOf<ModbusUnitStatus['failing'][number]>({
      register: text,
      reason: text,
      words: text,
      times: count,
      sinceMs: timeMs,
    }),
  ),
});

const bus = objectOf<ModbusBusStatus>({
  name: text,
  place: text,
  device: nullable(text),
  state: oneOfTexts(['opening', 'open', 'lost']),
  requests: count,
  dropped: count,
  lastError,
  units: listOf(unit),
});

/** The schema of a {@link TopicStatus}. */
export const topicStatusSchemas = {
  name: text,
  partitions: listOf(
    objectOf<TopicStatus['partitions'][number]>({
      partition: count,
      logStartOffset: count,
      highWatermark: count,
    }),
  ),
};

const alerts = objectOf<AlertCounts>({
  open: objectOf<AlertCounts['open']>({ urgent: count, high: count, medium: count, low: count }),
  unacknowledged: count,
  shelved: count,
  pending: count,
});

const anomaly = objectOf<AnomalyReport>({
  series: count,
  seriesMax: count,
  evicted: count,
  readings: count,
  lagRecords: count,
  stateBytes: count,
  heldBack: count,
  alerts,
});

/** The JSON schema of a {@link StatusReport}, the answer of `GET /api/status`. */
export const statusSchema: Schema = objectOf<StatusReport>({
  gateway: text,
  version: text,
  logId: text,
  parentLog: nullable(objectOf<ParentLog>({ logId: text, gateway: text, madeAt: text })),
  state: oneOfTexts(['ready', 'degraded']),
  reasons: listOf(text),
  addresses,
  admin,
  tls: nullable(tls),
  dataDir: text,
  uptimeSeconds: numeric,
  log: objectOf<StatusReport['log']>({
    available: flag,
    commits: count,
    journalFiles: count,
    usedBytes: count,
    budgetBytes: count,
    fill: objectOf<StatusReport['log']['fill']>({
      state: oneOfTexts(['unknown', 'steady', 'filling']),
      secondsLeft: nullable(numeric),
    }),
    lastCommitMs: nullable(timeMs),
  }),
  clock: objectOf<StatusReport['clock']>({ isSet: flag, epoch: nullable(count) }),
  card,
  users: objectOf<StatusReport['users']>({
    count,
    anonymous: oneOfTexts(['everywhere', 'loopback', 'nobody']),
    problem: nullable(text),
  }),
  mqtt,
  serial: listOf(serial),
  modbus: listOf(bus),
  topics: listOf(objectOf<TopicStatus>(topicStatusSchemas)),
  forwarder: nullable(forwarderSchema),
  anomaly: nullable(anomaly),
});
