import type { Clock } from '../core/clock.ts';
import type { Disk } from '../core/disk.ts';
import { isSystemError, messageOf } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Forwarding, Retention } from '../log/types.ts';
import { defaultBudgetBytes } from './config/schema.ts';
import { type Fill, FillForecast } from './fill-forecast.ts';
import { replaceFile } from './replace-file.ts';

export interface HousekeepingOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly forwarding: Forwarding;
  /** `data.budget`; undefined: what was free at the first start decides. */
  readonly budgetBytes: number | undefined;
  readonly freeBytes: () => Promise<number>;
  readonly isClockSet: () => Promise<boolean>;
  /** What files take that the log does not know and that are not small. */
  readonly otherBytes: () => number;
}

/** A budget that nobody has configured is decided once: other people's files must not shrink it, and so remove records. */
const fileName = 'budget.json';

/** What is asked of the log now and then. */
interface KeptLog {
  keepHouse(): void;
  stats(): { readonly usedBytes: number };
}

/** Says by which rules the log removes records, and has it look now and then. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #stopping = new AbortController();
  /** What the log is to be opened with. */
  readonly retention: Retention;
  readonly #forecast = new FillForecast();
  #isClockSet = false;
  #running: Promise<void> | undefined;

  private constructor(options: HousekeepingOptions, budgetBytes: number) {
    this.#options = options;
    const { forwarding, otherBytes } = options;
    this.retention = { budgetBytes, forwarding, otherBytes, isClockSet: () => this.#isClockSet };
    options.metrics.set('headwater_data_budget_bytes', budgetBytes);
  }

  /** Decides on the disk budget, and looks whether the clock is set. Rejects with what the disk says. */
  static async open(options: HousekeepingOptions): Promise<Housekeeping> {
    const keeping = new Housekeeping(options, options.budgetBytes ?? (await decidedBudget(options)));
    await keeping.#lookAtClock();
    return keeping;
  }

  /** From then on the log is asked to look. */
  start(log: KeptLog): void {
    this.#running = this.#run(log);
  }

  /** When the budget is reached at the rate of the last day, if so much is used now. */
  fill(usedBytes: number): Fill {
    const nowMs = this.#options.clock.monotonicMs();
    return this.#forecast.until(this.retention.budgetBytes, nowMs, usedBytes);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(log: KeptLog): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#lookAtClock();
      log.keepHouse();
      this.#forecast.look(this.#options.clock.monotonicMs(), log.stats().usedBytes);
      // Records may wait for it.
      const ms = this.#isClockSet ? limits.upkeepIntervalMs : limits.clockLookMs;
      await this.#options.clock.sleep(ms, signal);
    }
  }

  async #lookAtClock(): Promise<void> {
    // Once it was set in this run it stays so: losing the time server does not make it wrong.
    this.#isClockSet ||= await this.#options.isClockSet();
  }
}

async function decidedBudget({ disk, freeBytes, logger }: HousekeepingOptions): Promise<number> {
  const decided = await readDecided(disk);
  if (decided !== undefined) return decided;
  const budgetBytes = defaultBudgetBytes(await freeBytes());
  try {
    await replaceFile(disk, fileName, Buffer.from(JSON.stringify({ budgetBytes })));
    logger.info(
      { budgetBytes },
      'data.budget is not set: half of what was free just now, within bounds, is what the data folder may take',
    );
  } catch (error) {
    if (!isSystemError(error)) throw error;
    logger.warn(
      { cause: messageOf(error) },
      `${fileName} cannot be written, and the next start decides again; make room on the disk, or let this user write the data folder`,
    );
  }
  return budgetBytes;
}

async function readDecided(disk: Disk): Promise<number | undefined> {
  if (!(await disk.list('')).includes(fileName)) return undefined;
  const file = await disk.open(fileName);
  const bytes = new Uint8Array(limits.budgetFileBytesMax);
  const length = await file.readAt(bytes, 0).finally(() => file.close());
  try {
    const { budgetBytes } = JSON.parse(Buffer.from(bytes.subarray(0, length)).toString());
    return Number.isSafeInteger(budgetBytes) && budgetBytes >= limits.budgetBytesMin
      ? budgetBytes
      : undefined;
  } catch {
    return undefined;
  }
}
