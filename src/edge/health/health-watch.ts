import type { Clock } from '../../core/clock.ts';
import { isOperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { ServiceManager } from '../../core/service-manager.ts';
import type { LogStats } from '../../log/types.ts';
import { freshHealth, type Health, type HealthEvent, healthStep } from './health.ts';
import { type HealthReport, healthReport, type JudgedLog, statusLine } from './health-report.ts';

/** What is watched of the log. */
export interface WatchedLog extends JudgedLog {
  stats(): Pick<LogStats, 'commits' | 'failedRecoveries' | 'isRecovering'>;
  checkCommit(): Promise<void>;
}

export interface HealthWatchOptions {
  readonly log: WatchedLog;
  readonly manager: ServiceManager;
  /** What the mirror says of itself, null without a cluster. It is told, and judged by nobody. */
  readonly mirror: () => string | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks at the gateway's health again and again, and tells the service manager. What it decides is in `health.ts`. */
export class HealthWatch {
  readonly #options: HealthWatchOptions;
  readonly #stopping = new AbortController();
  #health: Health;
  #aliveMs = 0;
  /** The status as it was told last, its first word, and when that was. */
  #told = { line: '', word: '', atMs: Number.NEGATIVE_INFINITY };
  #running: Promise<void> | undefined;

  constructor(options: HealthWatchOptions) {
    this.#options = options;
    this.#health = freshHealth(answersOf(options.log));
  }

  /** How the gateway is now. */
  report(): HealthReport {
    const { log, clock } = this.#options;
    const { isStuck, owedSinceMs } = this.#health;
    return healthReport(log, isStuck ? clock.monotonicMs() - (owedSinceMs ?? 0) : null);
  }

  /** Tells that readings are accepted; from then on the watchdog counts. */
  begin(): void {
    const { manager, clock } = this.#options;
    this.#aliveMs = clock.monotonicMs();
    manager.tell({ ready: true });
    this.#tellStatus();
    this.#running = this.#run();
  }

  /** Resolves when nothing is looked at any more; a check under way is left to the log. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log, clock, manager } = this.#options;
    const { signal } = this.#stopping;
    const periodMs = lookPeriodMs(manager.watchdogMs);
    for (;;) {
      await clock.sleep(periodMs, signal);
      if (signal.aborted) return;
      this.#take({
        kind: 'look',
        nowMs: clock.monotonicMs(),
        answers: answersOf(log),
        refusesAndWaits: !log.available && !log.stats().isRecovering,
      });
      this.#tellStatus();
    }
  }

  #take(event: HealthEvent): void {
    const { health, commands } = healthStep(this.#health, event);
    this.#health = health;
    for (const command of commands) {
      if (command === 'alive') this.#tellAlive();
      else if (command === 'check') void this.#check();
      else this.#log(command);
    }
  }

  async #check(): Promise<void> {
    const { log } = this.#options;
    try {
      await log.checkCommit();
      this.#after({ kind: 'checked', answers: answersOf(log) });
    } catch (error) {
      if (!isOperatingError(error)) throw error;
      this.#after({ kind: 'not-checked' });
    }
  }

  /** What becomes of a check when the gateway stops says nothing of its health. */
  #after(event: HealthEvent): void {
    if (!this.#stopping.signal.aborted) this.#take(event);
  }

  #tellAlive(): void {
    const { clock, manager } = this.#options;
    this.#aliveMs = clock.monotonicMs();
    manager.tell({ alive: true });
  }

  #tellStatus(): void {
    const { manager, mirror, clock } = this.#options;
    const line = statusLine(this.report(), mirror());
    const word = line.split(/[:;]/, 1)[0] ?? '';
    const nowMs = clock.monotonicMs();
    const isDue = word !== this.#told.word || nowMs - this.#told.atMs >= limits.serviceStatusMsMin;
    if (line === this.#told.line || !isDue) return;
    this.#told = { line, word, atMs: nowMs };
    manager.tell({ status: line });
  }

  #log(command: 'tell-stuck' | 'tell-moving'): void {
    const { logger, manager, clock } = this.#options;
    if (command === 'tell-moving') {
      logger.info({}, 'commits complete again');
      return;
    }
    const { watchdogMs } = manager;
    const leftMs = watchdogMs === null ? null : this.#aliveMs + watchdogMs - clock.monotonicMs();
    const next =
      leftMs === null
        ? 'look at the disk, and start the gateway again if it stays so'
        : `if that lasts ${Math.max(0, Math.round(leftMs / 1000))} s longer, the watchdog ends the gateway to start it again; ` +
          'replace the card if this repeats';
    logger.error({}, `no commit completes, and nothing is acknowledged: the disk does not answer; ${next}`);
  }
}

function answersOf(log: WatchedLog): number {
  const { commits, failedRecoveries } = log.stats();
  return commits + failedRecoveries;
}

/** Three looks within the time of the watchdog: for a check, for its answer, and one to spare. */
function lookPeriodMs(watchdogMs: number | null): number {
  const wanted = watchdogMs === null ? limits.healthLookMs : watchdogMs / 3;
  return Math.min(Math.max(wanted, limits.healthLookMsMin), limits.healthLookMsMax);
}
