import { durationText } from '../../core/duration.ts';
import { assert } from '../../core/errors.ts';
import type { Finding } from '../detection/finding.ts';
import type { AlertReading, AlertSubject } from './alert.ts';
import { parentName, type SeriesPlace } from './series-name.ts';

/** All series of a device (the key of a topic), of a topic or of the gateway. Only the tree changes it. */
export interface SeriesGroup {
  readonly subject: AlertSubject;
  /** The group that this one is a part of; null for the gateway. */
  readonly above: SeriesGroup | null;
  readonly severity: number;
  series: number;
  /** Of these, how many would be missed, and how many of those are silent. */
  watched: number;
  silent: number;
  /** When any of its series was heard last. */
  lastHeardMs: number;
}

/** A series as the tree knows it. Only the tree changes it. */
export interface WatchedSeries {
  /** Of several partitions with a series of this name, that of the one which came last. */
  subject: AlertSubject;
  /** In so many partitions there is a series of this name: in more than one if partitions were added, or records have no key. */
  partitions: number;
  readonly group: SeriesGroup;
  /** After so long it is missed; infinite if it comes when it likes. */
  silentAfterMs: number;
  isSilent: boolean;
  /** For how long nothing has come, as it was judged last. */
  silentForMs: number;
  lastHeardMs: number;
  /** The offset after its last reading. */
  nextOffset: number;
}

/** Something that is silent, as a finding of the reading that is missing. */
export interface Silence {
  readonly subject: AlertSubject;
  /** Its time is that of the last reading. */
  readonly reading: AlertReading;
  readonly finding: Finding;
  /** Series that it stands for; 0 for a series. */
  readonly standsFor: number;
}

/** The more nobody hears of, the worse. */
const severities = { series: 500, device: 600, topic: 700, gateway: 800 } as const;

/**
 * Which series are silent, and what they have in common: a port that is lost is one silence of the port, not one of each of its
 * fields. It counts what changes, so that asking costs nothing while all is well.
 */
export class SilenceTree {
  readonly #gateway = newGroup(parentName(null, null), null, severities.gateway);
  readonly #groups = new Map([[this.#gateway.subject.series, this.#gateway]]);
  readonly #series = new Map<string, WatchedSeries>();
  readonly #silent = new Set<WatchedSeries>();

  /** Takes a series in of which a reading has come. Those of one name are one here: none is missed while another is heard. */
  add(subject: AlertSubject, { topic, key }: SeriesPlace, timeMs: number, nextOffset: number): WatchedSeries {
    const known = this.#series.get(subject.series);
    if (known !== undefined) {
      known.subject = subject;
      known.partitions += 1;
      this.heard(known, Math.max(timeMs, known.lastHeardMs), nextOffset);
      return known;
    }
    const ofTopic = this.#groupOf(parentName(topic, null), this.#gateway, severities.topic);
    const group = this.#groupOf(parentName(topic, key), ofTopic, severities.device);
    const series = {
      subject,
      partitions: 1,
      group,
      silentAfterMs: Number.POSITIVE_INFINITY,
      isSilent: false,
      silentForMs: 0,
      lastHeardMs: timeMs,
      nextOffset,
    };
    this.#series.set(subject.series, series);
    for (const above of groupsOf(series)) above.series += 1;
    this.heard(series, timeMs, nextOffset);
    return series;
  }

  /** What is told of a series is about this from now on: it has another unit. */
  renew(series: WatchedSeries, subject: AlertSubject): void {
    series.subject = subject;
  }

  /** Forgets a series, once for each time that it was added. */
  remove(series: WatchedSeries): void {
    series.partitions -= 1;
    if (series.partitions > 0) return;
    this.judge(series, series.lastHeardMs, Number.POSITIVE_INFINITY);
    this.#series.delete(series.subject.series);
    for (const above of groupsOf(series)) {
      above.series -= 1;
      if (above.series === 0 && above !== this.#gateway) this.#groups.delete(above.subject.series);
    }
  }

  /** A reading has come: the series is not silent. */
  heard(series: WatchedSeries, timeMs: number, nextOffset: number): void {
    series.lastHeardMs = timeMs;
    series.nextOffset = nextOffset;
    for (let group: SeriesGroup | null = series.group; group !== null; group = group.above)
      group.lastHeardMs = Math.max(group.lastHeardMs, timeMs);
    if (series.isSilent) this.#setSilent(series, false);
  }

  /** Says whether a series is silent at this time: for longer than it may be. */
  judge(series: WatchedSeries, nowMs: number, silentAfterMs: number): void {
    const change = Number(Number.isFinite(silentAfterMs)) - Number(Number.isFinite(series.silentAfterMs));
    series.silentAfterMs = silentAfterMs;
    if (change !== 0) for (const above of groupsOf(series)) above.watched += change;
    series.silentForMs = nowMs - series.lastHeardMs;
    const isSilent = series.silentForMs > silentAfterMs;
    if (isSilent !== series.isSilent) this.#setSilent(series, isSilent);
  }

  /** Undefined if it is not known. */
  series(name: string): WatchedSeries | undefined {
    return this.#series.get(name);
  }

  /** Undefined if no series of it is known. */
  group(name: string): SeriesGroup | undefined {
    return this.#groups.get(name);
  }

  /** The series that are silent now. */
  get silent(): ReadonlySet<WatchedSeries> {
    return this.#silent;
  }

  /** How long the slowest of the silent series of a group may be silent: all may be back after that. */
  slowestMs(group: SeriesGroup): number {
    let slowestMs = 0;
    for (const series of this.#silent) {
      if (isIn(series, group)) slowestMs = Math.max(slowestMs, series.silentAfterMs);
    }
    return slowestMs;
  }

  /** The silence of a group of which nothing is heard. It began after the reading that came last. */
  ofGroup(group: SeriesGroup, nowMs: number): Silence {
    let last: WatchedSeries | null = null;
    for (const series of this.#silent) {
      if (isIn(series, group)) last = last === null ? series : laterOf(last, series);
    }
    assert(last !== null, 'a group that is silent has a series that is');
    const words = [
      `${group.watched} series, nothing for ${forText(last, nowMs)}`,
      `last: ${last.subject.series}`,
    ];
    return silence(group.subject, last, { words, severity: group.severity, standsFor: group.watched });
  }

  #groupOf(name: string, above: SeriesGroup, severity: number): SeriesGroup {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const group = newGroup(name, above, severity);
    this.#groups.set(name, group);
    return group;
  }

  #setSilent(series: WatchedSeries, isSilent: boolean): void {
    series.isSilent = isSilent;
    if (isSilent) this.#silent.add(series);
    else this.#silent.delete(series);
    for (const above of groupsOf(series)) above.silent += isSilent ? 1 : -1;
  }
}

/** The silence of one series. */
export function ofSeries(series: WatchedSeries, nowMs: number): Silence {
  const words = [
    `nothing for ${forText(series, nowMs)}`,
    `expected within ${durationText(series.silentAfterMs / 1000)}`,
  ];
  return silence(series.subject, series, { words, severity: severities.series, standsFor: 0 });
}

/** Whether a group has several series that would be missed, and nothing is heard of any. */
export const isSilentWhole = ({ watched, silent }: SeriesGroup): boolean =>
  watched >= 2 && silent === watched;

/**
 * Whether it may be that of a whole group nothing is heard any more, although some of its series are not missed yet: none was heard
 * since this one should have come. That is waited for, but not for longer than the series has been missing already.
 */
export const mayBeSilentWhole = (series: WatchedSeries, group: SeriesGroup): boolean =>
  group.watched >= 2 &&
  group.lastHeardMs < series.lastHeardMs + series.silentAfterMs / 2 &&
  series.silentForMs <= 2 * series.silentAfterMs;

function silence(
  subject: AlertSubject,
  last: WatchedSeries,
  { words, severity, standsFor }: Pick<Finding, 'words' | 'severity'> & Pick<Silence, 'standsFor'>,
): Silence {
  return {
    subject,
    reading: { timeMs: last.lastHeardMs, value: null, offset: last.nextOffset },
    finding: { kind: 'silence', severity, score: 1, expected: null, rarity: null, words, isWarmingUp: false },
    standsFor,
  };
}

const newGroup = (series: string, above: SeriesGroup | null, severity: number): SeriesGroup => ({
  subject: { series, partition: null, unit: null },
  above,
  severity,
  series: 0,
  watched: 0,
  silent: 0,
  lastHeardMs: Number.NEGATIVE_INFINITY,
});

/** The groups of a series: the gateway, its topic, its device. */
export function groupsOf({ group }: WatchedSeries): readonly SeriesGroup[] {
  const ofTopic = group.above ?? group;
  return [ofTopic.above ?? ofTopic, ofTopic, group];
}

const isIn = (series: WatchedSeries, group: SeriesGroup): boolean =>
  group.above === null || series.group === group || series.group.above === group;

/** Of several that were heard at the same time, the first by name: the same whatever order they are known in. */
function laterOf(one: WatchedSeries, other: WatchedSeries): WatchedSeries {
  if (one.lastHeardMs !== other.lastHeardMs) return one.lastHeardMs > other.lastHeardMs ? one : other;
  return one.subject.series < other.subject.series ? one : other;
}

const forText = ({ lastHeardMs }: WatchedSeries, nowMs: number): string =>
  durationText(Math.max(0, nowMs - lastHeardMs) / 1000);
