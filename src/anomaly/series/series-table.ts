import type { Metrics } from '../../core/metrics.ts';
import type { AlertSubject } from '../alerts/alert.ts';
import { seriesName } from '../alerts/series-name.ts';
import type { WatchedSeries } from '../alerts/silence-tree.ts';
import type { SeriesState } from '../detection/series-state.ts';
import { RecentValues } from './recent-values.ts';
import type { SeriesSettings, SeriesSettingsBook } from './series-settings.ts';

/** Where a series comes from. */
export interface SeriesPlace {
  readonly topic: string;
  readonly partition: number;
  /** The key of its records, as text; empty where they have none. */
  readonly key: string;
  /** Where in the payload; empty for payloads that are just a number. */
  readonly path: string;
}

/** A run of readings of one quantity, and what is known of it. */
export interface Series extends SeriesPlace {
  /** What alerts of it are about. */
  subject: AlertSubject;
  settings: SeriesSettings;
  state: SeriesState;
  /** For people to look at; no detector knows of it. */
  readonly recent: RecentValues;
  /** Whether it is silent is asked there; null before its first reading of this run. */
  watched: WatchedSeries | null;
  /** The state knows the readings of its partition below this offset. */
  nextOffset: number;
  /** What `nextOffset` was when the state was last saved; -1 before. */
  savedOffset: number;
  /** The time of its last reading, milliseconds since 1970 UTC. */
  lastTimeMs: number;
  /** When that was heard, by the monotonic clock. */
  heardMs: number;
  /** Greater than that of all series that were used before. */
  usedAt: number;
  /** Whether there was a reading after the first: before that it may be a name that never comes again. */
  hasReturned: boolean;
}

export interface SeriesTableOptions {
  readonly seriesMax: number;
  readonly settings: SeriesSettingsBook;
  /** A state of which nothing is known yet. */
  readonly newState: () => SeriesState;
  /** Hears of series that are known no longer. */
  readonly onRemoved: (series: Series) => void;
  readonly metrics: Metrics;
}

/** The series of one partition: by key, then by path. */
export class PartitionSeries {
  readonly topic: string;
  readonly partition: number;
  readonly #keys = new Map<string, Map<string, Series>>();

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  find(key: string, path: string): Series | undefined {
    return this.#keys.get(key)?.get(path);
  }

  add(series: Series): void {
    const fields = this.#keys.get(series.key) ?? new Map<string, Series>();
    this.#keys.set(series.key, fields.set(series.path, series));
  }

  remove({ key, path }: Series): void {
    const fields = this.#keys.get(key);
    fields?.delete(path);
    if (fields?.size === 0) this.#keys.delete(key);
  }

  *[Symbol.iterator](): Generator<Series> {
    for (const fields of this.#keys.values()) yield* fields.values();
  }
}

/** So many go at once, so that who makes up names without end does not have all be looked through for each. */
const evictedShare = 1 / 64;

/** All series that are known, in bounded number: for a new one those go that were not used for longest. */
export class SeriesTable implements Iterable<Series> {
  readonly #options: SeriesTableOptions;
  readonly #partitions = new Map<string, PartitionSeries>();
  #settings: SeriesSettingsBook;
  #size = 0;
  #byName: readonly Series[] | null = null;
  #uses = 0;
  #evicted = 0;

  constructor(options: SeriesTableOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  /** Other settings count from now on. Series that nobody is to look at any more are forgotten. */
  useSettings(settings: SeriesSettingsBook): void {
    this.#settings = settings;
    for (const series of this) {
      series.settings = settings.of(series.subject.series);
      series.subject = { ...series.subject, unit: series.settings.unit };
      if (series.settings.detect !== 'off') continue;
      this.of(series.topic, series.partition).remove(series);
      this.#removed(series);
    }
  }

  get size(): number {
    return this.#size;
  }

  /** How many had to go for others. */
  get evicted(): number {
    return this.#evicted;
  }

  /** The series of a partition, none at first. */
  of(topic: string, partition: number): PartitionSeries {
    const name = `${topic}/${partition}`;
    const found = this.#partitions.get(name) ?? new PartitionSeries(topic, partition);
    this.#partitions.set(name, found);
    return found;
  }

  /** The series of a key and a path, made if there is none; null if nobody is to look at it. */
  use(partition: PartitionSeries, key: string, path: string, heardMs: number): Series | null {
    const found = partition.find(key, path);
    if (found !== undefined) found.hasReturned = true;
    const series = found ?? this.#add(partition, key, path);
    if (series === null) return null;
    this.#uses += 1;
    series.usedAt = this.#uses;
    series.heardMs = heardMs;
    return series;
  }

  *[Symbol.iterator](): Generator<Series> {
    for (const partition of this.#partitions.values()) yield* partition;
  }

  /** All of them in the order of their names: sorted anew only when there are others. */
  byName(): readonly Series[] {
    this.#byName ??= [...this].sort(({ subject: one }, { subject: other }) =>
      one.series < other.series ? -1 : one.series > other.series ? 1 : 0,
    );
    return this.#byName;
  }

  /** Forgets a partition that is gone, with its series. */
  remove({ topic, partition }: PartitionSeries): void {
    for (const series of this.of(topic, partition)) this.#removed(series);
    this.#partitions.delete(`${topic}/${partition}`);
  }

  #add(partition: PartitionSeries, key: string, path: string): Series | null {
    const place = { topic: partition.topic, partition: partition.partition, key, path };
    const name = seriesName({ ...place, path: path === '' ? null : path });
    const settings = this.#settings.of(name);
    if (settings.detect === 'off') return null;
    if (this.#size >= this.#options.seriesMax) this.#evict();
    const series: Series = {
      ...place,
      subject: { series: name, partition: partition.partition, unit: settings.unit },
      settings,
      state: this.#options.newState(),
      recent: new RecentValues(),
      watched: null,
      nextOffset: 0,
      savedOffset: -1,
      lastTimeMs: 0,
      heardMs: 0,
      usedAt: 0,
      hasReturned: false,
    };
    partition.add(series);
    this.#byName = null;
    this.#size += 1;
    return series;
  }

  /** Names that came only once go first: a flood of them must not drive out those that are there to stay. */
  #evict(): void {
    const rank = ({ hasReturned, usedAt }: Series): number => (hasReturned ? this.#uses : 0) + usedAt;
    const candidates = [...this].sort((one, other) => rank(one) - rank(other));
    const count = Math.max(1, Math.floor(this.#options.seriesMax * evictedShare));
    for (const series of candidates.slice(0, count)) {
      this.of(series.topic, series.partition).remove(series);
      this.#removed(series);
    }
    this.#evicted += count;
    this.#options.metrics.add('headwater_anomaly_series_evicted_total', count);
  }

  #removed(series: Series): void {
    this.#size -= 1;
    this.#byName = null;
    this.#options.onRemoved(series);
  }
}
