import type { Clock } from '../../core/clock.ts';
import type { MirroredLog } from '../../log/types.ts';
import type { PartitionName } from '../mirror/checkpoint.ts';
import type { ReadPosition } from '../mirror/objections.ts';
import type { ForwarderStatus } from '../progress/status.ts';

export interface ClockWaitOptions {
  readonly log: Pick<MirroredLog, 'unsettled'>;
  readonly clock: Clock;
  /** How long records wait at most, milliseconds. */
  readonly waitForClockMs?: number | undefined;
}

/**
 * Records stamped before the clock was set wait for that, so that they arrive with the right time (design P8); but not for
 * ever: a site without a time server has readings to send as well.
 */
export class ClockWait {
  readonly #options: ClockWaitOptions;

  constructor(options: ClockWaitOptions) {
    this.#options = options;
  }

  /** How long they still wait at most, milliseconds; null if nothing waits. */
  leftMs(): number | null {
    const { log, clock, waitForClockMs = 0 } = this.#options;
    const sinceMs = log.unsettled.sinceMs();
    const leftMs = (sinceMs ?? Number.NEGATIVE_INFINITY) + waitForClockMs - clock.monotonicMs();
    return leftMs > 0 ? leftMs : null;
  }

  /** From this offset on records of the partition wait; infinity if none do. */
  endOf({ topic, partition }: PartitionName): number {
    if (this.leftMs() === null) return Number.POSITIVE_INFINITY;
    return this.#options.log.unsettled.from(topic, partition) ?? Number.POSITIVE_INFINITY;
  }

  /** A position to read from, up to where records wait. */
  upTo(position: ReadPosition): ReadPosition {
    const untilOffset = Math.min(this.endOf(position), position.untilOffset ?? Number.POSITIVE_INFINITY);
    return untilOffset === Number.POSITIVE_INFINITY ? position : { ...position, untilOffset };
  }

  /** What a person should know of it; null if there is nothing to know. */
  note(): string | null {
    if (this.#options.log.unsettled.sinceMs() === null) return null;
    const leftMs = this.leftMs();
    const what =
      leftMs === null
        ? 'records are sent with the time that it shows'
        : `records that came since then wait for it, for ${Math.ceil(leftMs / 1000)} s more at most (forwarder.waitForClock)`;
    return `the clock has not been set since the machine was started: ${what}`;
  }

  /** A status that says so where it would say that all is well. */
  told<Status extends Pick<ForwarderStatus, 'state' | 'message' | 'lagRecords'>>(status: Status): Status {
    const { state, lagRecords } = status;
    if (state !== 'idle' || lagRecords === 0 || this.leftMs() === null) return status;
    return { ...status, message: `${lagRecords} records wait for the clock to be set` };
  }
}
