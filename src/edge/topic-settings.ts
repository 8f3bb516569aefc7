import { topicDefaults } from '../log/state/topic-defaults.ts';
import type { Compression, LaneName, TopicSettings } from '../log/types.ts';

/** A change of settings as a JSON merge patch (RFC 7396): what is absent stays, and null goes back to the default. */
export interface SettingsPatch {
  readonly retention?:
    | 'until-forwarded'
    | { readonly bytes?: number | null; readonly ageMs?: number | null }
    | null;
  readonly dropUnforwarded?: boolean | null;
  readonly segmentBytes?: number | null;
  readonly compression?: Compression | null;
  readonly priority?: number | null;
  readonly lane?: LaneName | null;
  readonly centralPartitions?: number | null;
}

/** Where a setting comes from: the configuration, what the log keeps of earlier changes, or nowhere. */
export type SettingSource = 'configuration' | 'kept' | 'default';

/** Every setting of a topic as it counts now. Null: no retention, central partitions as they are here. */
export type SettingsInForce = {
  readonly [Name in keyof TopicSettings]-?: {
    readonly value: Exclude<TopicSettings[Name], undefined> | null;
    readonly source: SettingSource;
  };
};

/** The settings with the change made; a retention without any bound is none. */
export function patched(settings: TopicSettings, patch: SettingsPatch): TopicSettings {
  const { retention: kept, ...others } = settings;
  const { retention, ...changes } = patch;
  return merged(others, changes, retention === undefined ? kept : patchedRetention(kept, retention));
}

function patchedRetention(
  kept: TopicSettings['retention'],
  patch: Exclude<SettingsPatch['retention'], undefined>,
): TopicSettings['retention'] {
  if (patch === null || patch === 'until-forwarded') return patch ?? undefined;
  const bounds = withoutNulls({ ...(typeof kept === 'object' ? kept : {}), ...patch });
  return Object.keys(bounds).length === 0 ? undefined : bounds;
}

function merged(
  settings: Omit<TopicSettings, 'retention'>,
  changes: Omit<SettingsPatch, 'retention'>,
  retention: TopicSettings['retention'],
): TopicSettings {
  return { ...(retention === undefined ? {} : { retention }), ...withoutNulls({ ...settings, ...changes }) };
}

type WithoutNulls<Values> = { [Name in keyof Values]: Exclude<Values[Name], null> };

const withoutNulls = <Values extends object>(values: Values): WithoutNulls<Values> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) as WithoutNulls<Values>;

/** Why these settings cannot stand together; undefined if they can. */
export function settingsContradiction({ retention, dropUnforwarded }: TopicSettings): string | undefined {
  if (dropUnforwarded !== true) return undefined;
  if (retention === 'until-forwarded')
    return 'choose one: until-forwarded keeps what was not sent, dropUnforwarded lets retention remove it';
  if (retention?.bytes === undefined && retention?.ageMs === undefined)
    return 'set retention by bytes or age as well: without it, nothing is removed that dropUnforwarded is about';
  return undefined;
}

/** What counts for a topic, and why. */
export function settingsInForce(settings: TopicSettings, isConfigured: boolean): SettingsInForce {
  const source: SettingSource = isConfigured ? 'configuration' : 'kept';
  const inForce = <Value>(given: Value | undefined, otherwise: Value | null) =>
    given === undefined ? { value: otherwise, source: 'default' as const } : { value: given, source };
  const { retention, dropUnforwarded, segmentBytes, compression, priority, lane, centralPartitions } =
    settings;
  return {
    retention: inForce(retention, null),
    dropUnforwarded: inForce(dropUnforwarded, topicDefaults.dropUnforwarded),
    segmentBytes: inForce(segmentBytes, topicDefaults.segmentBytes),
    compression: inForce(compression, topicDefaults.compression),
    priority: inForce(priority, topicDefaults.priority),
    lane: inForce(lane, topicDefaults.lane),
    centralPartitions: inForce(centralPartitions, null),
  };
}
