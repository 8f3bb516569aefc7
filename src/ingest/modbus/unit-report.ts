import type { Clock } from '../../core/clock.ts';
import { countFromZero, type Metrics } from '../../core/metrics.ts';
import type { ModbusUnit } from './poll-record.ts';
import type { ReadFailure } from './read-failure.ts';
import type { Register } from './register.ts';

/** What the status says of a unit. Counts are of this run, times are wall clock, milliseconds since 1970 UTC. */
export interface ModbusUnitStatus {
  readonly name: string;
  readonly unit: number;
  /** `new`: it was not asked yet. */
  readonly state: 'new' | 'answering' | 'silent';
  readonly polls: number;
  /** Of which so many gave a record. */
  readonly records: number;
  /** Null before the first. */
  readonly lastRecordMs: number | null;
  /** The registers that had no value when they were last asked for. */
  readonly failing: readonly FailingRegister[];
}

export interface FailingRegister {
  readonly register: string;
  readonly reason: string;
  /** In words. */
  readonly words: string;
  /** How often in a row, since when. */
  readonly times: number;
  readonly sinceMs: number;
}

/** Keeps what is known of a unit, for status and metrics; says what is new about it. */
export class UnitReport {
  readonly #unit: ModbusUnit;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #failing = new Map<string, FailingRegister>();
  #state: ModbusUnitStatus['state'] = 'new';
  #polls = 0;
  #records = 0;
  #lastRecordMs: number | null = null;

  constructor(unit: ModbusUnit, clock: Clock, metrics: Metrics) {
    this.#unit = unit;
    this.#clock = clock;
    this.#metrics = metrics;
    countFromZero(metrics, 'headwater_modbus_polls_total', 'unit', [unit.name]);
  }

  status(): ModbusUnitStatus {
    const { name, unit } = this.#unit;
    return {
      name,
      unit,
      state: this.#state,
      polls: this.#polls,
      records: this.#records,
      lastRecordMs: this.#lastRecordMs,
      failing: [...this.#failing.values()],
    };
  }

  /** A register has a value. */
  answered({ name }: Register): void {
    this.#failing.delete(name);
  }

  /** Registers have none, for one reason. Gives those of which that was not known. */
  failed(registers: readonly Register[], { reason, words }: ReadFailure): readonly Register[] {
    const atMs = this.#clock.wallMs();
    return registers.filter(({ name }) => {
      this.#metrics.add('headwater_modbus_register_failures_total', 1, {
        unit: this.#unit.name,
        register: name,
        reason,
      });
      const before = this.#failing.get(name);
      const isNew = before?.reason !== reason;
      const { times, sinceMs } = before === undefined || isNew ? { times: 0, sinceMs: atMs } : before;
      this.#failing.set(name, { register: name, reason, words, times: times + 1, sinceMs });
      return isNew;
    });
  }

  /** A poll is over; gives whether the unit has just fallen silent, or answers again. */
  finished(isSilent: boolean, hasRecord: boolean): 'silent' | 'back' | null {
    const { name: unit } = this.#unit;
    const before = this.#state;
    this.#state = isSilent ? 'silent' : 'answering';
    this.#polls += 1;
    this.#metrics.add('headwater_modbus_polls_total', 1, { unit });
    this.#metrics.set('headwater_modbus_unit_answering', isSilent ? 0 : 1, { unit });
    if (hasRecord) {
      this.#records += 1;
      this.#lastRecordMs = this.#clock.wallMs();
    }
    if (before === this.#state) return null;
    if (isSilent) return 'silent';
    return before === 'silent' ? 'back' : null;
  }
}
