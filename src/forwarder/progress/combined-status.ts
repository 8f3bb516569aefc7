import type { LaneName } from '../../log/types.ts';
import type { Drain, Goodput, LastDay } from './goodput.ts';
import type { Retry } from './retries.ts';
import type { ForwarderStatus, LaneStatus } from './status.ts';

/** The states of a lane, the one that a person should hear of first at first. */
const worstFirst: readonly LaneStatus['state'][] = [
  'stopped',
  'backing-off',
  'connecting',
  'opening',
  'sending',
  'resting',
  'idle',
];

/** A lane and how it does. One that is not in use counts for what it has carried before. */
export interface LaneReport {
  readonly lane: LaneName;
  readonly isInUse: boolean;
  readonly status: LaneStatus;
}

/** How the mirror does by how its lanes do, of which one at least is in use: the state of the worst, and the sum of what they carry. */
export function combinedStatus(
  all: readonly LaneReport[],
  warnings: readonly string[],
): Omit<ForwarderStatus, 'delivery' | 'link'> {
  const inUse = all.filter(({ isInUse }) => isInUse);
  const statuses = all.map(({ status }) => status);
  const total = (of: (status: LaneStatus) => number): number =>
    statuses.reduce((sum, status) => sum + of(status), 0);
  const known = (of: (status: LaneStatus) => number | null): number[] =>
    statuses.map(of).filter((one) => one !== null);
  const seconds = known(({ secondsSinceAcknowledged }) => secondsSinceAcknowledged);
  const acknowledgedMs = known(({ lastAcknowledgedMs }) => lastAcknowledgedMs);
  const errors = statuses.map(({ lastError }) => lastError).filter((error) => error !== null);
  return {
    ...worstOf(inUse),
    lagRecords: total(({ lagRecords }) => lagRecords),
    lagBytes: total(({ lagBytes }) => lagBytes),
    lagSeconds: Math.max(...statuses.map(({ lagSeconds }) => lagSeconds)),
    topics: statuses.flatMap(({ topics }) => topics),
    goodput: goodputOf(statuses.map(({ goodput }) => goodput)),
    drain: drainOf(statuses.map(({ drain }) => drain)),
    lastDay: lastDayOf(statuses.map(({ lastDay }) => lastDay)),
    recordsAcknowledged: total(({ recordsAcknowledged }) => recordsAcknowledged),
    bytesAcknowledged: total(({ bytesAcknowledged }) => bytesAcknowledged),
    linkBytesWritten: total(({ linkBytesWritten }) => linkBytesWritten),
    lastAcknowledgedMs: acknowledgedMs.length === 0 ? null : Math.max(...acknowledgedMs),
    secondsSinceAcknowledged: seconds.length === 0 ? null : Math.min(...seconds),
    isStale: statuses.some(({ isStale }) => isStale),
    retries: retriesOf(statuses.flatMap(({ retries }) => retries)),
    warnings: [...new Set([...warnings, ...statuses.flatMap((status) => status.warnings)])],
    lastError: errors.toSorted((one, other) => other.atMs - one.atMs)[0] ?? null,
    lanes: inUse.map(({ lane, status: { state, message } }) => ({ lane, state, message })),
  };
}

/** If only some lanes are in the worst state, the message says which. */
function worstOf(all: readonly LaneReport[]): Pick<ForwarderStatus, 'state' | 'message'> {
  const state = worstFirst.find((one) => all.some(({ status }) => status.state === one)) ?? 'idle';
  const worst = all.filter(({ status }) => status.state === state);
  const messages = new Set(worst.map(({ status: { message } }) => message));
  const isTheSame = worst.length === all.length && messages.size === 1;
  const named = worst.map(({ lane, status: { message } }) => `lane ${lane}: ${message}`);
  return { state, message: isTheSame ? ([...messages][0] ?? '') : named.join('; ') };
}

function goodputOf(all: readonly Goodput[]): Goodput {
  const total = (of: (goodput: Goodput) => number): number =>
    all.reduce((sum, goodput) => sum + of(goodput), 0);
  return {
    windowSeconds: Math.max(...all.map(({ windowSeconds }) => windowSeconds)),
    recordsPerSecond: total(({ recordsPerSecond }) => recordsPerSecond),
    bytesPerSecond: total(({ bytesPerSecond }) => bytesPerSecond),
    arrivingRecordsPerSecond: total(({ arrivingRecordsPerSecond }) => arrivingRecordsPerSecond),
  };
}

/** The backlog is gone when that of the last lane is. */
function drainOf(all: readonly Drain[]): Drain {
  const secondsLeft = all.map((drain) => drain.secondsLeft).filter((seconds) => seconds !== null);
  const isKnown = all.every(({ state }) => state === 'no-backlog' || state === 'draining');
  if (isKnown && secondsLeft.length > 0) return { state: 'draining', secondsLeft: Math.max(...secondsLeft) };
  const state = (['unknown', 'waits', 'never'] as const).find((one) =>
    all.some((drain) => drain.state === one),
  );
  return { state: state ?? 'no-backlog', secondsLeft: null };
}

const lastDayOf = (all: readonly LastDay[]): LastDay => ({
  seconds: Math.max(...all.map(({ seconds }) => seconds)),
  bytesAcknowledged: all.reduce((sum, { bytesAcknowledged }) => sum + bytesAcknowledged, 0),
  linkBytesWritten: all.reduce((sum, { linkBytesWritten }) => sum + linkBytesWritten, 0),
});

/** By cause, the most frequent first. */
function retriesOf(all: readonly Retry[]): readonly Retry[] {
  const byCause = Map.groupBy(all, ({ kind, cause }) => `${kind}/${cause}`);
  return [...byCause.values()]
    .flatMap(([first, ...others]) =>
      first === undefined
        ? []
        : [{ ...first, count: others.reduce((sum, { count }) => sum + count, first.count) }],
    )
    .sort((one, other) => other.count - one.count);
}
