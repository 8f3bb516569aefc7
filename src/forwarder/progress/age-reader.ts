import { decodeBatch } from '../../log/encoding/batch.ts';
import type { LogReader } from '../../log/types.ts';
import { firstTimestampMs } from '../cluster/outgoing-batch.ts';
import type { WaitingRange } from './oldest-waiting.ts';
import type { Progress } from './progress.ts';

export interface AgeReaderOptions {
  readonly log: LogReader;
  readonly progress: Progress;
  /** What waits now, of all mirrored partitions. */
  readonly waiting: () => readonly WaitingRange[];
  /** Nothing more is read once it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Tells the accounts what waits, and reads how old it is where they cannot know: what was there before this run, or behind what
 * was dropped. One batch for each of these places, one after the other, beside everything else.
 */
export class AgeReader {
  readonly #options: AgeReaderOptions;
  #reading: Promise<void> | null = null;

  constructor(options: AgeReaderOptions) {
    this.#options = options;
  }

  /** To be called whenever the log or the cluster has moved. */
  look(): void {
    const { progress, waiting } = this.#options;
    const ranges = waiting();
    progress.waits(ranges);
    if (this.#reading === null && progress.unread(ranges) !== undefined)
      this.#reading = this.#read().finally(() => {
        this.#reading = null;
      });
  }

  /** Resolves when nothing is read any more. */
  async settled(): Promise<void> {
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { log, progress, waiting, signal } = this.#options;
    while (!signal.aborted) {
      const range = progress.unread(waiting());
      if (range === undefined) return;
      // Without its stamp it counts from when it was noticed; that it cannot be sent either is told elsewhere.
      progress.learn(range, await oldestTimestampMs(log, range).catch(() => null));
    }
  }
}

/** The stamp of the first record of a range, milliseconds; null if nothing is left there. Decodes a batch only if the range begins within it. */
async function oldestTimestampMs(
  log: LogReader,
  { topic, partition, fromOffset }: WaitingRange,
): Promise<number | null> {
  const batches = await log.read(topic, partition, fromOffset, 1);
  const [first] = batches;
  if (first === undefined) return null;
  const timestampMs =
    first.baseOffset >= fromOffset
      ? firstTimestampMs(first.bytes)
      : decodeBatch(first.bytes).find(({ offset }) => offset >= fromOffset)?.timestampMs;
  log.giveBack(batches);
  return timestampMs ?? null;
}
