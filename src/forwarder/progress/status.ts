import { limits } from '../../core/limits.ts';
import { gapsTopicName } from '../../core/topic-name.ts';
import type { LaneName } from '../../log/types.ts';
import type { Delivery } from '../cluster/target.ts';
import { listed } from '../mirror/listed.ts';
import type { MirrorState } from '../mirror/mirror-state.ts';
import type { Drain, Goodput, LastDay } from './goodput.ts';
import type { LinkStatus } from './link-status.ts';
import type { Retry } from './retries.ts';

/** How the mirror does, both lanes together. */
export interface ForwarderStatus extends LaneStatus {
  readonly delivery: Delivery;
  /** Null without rules for it. */
  readonly link: LinkStatus | null;
  /** Each lane that has topics, the one that goes first at first. */
  readonly lanes: readonly ({ readonly lane: LaneName } & Pick<LaneStatus, 'state' | 'message'>)[];
}

/** How one lane does. */
export interface LaneStatus {
  readonly state: 'connecting' | 'opening' | 'idle' | 'sending' | 'backing-off' | 'resting' | 'stopped';
  /** One line for a person; if something is wrong, also what to do. */
  readonly message: string;
  /** Durable records that the cluster has not acknowledged. */
  readonly lagRecords: number;
  /** About what they take in the log, as they are stored: an estimate. */
  readonly lagBytes: number;
  /** How old the oldest of them is; 0 if there is none. */
  readonly lagSeconds: number;
  /** The same of each mirrored topic, also where nothing waits. */
  readonly topics: readonly TopicLag[];
  readonly goodput: Goodput;
  readonly drain: Drain;
  readonly lastDay: LastDay;
  /** Records acknowledged in this run, each once however often it was sent. */
  readonly recordsAcknowledged: number;
  /** Their record batches as they were sent, compressed. */
  readonly bytesAcknowledged: number;
  /** All that went to the sockets in this run; without what TLS, TCP and IP add. */
  readonly linkBytesWritten: number;
  /** Wall clock of the last acknowledgement in this run. */
  readonly lastAcknowledgedMs: number | null;
  /** The same as a time that has passed, whatever became of the wall clock. */
  readonly secondsSinceAcknowledged: number | null;
  /** Records wait, and for minutes nothing was acknowledged. */
  readonly isStale: boolean;
  /** What had to be tried again in this run, by cause; the most frequent first. */
  readonly retries: readonly Retry[];
  /** What a person should know although the mirror goes on, such as that records may arrive twice. */
  readonly warnings: readonly string[];
  readonly lastError: { readonly message: string; readonly atMs: number } | null;
}

/** What everybody should know who counts what arrives. */
export const atLeastOnceNote = 'at-least-once: records may arrive twice after a failure';

/** What the cluster has not acknowledged of one topic. */
export interface TopicLag {
  readonly topic: string;
  readonly lagRecords: number;
  readonly lagBytes: number;
  readonly lagSeconds: number;
}

/** The state and the message of a status. A connection as such is never called good: only progress is. */
export function describe(state: MirrorState, lagRecords: number): Pick<LaneStatus, 'state' | 'message'> {
  switch (state.phase) {
    case 'opening':
      return { state: 'connecting', message: because(state, 'starting a session with the cluster') };
    case 'resuming':
    case 'minting':
    case 'telling':
      return { state: 'opening', message: because(state, 'asking the cluster what has arrived') };
    case 'reading':
    case 'remembering':
    case 'sending':
    case 'committing':
    case 'aborting':
    case 'setting-aside':
      return { state: 'sending', message: because(state, `sending, ${lagRecords} records to go`) };
    case 'waiting':
    case 'lingering':
      if (lagRecords > 0 && waitNotes(state).length > 0)
        return {
          state: state.care.pauses.length > 0 ? 'backing-off' : 'idle',
          message: `${lagRecords} records wait: ${waitNotes(state).join('; ')}`,
        };
      return {
        state: 'idle',
        message:
          lagRecords === 0
            ? 'the cluster has acknowledged everything'
            : `${lagRecords} new records leave with the next flush`,
      };
    case 'backing-off':
      return { state: 'backing-off', message: because(state, 'trying again soon') };
    case 'resting':
      return { state: 'resting', message: 'bulk may send again' };
    case 'stopped':
      return { state: 'stopped', message: because(state, 'stopped') };
  }
}

/** What a person should know though the lane goes on; so many records were set aside in this run. */
export const notesOf = (state: MirrorState, recordsSetAside: number): readonly (string | null)[] => [
  state.warning,
  recordsSetAside === 0 ? null : refusedNote(recordsSetAside),
  ...waitNotes(state),
];

const refusedNote = (records: number): string =>
  `the cluster refused ${records} records since the start; the topic gaps says which, and they stay here for now`;

/** Which partitions are not sent at present, and why. */
const waitNotes = (state: MirrorState): readonly string[] => [...pauseNotes(state), ...holdNotes(state)];

const holdNotes = ({ holds }: MirrorState): readonly string[] => {
  if (holds.length === 0) return [];
  const names = listed(holds.map(({ topic, partition }) => `${topic}-${partition}`));
  return [
    `${names} waits until topic ${gapsTopicName} has arrived, which says what of it was dropped or refused`,
  ];
};

const pauseNotes = ({ care }: MirrorState): readonly string[] =>
  care.pauses.map(({ topic, partition, message }) => {
    const name = partition === null ? topic : `${topic}-${partition}`;
    return `${name} is not sent, ${message} (the others are; it is tried again every ${limits.pauseMs / 1000} s)`;
  });

const because = (state: MirrorState, doing: string): string =>
  state.failure === null ? doing : `${state.failure.message} (${doing})`;
