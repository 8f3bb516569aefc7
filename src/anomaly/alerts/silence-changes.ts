import { type AlertEvent, type AlertLife, isOpen } from './alert-machine.ts';
import {
  groupsOf,
  isSilentWhole,
  mayBeSilentWhole,
  ofSeries,
  type Silence,
  type SilenceTree,
} from './silence-tree.ts';

/**
 * What has become of a silence that is open; null if nothing. That of a device, topic or gateway lasts on, while a part of it is
 * back already, for as long as the rest may take to follow: so that a port that returns is not an alert of each field that
 * comes a second later. A series of which the tree does not know is left as it is.
 */
export function silenceEvent(life: AlertLife, tree: SilenceTree, nowMs: number): AlertEvent | null {
  if (!isOpen(life)) return null;
  const { series: name, state } = life.alert;
  const series = tree.series(name);
  if (series !== undefined) return series.isSilent ? null : { type: 'ended', nowMs };
  if (!name.endsWith('*')) return null;
  const group = tree.group(name);
  if (group === undefined || group.silent === 0 || group.watched < 2) return { type: 'ended', nowMs };
  if (!isSilentWhole(group)) return { type: 'recovering', nowMs, offMs: tree.slowestMs(group) };
  if (state === 'active') return null;
  const { subject, reading, finding, standsFor } = tree.ofGroup(group, nowMs);
  return { type: 'found', subject, model: null, reading, timeMs: nowMs, finding, standsFor };
}

/**
 * What is silent and not told yet, in the order of names, and the open silences that one of a device, topic or gateway stands
 * for from now on. It is the highest of which nothing is heard that is told; what may soon be a part of a higher one is waited for.
 */
export function newSilences(
  tree: SilenceTree,
  isOpenSilence: (series: string) => boolean,
  nowMs: number,
): { readonly suppressed: readonly string[]; readonly silences: readonly Silence[] } {
  const suppressed = new Set<string>();
  const silences = new Map<string, Silence>();
  for (const series of tree.silent) {
    const { series: name } = series.subject;
    const groups = groupsOf(series);
    const at = groups.findIndex((group) => isSilentWhole(group) || isOpenSilence(group.subject.series));
    const holder = groups[at];
    const told = holder?.subject.series ?? name;
    const isWaitedFor = groups
      .slice(0, at === -1 ? groups.length : at)
      .some((group) => mayBeSilentWhole(series, group));
    if (!isWaitedFor && !isOpenSilence(told) && !silences.has(told))
      silences.set(told, holder === undefined ? ofSeries(series, nowMs) : tree.ofGroup(holder, nowMs));
    if (holder === undefined || !(silences.has(told) || isOpenSilence(told))) continue;
    for (const below of [...groups.slice(at + 1).map(({ subject }) => subject.series), name]) {
      if (isOpenSilence(below)) suppressed.add(below);
    }
  }
  const inOrder = [...silences]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, silence]) => silence);
  return { suppressed: [...suppressed].sort(), silences: inOrder };
}
