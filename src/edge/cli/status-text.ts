import { durationText } from '../../core/duration.ts';
import { limits } from '../../core/limits.ts';
import { visibleText } from '../../core/visible-text.ts';
import type { TopicLag } from '../../forwarder/progress/status.ts';
import type { KeptStatus } from '../../ingest/mqtt/sessions/mqtt-state.ts';
import type { MqttSourceStatus } from '../../ingest/mqtt-source/mqtt-source.ts';
import type { SerialPortStatus } from '../../ingest/serial/serial-source.ts';
import type { ParentLog } from '../backup/parent-log.ts';
import { formatSize } from '../config/quantities.ts';
import { listenerRows, tlsRow } from '../listeners/listener-rows.ts';
import type { ClockStatus, StatusReport, TopicStatus } from '../status.ts';
import type { UsersStatus } from '../users/mqtt-users.ts';
import { adminRows } from './admin-rows.ts';
import { alertsText } from './alerts.ts';
import { counted, rounded } from './amounts.ts';
import { cardRows } from './card-rows.ts';
import { clusterRows } from './cluster-rows.ts';
import { modbusRows } from './modbus-rows.ts';
import { portPlace } from './port-place.ts';
import { unroutedRows } from './routes.ts';
import { attention } from './status-attention.ts';
import type { StatusRates } from './status-rates.ts';
import { storedRecords } from './topic-rows.ts';

/**
 * The report for people: the verdict, what is wrong, and then what arrives, what is stored and what left. `nowMs` is the wall
 * clock; `rates` is what reports before this one add.
 */
export function statusText(report: StatusReport, nowMs: number, rates: StatusRates | null = null): string {
  const needs = attention(report, nowMs);
  const sections = [
    ['', [...rowsOf('because', report.reasons), ...rowsOf('wrong', needs)]],
    ['arrives', arriving(report, nowMs, rates)],
    ['stored', stored(report, nowMs, rates)],
    ['left', rowsOf('cluster', clusterRows(report.forwarder, nowMs))],
    ['gateway', gatewayRows(report)],
  ] as const;
  const lines = sections.flatMap(([heading, rows]) => [
    ...(heading === '' ? [] : [heading]),
    ...rows.map(([name, text]) => `  ${name.padEnd(9)}${visibleText(text)}`),
  ]);
  return [verdict(report, needs.length), ...lines, ''].join('\n');
}

function verdict({ gateway, state }: StatusReport, needs: number): string {
  if (state !== 'ready') return `${gateway} is DEGRADED: it refuses readings now`;
  if (needs === 0) return `${gateway} is ready, and all is well`;
  return `${gateway} is ready, but ${needs === 1 ? '1 thing needs' : `${needs} things need`} you`;
}

type Row = readonly [name: string, text: string];

/** The first of them has the name. */
const rowsOf = (name: string, texts: readonly string[]): readonly Row[] =>
  texts.map((text, index) => [index === 0 ? name : '', text]);

function arriving(report: StatusReport, nowMs: number, rates: StatusRates | null): readonly Row[] {
  const { addresses, tls, mqtt, users, serial, modbus, anomaly } = report;
  const { sessions, queued, retained } = mqtt;
  const perSecond = [...(rates?.arriving.values() ?? [])].reduce((sum, rate) => sum + rate, 0);
  return [
    ...(rates === null ? [] : rowsOf('rate', [`${rounded(perSecond)} records/s`])),
    ...rowsOf('mqtt', listenerRows(addresses)),
    ...(tls === null
      ? []
      : rowsOf('tls', [tlsRow(tls), ...tls.problems.map((problem) => `TROUBLE: ${problem}`)])),
    ...(sessions + queued + retained === 0 ? [] : rowsOf('kept', [keptText(mqtt)])),
    ['users', usersText(users)],
    ...rowsOf('unrouted', unroutedRows(mqtt.unrouted)),
    ...rowsOf(
      'serial',
      serial.map((port) => serialText(port, nowMs)),
    ),
    ...rowsOf('modbus', modbusRows(modbus, nowMs)),
    ...rowsOf(
      'brokers',
      mqtt.sources.map((source) => sourceText(source, nowMs)),
    ),
    ['alerts', alertsText(anomaly)],
  ];
}

function stored(
  { log, parentLog, topics, forwarder, card }: StatusReport,
  nowMs: number,
  rates: StatusRates | null,
): readonly Row[] {
  const { usedBytes, budgetBytes, fill, lastCommitMs } = log;
  const commit = lastCommitMs === null ? '' : `, the last one ${ago(lastCommitMs, nowMs)}`;
  const percent = `${Math.round((100 * usedBytes) / budgetBytes)} %`;
  const full = fill.secondsLeft === null ? '' : `; full in ${durationText(fill.secondsLeft)} at this rate`;
  return [
    ...rowsOf('topics', shownTopics(topics, forwarder?.topics ?? [], rates)),
    [
      'disk',
      `${roundedSize(usedBytes)} of ${roundedSize(budgetBytes)} that the data folder may take (${percent})${full}`,
    ],
    ['log', `${counted(log.commits, 'commit')}${commit}; ${counted(log.journalFiles, 'journal file')}`],
    ...(parentLog === null ? [] : rowsOf('', [parentText(parentLog)])),
    ...rowsOf('card', cardRows(card)),
  ];
}

/** Those with the most on its way, arriving or stored; how many more there are, and how many are empty. */
function shownTopics(
  topics: readonly TopicStatus[],
  lags: readonly TopicLag[],
  rates: StatusRates | null,
): readonly string[] {
  const lagOf = new Map(lags.map(({ topic, lagRecords }) => [topic, lagRecords]));
  const weight = (topic: TopicStatus): readonly number[] => [
    lagOf.get(topic.name) ?? 0,
    rates?.arriving.get(topic.name) ?? 0,
    storedRecords(topic),
  ];
  const filled = topics
    .filter((topic) => weight(topic).some((value) => value > 0))
    .sort((one, other) => compared(weight(other), weight(one)));
  const shown = filled.slice(0, limits.statusTopicsMax);
  const width = Math.max(0, ...shown.map(({ name }) => name.length));
  const rest = [
    ...(filled.length > shown.length ? [`${filled.length - shown.length} more`] : []),
    ...(topics.length > filled.length ? [`${topics.length - filled.length} empty`] : []),
  ];
  return [
    ...shown.map((topic) => {
      const rate = rates?.arriving.get(topic.name) ?? 0;
      return `${topic.name.padEnd(width)}  ${counted(storedRecords(topic), 'record')}${rate > 0 ? `, ${rounded(rate)}/s new` : ''}`;
    }),
    ...(rest.length === 0
      ? []
      : [`${shown.length === 0 ? '' : 'and '}${rest.join(' and ')} (headwater topics list)`]),
    ...(topics.length === 0 ? ['none yet'] : []),
  ];
}

const compared = (one: readonly number[], other: readonly number[]): number =>
  one.map((value, index) => value - (other[index] ?? 0)).find((difference) => difference !== 0) ?? 0;

const gatewayRows = (report: StatusReport): readonly Row[] => [
  ['running', `version ${report.version}, for ${durationText(report.uptimeSeconds)}`],
  ['clock', clockText(report.clock)],
  ...rowsOf('admin', adminRows(report)),
  ['data', report.dataDir],
];

const keptText = ({ sessions, queued, retained }: KeptStatus): string =>
  `${counted(sessions, 'lasting session')}, ${counted(queued, 'message')} waiting in them, ${retained} retained`;

function usersText({ count, anonymous, problem }: UsersStatus): string {
  if (problem !== null) return `UNUSABLE: ${problem}`;
  const who = {
    everywhere: 'clients without a user are let in from everywhere',
    loopback: 'clients without a user are let in from this machine',
    nobody: 'nobody is let in without one',
  };
  return `${count}; ${who[anonymous]}`;
}

const parentText = ({ logId, gateway, madeAt }: ParentLog): string =>
  `begun after a restore: the backup of ${gateway} of ${madeAt}, whose log was ${logId}`;

const clockText = ({ isSet }: ClockStatus): string =>
  isSet
    ? 'set'
    : 'NOT SET since the machine was started: stamps are wrong until a time server answers, then they are corrected';

const roundedSize = (bytes: number): string => formatSize(Math.round(bytes / 2 ** 20) * 2 ** 20);

function serialText(port: SerialPortStatus, nowMs: number): string {
  const { frames, deadLetters, leftOut, dropped, lastFrameMs, lastError } = port;
  const told = leftOut === 0 ? '' : ` (${leftOut} of them only counted)`;
  const isOpen = port.state === 'open' || port.state === 'stalled';
  return [
    serialStateText(port),
    `${counted(frames, 'frame')}${lastFrameMs === null ? '' : `, the last one ${ago(lastFrameMs, nowMs)}`}`,
    `${counted(deadLetters, 'dead letter')}${told}`,
    ...(port.commands === 0 ? [] : [`${counted(port.commands, 'command')} sent`]),
    ...(dropped === 0 ? [] : [`${dropped} dropped`]),
    // Why a port is not open stands with what needs somebody.
    ...(lastError === null || !isOpen
      ? []
      : [`last error ${ago(lastError.atMs, nowMs)}: ${lastError.message}`]),
  ].join('; ');
}

/** Which port it is, where, and how. */
export function serialStateText({ name, wanted, device, state }: SerialPortStatus): string {
  return `${name} (${portPlace(wanted, device)}) is ${state === 'stalled' ? 'STALLED: open, but silent' : state}`;
}

function sourceText(source: MqttSourceStatus, nowMs: number): string {
  const { name, url, state, topics, refusedTopics, lastMessageMs, lastError } = source;
  const unanswered = `not acknowledged yet, the oldest for ${durationText(source.lagSeconds)}`;
  const granted = topics.filter((topic) => !refusedTopics.includes(topic));
  const some = (count: number, one: string, many?: string): readonly string[] =>
    count === 0 ? [] : [counted(count, one, many)];
  return [
    `${name} (${url}) is ${state}`,
    `QoS ${source.qos} of ${granted.join(' ')}`,
    ...(refusedTopics.length === 0 ? [] : [`REFUSED: ${refusedTopics.join(' ')}`]),
    `${counted(source.messages, 'message')}${lastMessageMs === null ? '' : `, the last one ${ago(lastMessageMs, nowMs)}`}`,
    ...some(source.unanswered, unanswered, unanswered),
    ...some(source.deadLetters, 'dead letter'),
    ...some(source.reconnects, 'reconnect'),
    ...some(source.sessionsLost, 'SESSION LOST', 'SESSIONS LOST'),
    ...(lastError === null ? [] : [`last error ${ago(lastError.atMs, nowMs)}: ${lastError.message}`]),
  ].join('; ');
}

/** How long ago a moment of the wall clock was. */
const ago = (ms: number, nowMs: number): string => `${durationText(Math.max(0, nowMs - ms) / 1000)} ago`;
