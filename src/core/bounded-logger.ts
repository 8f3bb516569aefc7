import type { Clock } from './clock.ts';
import { limits } from './limits.ts';
import type { Logger } from './logger.ts';

type Level = 'info' | 'warn' | 'error';

/** What lines of one part and level have cost in the hour that runs. */
interface Spent {
  sinceMs: number;
  lines: number;
  leftOut: number;
  /** How often each message was written. */
  readonly said: Map<string, number>;
}

/**
 * Writes to another logger what one failing thing may say: of each level at most `limits.logLinesMax` lines in
 * `limits.logIntervalMs`, and the same message at most `limits.logSameLinesMax` times, whatever its fields. The last one says so, and the
 * first line of the next interval is preceded by how many were left out. A child has bounds of its own, so that one part hides
 * nothing of another: children are made once for each part, not once for each thing that happens. Debug lines are not bounded, because somebody has asked for all of them.
 */
export class BoundedLogger implements Logger {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #spent: Readonly<Record<Level, Spent>>;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
    const nothing = (): Spent => ({ sinceMs: clock.monotonicMs(), lines: 0, leftOut: 0, said: new Map() });
    this.#spent = { info: nothing(), warn: nothing(), error: nothing() };
  }

  debug(fields: object, message: string): void {
    this.#logger.debug(fields, message);
  }

  info(fields: object, message: string): void {
    this.#say('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#say('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#say('error', fields, message);
  }

  child(fields: object): Logger {
    return new BoundedLogger(this.#logger.child(fields), this.#clock);
  }

  #say(level: Level, fields: object, message: string): void {
    const spent = this.#spent[level];
    this.#beginInterval(level, spent);
    const times = (spent.said.get(message) ?? 0) + 1;
    if (spent.lines >= limits.logLinesMax || times > limits.logSameLinesMax) {
      spent.leftOut += 1;
      return;
    }
    spent.lines += 1;
    spent.said.set(message, times);
    const note = noteOf(level, times, spent.lines);
    this.#logger[level](note === null ? fields : { ...fields, note }, message);
  }

  #beginInterval(level: Level, spent: Spent): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - spent.sinceMs < limits.logIntervalMs) return;
    const { leftOut } = spent;
    spent.sinceMs = nowMs;
    spent.lines = 0;
    spent.leftOut = 0;
    spent.said.clear();
    if (leftOut > 0)
      this.#logger[level]({ leftOut }, 'so many lines that repeat what stands above were left out');
  }
}

function noteOf(level: Level, times: number, lines: number): string | null {
  const until = 'are left out until an hour has passed since the first';
  if (lines === limits.logLinesMax) return `further lines of level ${level} of this part ${until}`;
  return times === limits.logSameLinesMax ? `further lines with this message ${until}` : null;
}
