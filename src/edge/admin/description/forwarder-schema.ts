import type { Drain, Goodput, LastDay } from '../../../forwarder/progress/goodput.ts';
import type { LinkStatus, Rest } from '../../../forwarder/progress/link-status.ts';
import type { ForwarderStatus } from '../../../forwarder/progress/status.ts';
import {
  count,
  flag,
  listOf,
  nullable,
  numeric,
  objectOf,
  oneOfTexts,
  type Schema,
  text,
  timeMs,
} from './json-schema.ts';

const state = oneOfTexts(['connecting', 'opening', 'idle', 'sending', 'backing-off', 'resting', 'stopped']);

const link = objectOf<LinkStatus>({
  bytesPerDay: nullable(count),
  spentBytes: nullable(numeric),
  hours: nullable(listOf(text)),
  rest: nullable(
    objectOf<Rest>({
      reason: oneOfTexts(['hours', 'budget', 'clock']),
      until: nullable(text),
      secondsLeft: nullable(numeric),
    }),
  ),
});

/** The JSON schema of a {@link ForwarderStatus}. */
export const forwarderSchema: Schema = objectOf<ForwarderStatus>({
  delivery: oneOfTexts(['exactly-once', 'at-least-once']),
  link: nullable(link),
  lanes: listOf(
    objectOf<ForwarderStatus['lanes'][number]>({ lane: oneOfTexts(['alarm', 'bulk']), state, message: text }),
  ),
  state,
  message: text,
  lagRecords: count,
  lagBytes: numeric,
  lagSeconds: numeric,
  topics: listOf(
    objectOf<ForwarderStatus['topics'][number]>({
      topic: text,
      lagRecords: count,
      lagBytes: numeric,
      lagSeconds: numeric,
    }),
  ),
  goodput: objectOf<Goodput>({
    windowSeconds: numeric,
    recordsPerSecond: numeric,
    bytesPerSecond: numeric,
    arrivingRecordsPerSecond: numeric,
  }),
  drain: objectOf<Drain>({
    state: oneOfTexts(['no-backlog', 'unknown', 'waits', 'never', 'draining']),
    secondsLeft: nullable(numeric),
  }),
  lastDay: objectOf<LastDay>({ seconds: numeric, bytesAcknowledged: numeric, linkBytesWritten: numeric }),
  recordsAcknowledged: count,
  bytesAcknowledged: count,
  linkBytesWritten: count,
  lastAcknowledgedMs: nullable(timeMs),
  secondsSinceAcknowledged: nullable(numeric),
  isStale: flag,
  retries: listOf(objectOf<ForwarderStatus['retries'][number]>({ kind: text, cause: text, count })),
  warnings: listOf(text),
  lastError: nullable(objectOf<Exclude<ForwarderStatus['lastError'], null>>({ message: text, atMs: timeMs })),
});
