import type { Clock } from '../../core/clock.ts';
import { isOperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { countFromZero, type Metrics } from '../../core/metrics.ts';
import type { Accept, ReceivedRecord } from '../../core/record.ts';
import { Notices } from '../notices.ts';
import { DeadLetterBudget } from '../wired/dead-letter-budget.ts';
import { Delivery } from '../wired/delivery.ts';
import { openAgainAndAgain } from '../wired/open-again.ts';
import type { Selection } from '../wired/port-selection.ts';
import { droppedLetter, leftOutLetter } from '../wired/summary-letter.ts';
import { type Answer, type Bus, type BusSettings, busPlace, type OpenBus } from './bus.ts';
import { failedReadLetter, type ModbusUnit, pollRecord } from './poll-record.ts';
import {
  type Outcome,
  type PollCommand,
  type ScheduleEvent,
  startSchedule,
  stepSchedule,
} from './poll-schedule.ts';
import { failureOf, outcomeOf, type ReadFailure } from './read-failure.ts';
import { answerBytesOf, decodeRead, type PlannedRead, planReads } from './read-plan.ts';
import { type ModbusUnitStatus, UnitReport } from './unit-report.ts';

export interface ModbusSourceOptions {
  readonly name: string;
  readonly settings: BusSettings;
  /** What the port of a serial bus is to open now; asked again before each attempt. */
  readonly locate: () => Promise<Selection>;
  /** What a unit has for its answer. */
  readonly timeoutMs: number;
  /** How often a request is repeated that was not answered. */
  readonly retries: number;
  readonly units: readonly ModbusUnit[];
  readonly open: OpenBus;
  readonly accept: Accept;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What the status says of a bus. Counts are of this run, times are wall clock, milliseconds since 1970 UTC. */
export interface ModbusBusStatus {
  readonly name: string;
  /** As it is configured: its port by path, pattern or USB numbers, or host:port. */
  readonly place: string;
  /** The device file of a serial bus that is or was open; null before the first time, and for TCP. */
  readonly device: string | null;
  /** `opening`: it was not open yet in this run; `lost`: it was. Both are tried until it is open. */
  readonly state: 'opening' | 'open' | 'lost';
  /** Retries included. */
  readonly requests: number;
  /** Records that were dropped because the log refused for too long. */
  readonly dropped: number;
  /** What was last wrong with the bus, or the way into the log. */
  readonly lastError: { readonly message: string; readonly atMs: number } | null;
  readonly units: readonly ModbusUnitStatus[];
}

/** A unit with what is known of it, and what its present poll has brought so far. */
interface PolledUnit {
  readonly unit: ModbusUnit;
  readonly report: UnitReport;
  readonly values: Map<string, string>;
  /** Of the first value, by the monotonic clock; null before it. */
  receivedMs: number | null;
  /** What was wrong with the request that was asked last. */
  failure: ReadFailure | null;
}

/** What many devices send where they have nothing to measure. */
const notANumber: ReadFailure = {
  reason: 'not-a-number',
  words: 'a float that is no number, or a value that is none when it is scaled',
};

/** Three and a half characters of eleven bits (Modbus over Serial Line V1.02, 2.5.1.1). */
const BITS_OF_SILENCE = 38.5;

/** One bus: opened again and again, its units polled, what they say brought into the log. */
export class ModbusSource {
  readonly #options: ModbusSourceOptions;
  readonly #notices: Notices;
  readonly #delivery: Delivery;
  readonly #units: readonly PolledUnit[];
  readonly #deadLetters = new DeadLetterBudget({
    lettersMax: limits.modbusDeadLettersPerHourMax,
    bytesMax: limits.modbusDeadLetterBytesPerHourMax,
  });
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  /** In this run, and how many requests in a row nobody has answered. */
  #answers = 0;
  #timeouts = 0;
  /** Whether an answer may still come to what was asked last. */
  #mayAnswerLate = false;
  #status: Omit<ModbusBusStatus, 'units'>;

  private constructor(options: ModbusSourceOptions) {
    const { name, settings, units, accept, clock, logger, metrics } = options;
    this.#options = options;
    this.#notices = new Notices(clock, logger);
    this.#delivery = new Delivery({
      accept,
      clock,
      droppedLetterOf: (dropped) => droppedLetter(name, dropped),
      onStored: (count) => metrics.add('headwater_records_accepted_total', count, { source: 'modbus' }),
      onRefused: (reason) => this.#fail(`readings of the Modbus units wait: ${reason}`),
    });
    this.#units = units.map((unit) => ({
      unit,
      report: new UnitReport(unit, clock, metrics),
      values: new Map(),
      receivedMs: null,
      failure: null,
    }));
    this.#status = {
      name,
      place: busPlace(settings),
      device: null,
      state: 'opening',
      requests: 0,
      dropped: 0,
      lastError: null,
    };
    metrics.set('headwater_modbus_open', 0, { bus: name });
    countFromZero(metrics, 'headwater_records_accepted_total', 'source', ['modbus']);
    countFromZero(metrics, 'headwater_modbus_requests_total', 'bus', [name]);
    countFromZero(metrics, 'headwater_modbus_dropped_total', 'bus', [name]);
    this.#running = openAgainAndAgain(() => this.#session(), clock, this.#stopped.signal);
  }

  /** Starts at once, whether the bus is there or not. */
  static start(options: ModbusSourceOptions): ModbusSource {
    return new ModbusSource(options);
  }

  status(): ModbusBusStatus {
    return { ...this.#status, units: this.#units.map(({ report }) => report.status()) };
  }

  /** Closes the bus, and waits `limits.serialStopMs` at most until what was read is in the log. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    this.#tellLeftOut();
    const left = await this.#delivery.stop();
    if (left === 0) return;
    this.#countDropped(left);
    const message = 'the log did not take what was read from the Modbus units; it is lost';
    this.#options.logger.error({ records: left }, message);
  }

  /** From one opening of the bus to its loss, or to a stop; gives whether anybody has answered. */
  async #session(): Promise<boolean> {
    const { name, metrics } = this.#options;
    const bus = await this.#open();
    if (bus === null) return false;
    this.#update({ state: 'open' });
    metrics.set('headwater_modbus_open', 1, { bus: name });
    const where = this.#status.device ?? this.#status.place;
    this.#notices.say('info', `the Modbus bus ${name} (${where}) is open`);
    const answersBefore = this.#answers;
    const reason = await this.#poll(bus);
    await bus.close();
    metrics.set('headwater_modbus_open', 0, { bus: name });
    this.#update({ state: 'lost' });
    // What a poll has brought until then is not lost with it.
    for (const polled of this.#units) this.#store(polled);
    if (reason !== null)
      this.#fail(`the Modbus bus ${name} (${where}) is lost (${reason}); it is opened again`);
    return this.#answers > answersBefore;
  }

  /** Opens what the bus stands for now; null if it cannot. */
  async #open(): Promise<Bus | null> {
    const { settings, timeoutMs, locate, open } = this.#options;
    const stopped = this.#stopped.signal;
    try {
      if (settings.kind === 'tcp') return await open(settings, timeoutMs, stopped);
      const selection = await locate();
      if (stopped.aborted) return null;
      if ('problem' in selection) return this.#cannotOpen(selection.problem);
      const { path, device } = selection;
      const bus = await open({ ...settings, path }, timeoutMs, stopped);
      this.#update({ device });
      return bus;
    } catch (error) {
      if (!isOperatingError(error)) throw error;
      return this.#cannotOpen(error.message);
    }
  }

  #cannotOpen(reason: string): null {
    if (!this.#stopped.signal.aborted)
      this.#fail(`the Modbus bus ${this.#options.name} is tried again and again: ${reason}`);
    return null;
  }

  /** Resolves with the reason when the bus is lost, and with null for a stop. */
  async #poll(bus: Bus): Promise<string | null> {
    const { clock, retries, settings, timeoutMs } = this.#options;
    const lost = new AbortController();
    const over = AbortSignal.any([this.#stopped.signal, lost.signal]);
    void bus.lost.then((reason) => lost.abort(reason));
    // A request that is under way ends with the bus.
    over.addEventListener('abort', () => void bus.close());
    const plans = this.#units.map(({ unit: { unit, intervalMs, registers } }) => ({
      device: unit,
      intervalMs,
      reads: planReads(registers),
    }));
    // By TCP answers have the number of their request.
    const holdMs = settings.kind === 'rtu' ? Math.max(timeoutMs, limits.modbusHoldMsMin) : 0;
    let state = startSchedule(plans, { retries, holdMs }, clock.monotonicMs());
    let event: ScheduleEvent = { kind: 'woke', nowMs: clock.monotonicMs() };
    while (!over.aborted) {
      const step = stepSchedule(state, event);
      state = step.state;
      for (const command of step.commands) this.#carryOut(command);
      if (step.next.kind === 'sleep') {
        await clock.sleep(step.next.ms, over);
        event = { kind: 'woke', nowMs: clock.monotonicMs() };
      } else {
        const outcome = await this.#ask(bus, step.next.unit, step.next.read, over);
        if (typeof outcome !== 'string') lost.abort(outcome.lost);
        else event = { kind: 'ended', nowMs: clock.monotonicMs(), outcome };
      }
    }
    return lost.signal.aborted ? String(lost.signal.reason) : null;
  }

  /** Sends a request, and takes what comes of it. */
  async #ask(
    bus: Bus,
    index: number,
    read: PlannedRead,
    over: AbortSignal,
  ): Promise<Outcome | { readonly lost: string }> {
    const { name, settings, clock, metrics } = this.#options;
    const polled = this.#unitAt(index);
    if (settings.kind === 'rtu') await clock.sleep(this.#restMs(settings.baud), over);
    this.#update({ requests: this.#status.requests + 1 });
    metrics.add('headwater_modbus_requests_total', 1, { bus: name });
    const { kind, address, count } = read;
    const answer = await bus.read({ unit: polled.unit.unit, kind, address, count });
    if ('lost' in answer) return answer;
    const isTimeout = 'problem' in answer && answer.problem.kind === 'timeout';
    this.#timeouts = isTimeout ? this.#timeouts + 1 : 0;
    this.#mayAnswerLate = 'problem' in answer && answer.problem.kind !== 'exception';
    if (isTimeout && settings.kind === 'tcp' && this.#timeouts >= limits.modbusTcpTimeoutsMax) {
      this.#timeouts = 0;
      return { lost: `no answer to ${limits.modbusTcpTimeoutsMax} requests in a row` };
    }
    return this.#outcomeOf(polled, read, answer);
  }

  #outcomeOf(
    polled: PolledUnit,
    read: PlannedRead,
    answer: Exclude<Answer, { readonly lost: string }>,
  ): Outcome {
    if ('problem' in answer) {
      polled.failure = failureOf(answer.problem);
      return outcomeOf(answer.problem);
    }
    if (answer.data.length !== answerBytesOf(read)) {
      const words = `${answer.data.length} bytes where ${answerBytesOf(read)} were asked for`;
      polled.failure = { reason: 'wrong-length', words };
      return 'failed';
    }
    this.#answers += 1;
    polled.receivedMs ??= this.#options.clock.monotonicMs();
    for (const { register, json } of decodeRead(read, answer.data)) {
      if (json === null) polled.report.failed([register], notANumber);
      else {
        polled.values.set(register.name, json);
        polled.report.answered(register);
      }
    }
    return 'answered';
  }

  /** Between two requests a serial bus is silent: that is how devices know where a message begins. */
  #restMs(baud: number): number {
    const restMs = Math.max(limits.modbusRestMsMin, Math.ceil((BITS_OF_SILENCE / baud) * 1000));
    return this.#mayAnswerLate ? Math.max(restMs, limits.modbusLateAnswerMs) : restMs;
  }

  #carryOut(command: PollCommand): void {
    const polled = this.#unitAt(command.unit);
    if (command.kind === 'give-up') this.#giveUp(polled, command.read, command.isSilent);
    else this.#finish(polled, command.isSilent);
  }

  #finish(polled: PolledUnit, isSilent: boolean): void {
    const hasRecord = this.#store(polled);
    const news = polled.report.finished(isSilent, hasRecord);
    const { name, unit } = polled.unit;
    if (news === 'back') this.#notices.say('info', `the Modbus unit ${name} answers again`);
    if (news !== 'silent') return;
    const words = polled.failure?.words ?? 'no answer in time';
    const hint =
      'It is asked more and more seldom. Check its power and wires, its number, and the settings of the bus';
    this.#notices.say('warn', `the Modbus unit ${name} (number ${unit}) does not answer: ${words}. ${hint}`);
  }

  #giveUp(polled: PolledUnit, read: PlannedRead, isSilent: boolean): void {
    const { name, clock } = this.#options;
    const { unit, report, failure } = polled;
    if (failure === null) throw new Error('broken assumption: what is given up has failed');
    const news = report.failed(read.registers, failure).map((register) => register.name);
    const nowMs = clock.monotonicMs();
    if (nowMs >= this.#deadLetters.endsMs) this.#tellLeftOut();
    const letter = failedReadLetter(unit, read, failure, nowMs);
    const bytes = letter.value?.length ?? 0;
    if (this.#deadLetters.take(failure.reason, bytes, nowMs, nowMs)) this.#push([letter]);
    if (news.length === 0 || isSilent) return;
    const message = `the Modbus unit ${unit.name} of the bus ${name} gives no value of ${news.join(', ')}: ${failure.words}`;
    this.#notices.say('warn', message);
  }

  /** One dead letter tells of those that were left out: before the first one of the next hour, or at a stop. */
  #tellLeftOut(): void {
    const leftOut = this.#deadLetters.takeLeftOut();
    if (leftOut !== null) this.#push([leftOutLetter(this.#options.name, leftOut)]);
  }

  /** Brings what a poll has given into the log; gives whether it was anything. */
  #store(polled: PolledUnit): boolean {
    const { unit, values, receivedMs } = polled;
    const records = receivedMs === null || values.size === 0 ? [] : [pollRecord(unit, values, receivedMs)];
    polled.receivedMs = null;
    values.clear();
    this.#push(records);
    return records.length > 0;
  }

  #push(records: readonly ReceivedRecord[]): void {
    if (records.length === 0) return;
    const dropped = this.#delivery.push(records);
    if (dropped === 0) return;
    this.#countDropped(dropped);
    this.#fail('the log has refused for so long that the oldest readings of the Modbus units are dropped');
  }

  #countDropped(count: number): void {
    this.#update({ dropped: this.#status.dropped + count });
    this.#options.metrics.add('headwater_modbus_dropped_total', count, { bus: this.#options.name });
  }

  #unitAt(index: number): PolledUnit {
    const polled = this.#units[index];
    if (polled === undefined)
      throw new Error('broken assumption: the schedule knows the units that there are');
    return polled;
  }

  #fail(message: string): void {
    this.#update({ lastError: { message, atMs: this.#options.clock.wallMs() } });
    this.#notices.say('warn', message);
  }

  #update(changed: Partial<Omit<ModbusBusStatus, 'units'>>): void {
    this.#status = { ...this.#status, ...changed };
  }
}
