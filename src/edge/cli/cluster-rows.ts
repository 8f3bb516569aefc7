import { durationText } from '../../core/duration.ts';
import type { Goodput, LastDay } from '../../forwarder/progress/goodput.ts';
import type { Retry } from '../../forwarder/progress/retries.ts';
import { atLeastOnceNote, type ForwarderStatus, type TopicLag } from '../../forwarder/progress/status.ts';
import { bytesText, counted, rounded } from './amounts.ts';
import { linkRows } from './link-rows.ts';

/** How the mirror does, for people: what it is at first, then what waits, how fast it goes, and what went wrong. */
export function clusterRows(forwarder: ForwarderStatus | null, nowMs: number): readonly string[] {
  if (forwarder === null) return ['none configured: everything is stored, nothing is sent'];
  const { topics, lagRecords, recordsAcknowledged, lastDay, retries, warnings } = forwarder;
  const waiting = topics.filter((topic) => topic.lagRecords > 0);
  return [
    `${forwarder.message}; ${acknowledgedText(forwarder)}`,
    ...(forwarder.delivery === 'at-least-once' ? [atLeastOnceNote] : []),
    ...linkRows(forwarder.link).filter((row) => !forwarder.message.endsWith(row)),
    waitingText(forwarder),
    ...(topics.length > 1 && lagRecords > 0 ? waitingRows(waiting) : []),
    ...(recordsAcknowledged === 0 ? [] : [goodputText(forwarder)]),
    dayText(lastDay),
    ...(retries.length === 0 ? [] : [`retries since the start: ${retries.map(retryText).join(', ')}`]),
    ...errorRows(forwarder, nowMs),
    ...warnings.map((warning) => `note: ${warning}`),
  ];
}

function acknowledgedText({ secondsSinceAcknowledged, isStale }: ForwarderStatus): string {
  const last =
    secondsSinceAcknowledged === null
      ? 'nothing acknowledged in this run yet'
      : `last acknowledged ${durationText(secondsSinceAcknowledged)} ago`;
  return isStale ? `${last} (STALE: records wait)` : last;
}

function waitingText({ lagRecords, lagBytes, lagSeconds, drain }: ForwarderStatus): string {
  if (lagRecords === 0) return 'nothing waits';
  const lag = `${lagText({ lagRecords, lagBytes, lagSeconds })} waiting`;
  switch (drain.state) {
    case 'no-backlog':
      return lag;
    case 'unknown':
      return `${lag}; when they are gone is not known while nothing is acknowledged`;
    case 'waits':
      return `${lag}; bulk has to wait before they are gone`;
    case 'never':
      return `${lag}; never gone at this rate`;
    case 'draining':
      return `${lag}; gone in ${durationText(drain.secondsLeft)} at this rate`;
  }
}

const lagText = ({ lagRecords, lagBytes, lagSeconds }: Omit<TopicLag, 'topic'>): string =>
  `${counted(lagRecords, 'record')}, about ${bytesText(lagBytes)}, the oldest for ${durationText(lagSeconds)}`;

/** One line for each topic, in columns. */
function waitingRows(topics: readonly TopicLag[]): readonly string[] {
  const names = Math.max(...topics.map(({ topic }) => topic.length));
  const records = Math.max(...topics.map(({ lagRecords }) => String(lagRecords).length));
  return topics.map((lag) => {
    const text = lagText(lag).padStart(lagText(lag).length + records - String(lag.lagRecords).length);
    return `  ${lag.topic.padEnd(names)}  ${text}`;
  });
}

function goodputText({ goodput }: ForwarderStatus): string {
  const { windowSeconds, recordsPerSecond, bytesPerSecond, arrivingRecordsPerSecond }: Goodput = goodput;
  return (
    `in the last ${durationText(windowSeconds)}: ${rounded(recordsPerSecond)} records/s acknowledged ` +
    `(${bytesText(bytesPerSecond)}/s), ${rounded(arrivingRecordsPerSecond)} records/s new`
  );
}

function dayText({ seconds, bytesAcknowledged, linkBytesWritten }: LastDay): string {
  // The window is a little shorter than a day.
  const window = seconds > 23 * 3600 ? 'in the last 24 h' : `since the start, ${durationText(seconds)} ago`;
  return `${window}: ${bytesText(bytesAcknowledged)} acknowledged, ${bytesText(linkBytesWritten)} sent over the link`;
}

const retryText = ({ kind, cause, count }: Retry): string =>
  `${count} ${kind}${cause === '' ? '' : ` (${cause})`}`;

function errorRows({ lastError, message }: ForwarderStatus, nowMs: number): readonly string[] {
  if (lastError === null || message.includes(lastError.message)) return [];
  const seconds = Math.max(0, nowMs - lastError.atMs) / 1000;
  return [`last error ${durationText(seconds)} ago: ${lastError.message}`];
}
