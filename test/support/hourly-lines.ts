import type { Clock } from '../../src/core/clock.ts';
import type { Logger } from '../../src/core/logger.ts';

interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** Keeps the lines of a log, and how many came in each hour. */
export class HourlyLines implements Logger {
  readonly all: Line[];
  readonly #clock: Clock;
  readonly #fields: object;
  readonly #counts: Map<number, number>;

  constructor(clock: Clock, like?: HourlyLines, fields: object = {}) {
    this.#clock = clock;
    this.#fields = fields;
    this.all = like?.all ?? [];
    this.#counts = like === undefined ? new Map() : like.#counts;
  }

  /** Lines in the hour that had most. */
  get mostInAnHour(): number {
    return Math.max(0, ...this.#counts.values());
  }

  debug(fields: object, message: string): void {
    this.#keep('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#keep('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#keep('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#keep('error', fields, message);
  }

  child(fields: object): Logger {
    return new HourlyLines(this.#clock, this, { ...this.#fields, ...fields });
  }

  #keep(level: Line['level'], fields: object, message: string): void {
    const hour = Math.floor(this.#clock.monotonicMs() / 3_600_000);
    this.#counts.set(hour, (this.#counts.get(hour) ?? 0) + 1);
    this.all.push({ level, fields: { ...this.#fields, ...fields }, message });
  }
}
