import type { Clock } from '../../core/clock.ts';
import { isOperatingError, isSystemError, messageOf } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Series } from '../series/series-table.ts';
import type { SavedState, StatesEnd } from './state-file.ts';
import type { StateFiles } from './state-files.ts';

export interface StateSaverOptions {
  readonly files: StateFiles;
  readonly series: Iterable<Series>;
  readonly clock: Clock;
  /** Bytes; what is saved within a day is not more on average, but for one save at each stop. */
  readonly bytesPerDay: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** So many hours' worth may be written soon after a start. */
const hoursAtStart = 1;
/** All states are written anew when the files hold so many times as much as that would take. */
const filesPerState = 2;

/**
 * Saves the states that have changed, as often as the bytes per day allow: the card is to last (P9). What is not saved is
 * learned again from the log after a crash.
 */
export class StateSaver {
  readonly #options: StateSaverOptions;
  #creditBytes: number;
  #creditMs: number;
  #lookedMs: number;
  #saving: Promise<void> | null = null;

  constructor(options: StateSaverOptions) {
    this.#options = options;
    this.#creditBytes = (options.bytesPerDay * hoursAtStart) / 24;
    this.#creditMs = options.clock.monotonicMs();
    this.#lookedMs = this.#creditMs;
  }

  /**
   * Begins to save if it is time to and none is under way. `endsNow` says what all states know at this moment; `confirm` makes durable
   * that everything they know is judged, before the save counts.
   */
  saveIfDue(endsNow: () => readonly StatesEnd[], confirm: () => Promise<void>): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#saving !== null || nowMs - this.#lookedMs < limits.stateSaveMsMin) return;
    this.#lookedMs = nowMs;
    const { bytesPerDay } = this.#options;
    const earned = ((nowMs - this.#creditMs) / limits.stateBytesEarnedMs) * bytesPerDay;
    this.#creditMs = nowMs;
    const { changed, bytes } = this.#toSave();
    // No more than a day's worth is saved up, unless one save takes more: then there is one in several days.
    this.#creditBytes = Math.min(Math.max(bytesPerDay, bytes), this.#creditBytes + earned);
    if (changed.length === 0 || bytes > this.#creditBytes) return;
    this.#saving = this.#save(endsNow(), confirm).finally(() => {
      this.#saving = null;
    });
  }

  /** Saves, where there is nothing yet, from where detectors learn: there they begin again after a crash before the first save. */
  async saveBeginning(ends: readonly StatesEnd[]): Promise<void> {
    if (this.#options.files.count === 0) await this.#save(ends, async () => {});
  }

  /** Saves what has changed, whatever it takes; for a stop. */
  async saveNow(ends: readonly StatesEnd[], confirm: () => Promise<void>): Promise<void> {
    await this.#saving;
    if (this.#toSave().changed.length > 0) await this.#save(ends, confirm);
  }

  async #save(ends: readonly StatesEnd[], confirm: () => Promise<void>): Promise<void> {
    const { files, logger, metrics } = this.#options;
    const { changed, bytes: expectedBytes, all } = this.#toSave();
    const savedOffsets = new Map<Series, number>();
    const states = function* (): Generator<SavedState> {
      for (const series of changed) {
        savedOffsets.set(series, series.nextOffset);
        yield { ...series, bytes: series.state.bytes };
      }
    };
    try {
      const bytes = await files.save(states(), ends, { all, confirm });
      this.#creditBytes -= bytes;
      metrics.add('headwater_anomaly_state_bytes_total', bytes);
      for (const [series, offset] of savedOffsets) series.savedOffset = offset;
    } catch (error) {
      if (!isSystemError(error) && !isOperatingError(error)) throw error;
      // It may all have been written: a disk that stays full is not to wear out by it.
      this.#creditBytes -= expectedBytes;
      logger.warn(
        { cause: messageOf(error) },
        'detector states cannot be saved: after a restart they are learned again from what is stored; ' +
          'make room on the disk, or let this user write the folder "anomaly"',
      );
    }
  }

  /** What there is to save: all series, if the files have become many or large. */
  #toSave(): { changed: Series[]; bytes: number; all: boolean } {
    const { files, series } = this.#options;
    const everything = [...series];
    const news = everything.filter(({ nextOffset, savedOffset }) => nextOffset > savedOffset);
    const allBytes = bytesOf(everything);
    const newBytes = bytesOf(news);
    const all = files.count >= limits.stateFilesMax || files.bytes + newBytes > filesPerState * allBytes;
    return all ? { changed: everything, bytes: allBytes, all } : { changed: news, bytes: newBytes, all };
  }
}

const bytesOf = (series: readonly Series[]): number =>
  series.reduce((sum, { state }) => sum + state.bytes.length, 0);
