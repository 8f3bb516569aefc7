import type { AlertJson } from '../../anomaly/alerts/verdict.ts';
import { durationText } from '../../core/duration.ts';
import { visibleText } from '../../core/visible-text.ts';
import type { AnomalyReport } from '../alert-counts.ts';
import { isOpen, severityLevels } from '../alert-counts.ts';
import type { AdminClient } from './admin-client.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** What `GET /api/alerts` answers. */
interface AlertList {
  readonly alerts: readonly AlertJson[];
  readonly heldBack: number;
}

/** `headwater alerts list`: the open alerts, or `all`. */
export async function listAlerts(
  client: AdminClient,
  terminal: Terminal,
  { all, json }: { readonly all: boolean; readonly json: boolean },
): Promise<ExitCode> {
  const list = (await client.json('GET', '/api/alerts')) as AlertList;
  const shown = all ? list.alerts : list.alerts.filter(isOpen);
  const text = json
    ? JSON.stringify({ ...list, alerts: shown })
    : alertRows(shown, list, Date.now())
        .map((row) => visibleText(row))
        .join('\n');
  await terminal.output.write(`${text}\n`);
  return exitCodes.ok;
}

/** `headwater alerts ack`: durable once this has resolved. */
export async function acknowledgeAlert(
  client: AdminClient,
  terminal: Terminal,
  id: string,
  by: string | undefined,
): Promise<ExitCode> {
  const who = by ?? process.env['SUDO_USER'] ?? process.env['USER'] ?? 'command line';
  const { message, acknowledgedBy } = await change(client, id, 'ack', { by: who });
  return await show(terminal, `acknowledged by ${acknowledgedBy}: ${message}`);
}

/** `headwater alerts shelve`. */
export async function shelveAlert(
  client: AdminClient,
  terminal: Terminal,
  id: string,
  forMs: number,
): Promise<ExitCode> {
  const { message } = await change(client, id, 'shelve', { forMs });
  return await show(terminal, `shelved for ${durationText(forMs / 1000)}: ${message}`);
}

/** `headwater alerts unshelve`. */
export async function unshelveAlert(client: AdminClient, terminal: Terminal, id: string): Promise<ExitCode> {
  const { message } = await change(client, id, 'unshelve');
  return await show(terminal, `no longer shelved: ${message}`);
}

/** What `headwater status` says of alerts, in a line. */
export function alertsText(anomaly: AnomalyReport | null): string {
  if (anomaly === null) return 'none: anomaly detection is switched off (anomaly.enabled)';
  const { alerts, heldBack, series, seriesMax, evicted, lagRecords } = anomaly;
  const open = severityLevels.flatMap(([level]) =>
    alerts.open[level] === 0 ? [] : [`${alerts.open[level]} ${level}`],
  );
  const told = (count: number, what: string): readonly string[] => (count === 0 ? [] : [`${count} ${what}`]);
  return [
    open.length === 0 ? 'none open' : `${open.join(', ')} ("headwater alerts list")`,
    ...told(alerts.unacknowledged, 'not acknowledged'),
    ...told(alerts.shelved, 'shelved'),
    ...told(heldBack, 'findings MORE, only counted'),
    `${series} series are watched`,
    ...told(evicted, `were FORGOTTEN for others: more than anomaly.seriesMax (${seriesMax}) came`),
    ...told(lagRecords, 'records not judged yet'),
  ].join('; ');
}

/** Two lines for each alert: what is wrong, and what has become of it. */
function alertRows(
  shown: readonly AlertJson[],
  { alerts, heldBack }: AlertList,
  nowMs: number,
): readonly string[] {
  const rows = shown.flatMap((alert) => [
    `${shortId(alert.id, alerts)}  ${`${alert.severity}`.padStart(4)}  ${alert.message}`,
    `${' '.repeat(16)}${notesOf(alert, nowMs).join('; ')}`,
  ]);
  return [
    ...(shown.length === 0 ? ['no alerts'] : rows),
    ...(heldBack === 0 ? [] : [`too many: ${heldBack} findings more were only counted`]),
  ];
}

function notesOf(alert: AlertJson, nowMs: number): readonly string[] {
  const { state, startedMs, rarity, suppressed, acknowledgedMs, acknowledgedBy, shelvedUntilMs } = alert;
  const since = (ms: number): string => durationText(Math.max(0, nowMs - ms) / 1000);
  return [
    `${state}, began ${since(startedMs)} ago`,
    ...(rarity === null ? [] : [rarity]),
    ...(alert.isWarmingUp ? ['the series is not known well yet'] : []),
    ...(suppressed === 0 ? [] : [`stands for ${suppressed} more`]),
    ...(acknowledgedMs === null ? [] : [`acknowledged by ${acknowledgedBy} ${since(acknowledgedMs)} ago`]),
    ...(shelvedUntilMs === null
      ? []
      : [`shelved for ${durationText(Math.max(0, shelvedUntilMs - nowMs) / 1000)} more`]),
  ];
}

/** As much of the id as tells it from all others. */
function shortId(id: string, alerts: readonly AlertJson[]): string {
  const lengths = [8, 10, 12, 14];
  const length = lengths.find(
    (digits) => alerts.filter((other) => other.id.startsWith(id.slice(0, digits))).length === 1,
  );
  return id.slice(0, length ?? id.length);
}

const change = async (client: AdminClient, id: string, what: string, body?: object): Promise<AlertJson> =>
  (await client.json('POST', `/api/alerts/${encodeURIComponent(id)}/${what}`, body)) as AlertJson;

async function show(terminal: Terminal, text: string): Promise<ExitCode> {
  await terminal.output.write(`${visibleText(text)}\n`);
  return exitCodes.ok;
}
