import type { Clock } from '../core/clock.ts';
import type { Disk } from '../core/disk.ts';
import { isSystemError, messageOf } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { ReadStorageDevice, StorageDevice } from '../core/storage-device.ts';
import {
  addTotals,
  type CardTotals,
  decodeTotals,
  deviceBytesOf,
  encodeTotals,
  noTotals,
} from './card-totals.ts';
import { replaceFile } from './replace-file.ts';

/** How far the card is worn, as far as anybody can tell from outside it. */
export interface CardStatus extends CardTotals {
  /** By our own counters, over all runs; null below `limits.cardPayloadBytesMin` of payload. */
  readonly deviceBytesPerPayloadByte: number | null;
  /** What the card is rated for; an estimate if `data.endurance` does not say. */
  readonly endurance: { readonly bytes: number; readonly isEstimate: boolean };
  /** Of the endurance. An estimate: what a card makes of the bytes inside nobody can see. */
  readonly usedShare: number;
  /** At the rate of the last day; null in the first hour of a run. */
  readonly bytesPerDay: number | null;
  /** Until the endurance is used up at that rate, an estimate; null as well if nothing was written. */
  readonly yearsLeft: number | null;
  /** `bytesWritten` is of this run. Null if the data has no block device, or none that can be read. */
  readonly device: StorageDevice | null;
}

export interface CardWearOptions {
  /** The data folder; what is written to it counts, also by `card.json`. */
  readonly disk: Disk;
  /** What this run has cost so far. */
  readonly thisRun: () => CardTotals;
  /** Bytes; undefined if nobody has said. */
  readonly endurance: number | undefined;
  readonly readDevice: ReadStorageDevice;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const fileName = 'card.json';
const DAYS_PER_YEAR = 365.25;
const dayLength = 24 * 3600 * 1000;

/** Counts what the card is given, over all runs on its data folder (design P9). */
export class CardWear {
  readonly #options: CardWearOptions;
  /** Of the runs before this one. */
  readonly #before: CardTotals;
  readonly #stopping = new AbortController();
  /** What was written when, for the rate; the oldest first. */
  readonly #looks: { readonly atMs: number; readonly bytes: number }[] = [];
  readonly #deviceAtStart: StorageDevice | null;
  #reportedDeviceBytes = 0;
  #saved: CardTotals;
  #saving: Promise<void> = Promise.resolve();

  private constructor(options: CardWearOptions, before: CardTotals, device: StorageDevice | null) {
    this.#options = options;
    this.#before = before;
    this.#saved = before;
    this.#deviceAtStart = device;
  }

  /** Takes up the count of the runs before. What cannot be read begins anew, with a line in the service log. */
  static async open(options: CardWearOptions): Promise<CardWear> {
    const before = await readTotals(options.disk, options.logger);
    return new CardWear(options, before, await options.readDevice());
  }

  /** Begins to keep the count, at most once an hour. */
  start(): void {
    this.#look();
    this.#saving = this.#saveEveryHour();
  }

  /** Keeps what was counted. It never rejects for what the disk does: the count then begins where it was last kept. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#saving;
    await this.#save();
  }

  /** How far the card is worn now. */
  async status(): Promise<CardStatus> {
    const totals = this.#totals();
    const { payloadBytes } = totals;
    const deviceBytes = deviceBytesOf(totals);
    const { endurance } = this.#options;
    const enduranceBytes = endurance ?? limits.enduranceBytesDefault;
    const bytesPerDay = this.#bytesPerDay(deviceBytes);
    const daysLeft = bytesPerDay ? Math.max(0, enduranceBytes - deviceBytes) / bytesPerDay : null;
    return {
      ...totals,
      deviceBytesPerPayloadByte:
        payloadBytes < limits.cardPayloadBytesMin ? null : deviceBytes / payloadBytes,
      endurance: { bytes: enduranceBytes, isEstimate: endurance === undefined },
      usedShare: deviceBytes / enduranceBytes,
      bytesPerDay,
      yearsLeft: daysLeft === null ? null : daysLeft / DAYS_PER_YEAR,
      device: await this.#device(),
    };
  }

  /**
   * Enters the states among the metrics as they are now. What is counted over all runs is a gauge there: after a crash
   * it may be a little less than before, which of a counter would be taken for a reset.
   */
  async report(): Promise<void> {
    const { metrics } = this.#options;
    const { deviceBytesPerPayloadByte, usedShare, yearsLeft, device } = await this.status();
    metrics.set('headwater_device_bytes_per_payload_byte', deviceBytesPerPayloadByte ?? Number.NaN);
    metrics.set('headwater_card_endurance_used_ratio', usedShare);
    metrics.set('headwater_card_years_left', yearsLeft ?? Number.NaN);
    if (device === null) return;
    const { name, bytesWritten, life } = device;
    const more = Math.max(0, bytesWritten - this.#reportedDeviceBytes);
    this.#reportedDeviceBytes += more;
    metrics.add('headwater_storage_device_bytes_written_total', more, { device: name });
    if (life !== null)
      metrics.set('headwater_storage_device_life_used_ratio', life.usedShareMax, { device: name });
  }

  #totals(): CardTotals {
    return addTotals(this.#before, this.#options.thisRun());
  }

  async #device(): Promise<StorageDevice | null> {
    const now = await this.#options.readDevice();
    const start = this.#deviceAtStart;
    if (now === null || start === null) return null;
    return { ...now, bytesWritten: Math.max(0, now.bytesWritten - start.bytesWritten) };
  }

  #look(): void {
    const bytes = deviceBytesOf(this.#totals());
    this.#looks.push({ atMs: this.#options.clock.monotonicMs(), bytes });
    if (this.#looks.length > limits.cardRateLooksMax) this.#looks.shift();
  }

  #bytesPerDay(deviceBytes: number): number | null {
    const [oldest] = this.#looks;
    if (oldest === undefined) return null;
    const ms = this.#options.clock.monotonicMs() - oldest.atMs;
    return ms < limits.cardRateMsMin ? null : ((deviceBytes - oldest.bytes) * dayLength) / ms;
  }

  async #saveEveryHour(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      await this.#options.clock.sleep(limits.cardSaveIntervalMs, signal);
      if (signal.aborted) return;
      this.#look();
      await this.#save();
    }
  }

  /** A start after a power cut sees the old file or the new one. */
  async #save(): Promise<void> {
    const { disk, logger } = this.#options;
    const totals = this.#totals();
    if (deviceBytesOf(totals) === deviceBytesOf(this.#saved)) return;
    try {
      await replaceFile(disk, fileName, encodeTotals(totals));
      this.#saved = this.#totals();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      logger.warn(
        { cause: messageOf(error) },
        `${fileName} cannot be written: what the card was given since it last was will be missing after a restart; make room on the disk, or let this user write the data folder`,
      );
    }
  }
}

async function readTotals(disk: Disk, logger: Logger): Promise<CardTotals> {
  try {
    if (!(await disk.list('')).includes(fileName)) {
      logger.info({}, `there is no ${fileName} yet: the count of what the card is given begins now`);
      return noTotals;
    }
    const file = await disk.open(fileName);
    const bytes = new Uint8Array(limits.cardFileBytesMax);
    const length = await file.readAt(bytes, 0).finally(() => file.close());
    const totals = decodeTotals(bytes.subarray(0, length));
    if (!('reason' in totals)) return totals;
    return begunAnew(totals.reason, logger);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return begunAnew(messageOf(error), logger);
  }
}

function begunAnew(reason: string, logger: Logger): CardTotals {
  logger.warn(
    { reason },
    `${fileName} cannot be used: the count of what the card is given begins anew, what was before is not known`,
  );
  return noTotals;
}
