import { limits } from '../../core/limits.ts';
import type { ReceivedRecord } from '../../core/record.ts';
import type { Dropped } from './summary-letter.ts';

/** What a record weighs while it waits. */
const weightOf = ({ value }: ReceivedRecord): number =>
  (value?.length ?? 0) + limits.serialRecordOverheadBytes;

/**
 * The records of one port that wait for the log, in order and bounded by `limits.serialPendingBytesMax`: the oldest
 * are dropped, but none that is being offered, because that one may be stored already.
 */
export class PendingRecords {
  readonly #droppedLetterOf: (dropped: Dropped) => ReceivedRecord;
  #records: ReceivedRecord[] = [];
  #bytes = 0;
  #offered: readonly ReceivedRecord[] = [];
  #offeredBytes = 0;
  #dropped: Dropped | null = null;
  #droppedOffered: Dropped | null = null;

  /** @param droppedLetterOf makes the record that tells of dropped ones; it is offered before what came after them. */
  constructor(droppedLetterOf: (dropped: Dropped) => ReceivedRecord) {
    this.#droppedLetterOf = droppedLetterOf;
  }

  /** What they weigh, those offered included. */
  get bytes(): number {
    return this.#bytes + this.#offeredBytes;
  }

  /** How many there are, those offered included. */
  get count(): number {
    return this.#records.length + this.#offered.length;
  }

  /** Adds a record at the end; gives how many had to be dropped for it. */
  push(record: ReceivedRecord): number {
    this.#records.push(record);
    this.#bytes += weightOf(record);
    let count = 0;
    for (; this.bytes > limits.serialPendingBytesMax && this.#dropOldest(); count += 1);
    return count;
  }

  /** The records to offer next, in one append, one at least; empty if there are none. To be followed by `stored` or `refused`. */
  offer(): readonly ReceivedRecord[] {
    let count = 0;
    for (const record of this.#records) {
      const bytes = this.#offeredBytes + weightOf(record);
      // What a decoder makes of a frame can be longer than the frame, and than an append should be.
      if (count > 0 && bytes > limits.serialAppendBytesMax) break;
      this.#offeredBytes = bytes;
      count += 1;
    }
    this.#bytes -= this.#offeredBytes;
    this.#offered = this.#records.splice(0, count);
    this.#droppedOffered = this.#dropped;
    this.#dropped = null;
    const letter = this.#droppedOffered === null ? [] : [this.#droppedLetterOf(this.#droppedOffered)];
    return [...letter, ...this.#offered];
  }

  /** What was offered is durable. */
  stored(): void {
    this.#clearOffered();
  }

  /** What was offered is not durable, and waits again. */
  refused(): void {
    this.#records = [...this.#offered, ...this.#records];
    this.#bytes += this.#offeredBytes;
    const before = this.#droppedOffered;
    if (before !== null)
      this.#dropped = {
        ...before,
        ...this.#dropped,
        count: before.count + (this.#dropped?.count ?? 0),
        firstMs: before.firstMs,
      };
    this.#clearOffered();
  }

  #clearOffered(): void {
    this.#offered = [];
    this.#offeredBytes = 0;
    this.#droppedOffered = null;
  }

  /** False if all that is left is being offered. */
  #dropOldest(): boolean {
    const oldest = this.#records.shift();
    if (oldest === undefined) return false;
    this.#bytes -= weightOf(oldest);
    const { count = 0, firstMs = oldest.receivedMs } = this.#dropped ?? {};
    this.#dropped = { count: count + 1, firstMs, lastMs: oldest.receivedMs };
    return true;
  }
}
