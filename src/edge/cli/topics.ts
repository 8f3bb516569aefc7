import { limits } from '../../core/limits.ts';
import { formatDuration, formatSize } from '../config/quantities.ts';
import type { TopicStatus } from '../status.ts';
import type { TopicChange, TopicDescription } from '../topic-changes.ts';
import type { SettingSource, SettingsInForce, SettingsPatch } from '../topic-settings.ts';
import type { AdminClient } from './admin-client.ts';
import { counted } from './amounts.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';
import { topicRows } from './topic-rows.ts';

/** The settings of a topic as options of the command line: bytes, milliseconds, or back to the default. */
export interface SettingOptions {
  readonly retentionBytes?: number | 'default';
  readonly retentionAge?: number | 'default';
  readonly untilForwarded?: true;
  readonly dropUnforwarded?: boolean;
  readonly segment?: number | 'default';
  readonly compression?: Exclude<SettingsPatch['compression'], null | undefined> | 'default';
  readonly priority?: number | 'default';
  readonly lane?: Exclude<SettingsPatch['lane'], null | undefined> | 'default';
  readonly centralPartitions?: number | 'default';
}

/** The change that the options ask for; undefined if they ask for none. */
export function settingsPatch(options: SettingOptions): SettingsPatch | undefined {
  const { retentionBytes, retentionAge, untilForwarded, segment, ...others } = options;
  const bounds = patchOf({ bytes: retentionBytes, ageMs: retentionAge });
  const retention = untilForwarded === true ? ('until-forwarded' as const) : bounds;
  return patchOf({ retention, segmentBytes: segment, ...others });
}

type PatchOf<Options> = {
  [Name in keyof Options]?:
    | Exclude<Options[Name], 'default' | undefined>
    | ('default' extends Options[Name] ? null : never);
};

/** What is given, with null for the default; undefined if nothing is. */
function patchOf<Options extends object>(options: Options): PatchOf<Options> | undefined {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  if (given.length === 0) return undefined;
  return Object.fromEntries(
    given.map(([name, value]) => [name, value === 'default' ? null : value]),
  ) as PatchOf<Options>;
}

/** The topics of the running gateway, with how far each partition reaches. */
export async function fetchTopics(client: AdminClient): Promise<readonly TopicStatus[]> {
  const { topics } = (await client.json('GET', '/api/topics')) as { topics: readonly TopicStatus[] };
  return topics;
}

/** `headwater topics list`. */
export async function listTopics(client: AdminClient, terminal: Terminal, json: boolean): Promise<ExitCode> {
  const topics = await fetchTopics(client);
  const text = json ? JSON.stringify({ topics }) : topicRows(topics).join('\n');
  await terminal.output.write(`${text}\n`);
  return exitCodes.ok;
}

/** `headwater topics create`: the topic is durable once this has resolved. */
export async function createTopic(
  client: AdminClient,
  terminal: Terminal,
  topic: { readonly name: string; readonly partitions: number; readonly settings?: SettingsPatch },
): Promise<ExitCode> {
  await client.json('POST', '/api/topics', topic);
  const partitions = counted(topic.partitions, 'partition');
  await terminal.output.write(`created topic ${topic.name} with ${partitions}\n`);
  return exitCodes.ok;
}

/** `headwater topics set`: the change is durable once this has resolved, and shown as what it led to. */
export async function setTopic(
  client: AdminClient,
  terminal: Terminal,
  name: string,
  change: TopicChange,
): Promise<ExitCode> {
  const topic = (await client.json('PATCH', pathOf(name), change)) as TopicDescription;
  await terminal.output.write(descriptionText(topic));
  return exitCodes.ok;
}

/** `headwater topics describe`, for people or (`json`) for programs. */
export async function describeTopic(
  client: AdminClient,
  terminal: Terminal,
  name: string,
  json: boolean,
): Promise<ExitCode> {
  const topic = (await client.json('GET', pathOf(name))) as TopicDescription;
  await terminal.output.write(json ? `${JSON.stringify(topic)}\n` : descriptionText(topic));
  return exitCodes.ok;
}

/** `headwater topics delete`: asks first unless that `isConfirmed`. Ends with 1 if the answer is no. */
export async function deleteTopic(
  client: AdminClient,
  terminal: Terminal,
  name: string,
  isConfirmed: boolean,
): Promise<ExitCode> {
  if (!isConfirmed) {
    const topic = (await client.json('GET', pathOf(name))) as TopicDescription;
    await terminal.errors.write(
      `This deletes topic ${name} with its ${counted(recordsIn(topic), 'record')}, also those that the cluster ` +
        'does not have yet. Nothing brings them back. Type yes to delete it: ',
    );
    if ((await answerOf(terminal)) !== 'yes') {
      await terminal.errors.write('nothing is deleted\n');
      return exitCodes.failed;
    }
  }
  const topic = (await client.json('DELETE', pathOf(name))) as TopicDescription;
  await terminal.output.write(`deleted topic ${name} with its ${counted(recordsIn(topic), 'record')}\n`);
  return exitCodes.ok;
}

const pathOf = (name: string): string => `/api/topics/${encodeURIComponent(name)}`;

const recordsIn = ({ partitions }: TopicStatus): number =>
  partitions.reduce((sum, { highWatermark, logStartOffset }) => sum + highWatermark - logStartOffset, 0);

async function answerOf({ input }: Terminal): Promise<string> {
  let text = '';
  for await (const chunk of input) {
    text += String(chunk);
    if (text.includes('\n') || text.length > limits.answerLengthMax) break;
  }
  return text.split('\n')[0]?.trim() ?? '';
}

const sources: Readonly<Record<SettingSource, string>> = {
  configuration: 'configuration',
  kept: 'kept in the log',
  default: 'default',
};

function descriptionText(topic: TopicDescription): string {
  const { name, isConfigured, writers, settings, partitions } = topic;
  const rows = settingRows(settings).map(
    ([setting, value, source]) => `  ${setting.padEnd(17)} ${value.padEnd(16)} ${sources[source]}`,
  );
  const ends = partitions.map(
    ({ partition, logStartOffset, highWatermark }) =>
      `  ${`partition ${partition}`.padEnd(17)} log start ${logStartOffset}, high watermark ${highWatermark}`,
  );
  return [
    `${name}: ${counted(partitions.length, 'partition')}, ${counted(recordsIn(topic), 'record')}`,
    ...(isConfigured ? ['  named in the configuration: change its settings there'] : []),
    ...(writers.length > 0 ? [`  written to by ${writers.join(', ')}`] : []),
    ...rows,
    ...ends,
    '',
  ].join('\n');
}

function settingRows(settings: SettingsInForce): readonly (readonly [string, string, SettingSource])[] {
  const { retention, dropUnforwarded, segmentBytes, compression, priority, lane, centralPartitions } =
    settings;
  const central = centralPartitions.value === null ? 'same partitions' : `${centralPartitions.value} by key`;
  return [
    ['retention', retentionText(retention.value), retention.source],
    ['drop unforwarded', dropUnforwarded.value === true ? 'yes' : 'no', dropUnforwarded.source],
    ['segment', formatSize(segmentBytes.value ?? 0), segmentBytes.source],
    ['compression', String(compression.value), compression.source],
    ['priority', String(priority.value), priority.source],
    ['lane', String(lane.value), lane.source],
    ['in the cluster', central, centralPartitions.source],
  ];
}

function retentionText(retention: SettingsInForce['retention']['value']): string {
  if (retention === null) return 'none';
  if (retention === 'until-forwarded') return 'until forwarded';
  const { bytes, ageMs } = retention;
  return [
    ...(bytes === undefined ? [] : [formatSize(bytes)]),
    ...(ageMs === undefined ? [] : [formatDuration(ageMs)]),
  ].join(', ');
}
