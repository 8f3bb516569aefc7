import type { Clock } from '../core/clock.ts';
import type { Disk } from '../core/disk.ts';
import { isSystemError, messageOf } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Forwarding, Retention } from '../log/types.ts';
import { defaultBudgetBytes } from './config/schema.ts';
import { replaceFile } from './replace-file.ts';

/** What housekeeping asks of the log. */
export interface KeptLog {
  retain(retention: Retention): void;
  keepHouse(): void;
}

export interface HousekeepingOptions {
  readonly log: KeptLog;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly forwarding: Forwarding;
  /** `data.budget`; undefined: what was free at the first start decides. */
  readonly budgetBytes: number | undefined;
  readonly freeBytes: () => Promise<number>;
  readonly isClockSet: () => Promise<boolean>;
}

/** A budget that nobody has configured is decided once: other people's files must not shrink it, and so remove records. */
const fileName = 'budget.json';

/** Tells the log by which rules to remove records, and has it look now and then. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #stopping = new AbortController();
  /** What the data folder may take on the disk. */
  readonly budgetBytes: number;
  #isClockSet = false;
  #running: Promise<void> | undefined;

  private constructor(options: HousekeepingOptions, budgetBytes: number) {
    this.#options = options;
    this.budgetBytes = budgetBytes;
  }

  /** From then on the log keeps within its budget. Rejects with what the disk says. */
  static async start(options: HousekeepingOptions): Promise<Housekeeping> {
    const budgetBytes = options.budgetBytes ?? (await decidedBudget(options));
    const keeping = new Housekeeping(options, budgetBytes);
    options.metrics.set('headwater_data_budget_bytes', budgetBytes);
    await keeping.#lookAtClock();
    options.log.retain({
      budgetBytes,
      forwarding: options.forwarding,
      isClockSet: () => keeping.#isClockSet,
    });
    keeping.#running = keeping.#run();
    return keeping;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    for (;;) {
      await clock.sleep(limits.upkeepIntervalMs, signal);
      if (signal.aborted) return;
      await this.#lookAtClock();
      log.keepHouse();
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
    logger.warn({ cause: messageOf(error) }, `${fileName} cannot be written; the next start decides again`);
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
