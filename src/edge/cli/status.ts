import { durationText } from '../../core/duration.ts';
import type { KeptStatus } from '../../ingest/mqtt/sessions/mqtt-state.ts';
import type { MqttSourceStatus } from '../../ingest/mqtt-source/mqtt-source.ts';
import type { SerialPortStatus } from '../../ingest/serial/serial-source.ts';
import { formatSize } from '../config/quantities.ts';
import { listenerRows, tlsRow } from '../listeners/listener-rows.ts';
import type { ClockStatus, StatusReport, TopicStatus } from '../status.ts';
import type { UsersStatus } from '../users/mqtt-users.ts';
import type { AdminClient } from './admin-client.ts';
import { adminRows } from './admin-rows.ts';
import { alertsText } from './alerts.ts';
import { cardRows } from './card-rows.ts';
import { clusterRows } from './cluster-rows.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { modbusRows } from './modbus-rows.ts';
import { portPlace } from './port-place.ts';
import { unroutedRows } from './routes.ts';
import type { Terminal } from './terminal.ts';

/** `headwater status`: how the running gateway is, for people or (`json`) for programs. Ends with 4 if it is degraded. */
export async function status(client: AdminClient, terminal: Terminal, json: boolean): Promise<ExitCode> {
  const report = (await client.json('GET', '/api/status')) as StatusReport;
  await terminal.output.write(json ? `${JSON.stringify(report)}\n` : statusText(report, Date.now()));
  return report.state === 'ready' ? exitCodes.ok : exitCodes.degraded;
}

/** The report for people: the first line is the verdict. `nowMs` is the wall clock. */
export function statusText(report: StatusReport, nowMs: number): string {
  const { log, addresses, tls, topics } = report;
  const commit = log.lastCommitMs === null ? '' : `, the last one ${ago(log.lastCommitMs, nowMs)}`;
  const rows: readonly (readonly [string, string])[] = [
    ...report.reasons.map((reason) => ['because', reason] as const),
    ['running', `version ${report.version}, for ${durationText(report.uptimeSeconds)}`],
    ...listenerRows(addresses).map((row, index) => [index === 0 ? 'mqtt' : '', row] as const),
    ...(tls === null ? [] : [['tls', tlsRow(tls)] as const]),
    ...(tls?.problems ?? []).map((problem) => ['', `TROUBLE: ${problem}`] as const),
    ['kept', keptText(report.mqtt)],
    ['users', usersText(report.users)],
    ...unroutedRows(report.mqtt.unrouted).map((row, index) => [index === 0 ? 'unrouted' : '', row] as const),
    ...report.serial.map((port, index) => [index === 0 ? 'serial' : '', serialText(port, nowMs)] as const),
    ...modbusRows(report.modbus, nowMs).map((row, index) => [index === 0 ? 'modbus' : '', row] as const),
    ...report.mqtt.sources.map(
      (source, index) => [index === 0 ? 'brokers' : '', sourceText(source, nowMs)] as const,
    ),
    ...adminRows(report).map((row, index) => [index === 0 ? 'admin' : '', row] as const),
    ['clock', clockText(report.clock)],
    ['data', report.dataDir],
    ['log', `${log.commits} commits${commit}; ${log.journalFiles} journal files`],
    [
      'disk',
      `${roundedSize(log.usedBytes)} of ${roundedSize(log.budgetBytes)} that the data folder may take`,
    ],
    ...cardRows(report.card).map((row, index) => [index === 0 ? 'card' : '', row] as const),
    ...clusterRows(report.forwarder, nowMs).map((row, index) => [index === 0 ? 'cluster' : '', row] as const),
    ['alerts', alertsText(report.anomaly)],
    ...topicRows(topics).map((row, index) => [index === 0 ? 'topics' : '', row] as const),
  ];
  const verdict = report.state === 'ready' ? 'is ready' : 'is DEGRADED: it refuses readings now';
  return [
    `${report.gateway} ${verdict}`,
    ...rows.map(([name, text]) => `  ${name.padEnd(9)}${text}`),
    '',
  ].join('\n');
}

const keptText = ({ sessions, queued, retained }: KeptStatus): string =>
  `${sessions} lasting sessions, ${queued} messages waiting in them, ${retained} retained`;

function usersText({ count, anonymous, problem }: UsersStatus): string {
  if (problem !== null) return `UNUSABLE: ${problem}`;
  const who = {
    everywhere: 'clients without a user are let in from everywhere',
    loopback: 'clients without a user are let in from this machine',
    nobody: 'nobody is let in without one',
  };
  return `${count}; ${who[anonymous]}`;
}

const clockText = ({ isSet }: ClockStatus): string =>
  isSet
    ? 'set'
    : 'NOT SET since the machine was started: stamps are wrong until a time server answers, then they are corrected';

const roundedSize = (bytes: number): string => formatSize(Math.round(bytes / 2 ** 20) * 2 ** 20);

function serialText(port: SerialPortStatus, nowMs: number): string {
  const { frames, deadLetters, leftOut, dropped, lastFrameMs, lastError } = port;
  const told = leftOut === 0 ? '' : ` (${leftOut} of them only counted)`;
  return [
    serialStateText(port),
    `${frames} frames${lastFrameMs === null ? '' : `, the last one ${ago(lastFrameMs, nowMs)}`}`,
    `${deadLetters} dead letters${told}`,
    ...(port.commands === 0 ? [] : [`${port.commands} commands sent`]),
    ...(dropped === 0 ? [] : [`${dropped} dropped`]),
    ...(lastError === null ? [] : [`last error ${ago(lastError.atMs, nowMs)}: ${lastError.message}`]),
  ].join('; ');
}

/** Which port it is, where, and how. */
export function serialStateText({ name, wanted, device, state }: SerialPortStatus): string {
  return `${name} (${portPlace(wanted, device)}) is ${state === 'stalled' ? 'STALLED: open, but silent' : state}`;
}

function sourceText(source: MqttSourceStatus, nowMs: number): string {
  const { name, url, state, topics, refusedTopics, lastMessageMs, lastError } = source;
  const granted = topics.filter((topic) => !refusedTopics.includes(topic));
  const told = (count: number, what: string): readonly string[] => (count === 0 ? [] : [`${count} ${what}`]);
  return [
    `${name} (${url}) is ${state}`,
    `QoS ${source.qos} of ${granted.join(' ')}`,
    ...(refusedTopics.length === 0 ? [] : [`REFUSED: ${refusedTopics.join(' ')}`]),
    `${source.messages} messages${lastMessageMs === null ? '' : `, the last one ${ago(lastMessageMs, nowMs)}`}`,
    ...told(source.unanswered, `not acknowledged yet, the oldest for ${durationText(source.lagSeconds)}`),
    ...told(source.deadLetters, 'dead letters'),
    ...told(source.reconnects, 'reconnects'),
    ...told(source.sessionsLost, 'SESSIONS LOST'),
    ...(lastError === null ? [] : [`last error ${ago(lastError.atMs, nowMs)}: ${lastError.message}`]),
  ].join('; ');
}

/** One line for each topic, in columns. */
export function topicRows(topics: readonly TopicStatus[]): readonly string[] {
  if (topics.length === 0) return ['none yet'];
  const width = Math.max(...topics.map(({ name }) => name.length));
  return topics.map(({ name, partitions }) => {
    const records = partitions.reduce(
      (sum, { highWatermark, logStartOffset }) => sum + highWatermark - logStartOffset,
      0,
    );
    const ends = partitions.map(({ highWatermark }) => highWatermark).join(' ');
    const many = partitions.length === 1 ? '1 partition ' : `${partitions.length} partitions`;
    return `${name.padEnd(width)}  ${many}  ${records} records  (next offset ${ends})`;
  });
}

/** How long ago a moment of the wall clock was. */
const ago = (ms: number, nowMs: number): string => `${durationText(Math.max(0, nowMs - ms) / 1000)} ago`;
