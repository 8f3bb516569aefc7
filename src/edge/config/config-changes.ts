import { isDeepStrictEqual } from 'node:util';
import { nameOf } from './read-config.ts';
import type { Config } from './schema.ts';

/** What is different between two configurations, by the names of settings; of a section as a whole, such as `mqtt.limits`. */
export interface ConfigChanges {
  /** What a running gateway takes up at once. */
  readonly applied: readonly string[];
  readonly needsRestart: readonly string[];
  /** What counts then: the configuration before, with what is taken up at once. */
  readonly config: Config;
}

/** What counts at once. All of `topics` does: each topic is named as such. */
const reloadable: ReadonlySet<string> = new Set([
  'log.level',
  'mqtt.routes',
  'anomaly.series',
  'forwarder.bytesPerSecond',
  'forwarder.bytesPerDay',
  'forwarder.hours',
]);

/** Compares what counts with what is wanted. Pure; names are sorted. */
export function configChanges(before: Config, wanted: Config): ConfigChanges {
  const [there, then] = [settingsOf(before), settingsOf(wanted)];
  const names = [...new Set([...there.keys(), ...then.keys()])].sort();
  const changed = names.filter((name) => !isDeepStrictEqual(there.get(name), then.get(name)));
  return {
    applied: changed.filter(isReloadable),
    needsRestart: changed.filter((name) => !isReloadable(name)),
    config: withReloadable(before, wanted),
  };
}

const isReloadable = (name: string): boolean => reloadable.has(name) || name.startsWith('topics.');

function settingsOf(config: Config): ReadonlyMap<string, unknown> {
  return new Map(
    Object.entries(config).flatMap(([section, settings]): [string, unknown][] =>
      Array.isArray(settings)
        ? [[section, settings]]
        : Object.entries(settings).map(([name, value]) => [nameOf([section, name]), value]),
    ),
  );
}

function withReloadable(before: Config, wanted: Config): Config {
  const { bytesPerSecond, bytesPerDay, hours } = wanted.forwarder;
  return {
    ...before,
    log: { ...before.log, level: wanted.log.level },
    mqtt: { ...before.mqtt, routes: wanted.mqtt.routes },
    anomaly: { ...before.anomaly, series: wanted.anomaly.series },
    forwarder: { ...before.forwarder, bytesPerSecond, bytesPerDay, hours },
    topics: wanted.topics,
  };
}
