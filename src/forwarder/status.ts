import { limits } from '../core/limits.ts';
import type { MirrorState } from './mirror.ts';

export interface ForwarderStatus {
  readonly state: 'connecting' | 'opening' | 'idle' | 'sending' | 'backing-off' | 'stopped';
  /** One line for a person; if something is wrong, also what to do. */
  readonly message: string;
  /** Durable records that the cluster has not acknowledged. */
  readonly lagRecords: number;
  /** How old the oldest of them is; those of earlier runs count from the start until they are read. */
  readonly lagSeconds: number;
  /** Records acknowledged in this run. */
  readonly recordsAcknowledged: number;
  /** Wall clock of the last acknowledgement in this run. */
  readonly lastAcknowledgedMs: number | null;
  /** What a person should know although the mirror goes on, such as that records may arrive twice. */
  readonly warnings: readonly string[];
  readonly lastError: { readonly message: string; readonly atMs: number } | null;
}

/** The state and the message of a status. A connection as such is never called good: only progress is. */
export function describe(state: MirrorState, lagRecords: number): Pick<ForwarderStatus, 'state' | 'message'> {
  switch (state.phase) {
    case 'opening':
      return { state: 'connecting', message: because(state, 'starting a session with the cluster') };
    case 'resuming':
    case 'minting':
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
      if (lagRecords > 0 && state.care.pauses.length > 0)
        return {
          state: 'backing-off',
          message: `${lagRecords} records wait: ${pauseNotes(state).join('; ')}`,
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
    case 'stopped':
      return { state: 'stopped', message: because(state, 'stopped') };
  }
}

/** What is left out for a while, and why. */
export const pauseNotes = ({ care }: MirrorState): readonly string[] =>
  care.pauses.map(({ topic, partition, message }) => {
    const name = partition === null ? topic : `${topic}-${partition}`;
    return `${name} is not sent, ${message} (the others are; it is tried again every ${limits.pauseMs / 1000} s)`;
  });

const because = (state: MirrorState, doing: string): string =>
  state.failure === null ? doing : `${state.failure.message} (${doing})`;
