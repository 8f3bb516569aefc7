import { OperatingError } from '../../src/core/errors.ts';
import {
  type Answer,
  type Bus,
  busPlace,
  type OpenBus,
  type ReadRequest,
} from '../../src/ingest/modbus/bus.ts';
import { answerBytesOf } from '../../src/ingest/modbus/read-plan.ts';
import type { VirtualClock } from './virtual-time.ts';

/** A unit that answers with what stands in its registers, or as the test wants. */
export interface SimUnit {
  /** Registers by address; in the tables of bits 0 or 1. */
  readonly registers: Map<number, number>;
  /** What it does instead of answering; null: it answers. A register that is missing is an exception 2. */
  fault: 'silent' | 'garbled' | 'short' | { readonly exception: number } | null;
  /** How long its next answers take, one after the other; those after them take `ANSWER_MS`. */
  readonly delaysMs: number[];
}

const ANSWER_MS = 5;

/** An answer, and when it is there. */
interface SentAnswer {
  readonly atMs: number;
  readonly request: ReadRequest;
  readonly answer: Answer;
}

/**
 * A Modbus bus whose units can be silent or late, refuse and send nonsense, and which can be lost. Answers and timeouts take virtual
 * time. As on a serial line, an answer does not say what it is for: one that comes late, while the same unit is asked for the same
 * kind of registers again, is taken for the answer to that.
 */
export class SimModbusBus {
  readonly units = new Map<number, SimUnit>();
  readonly requests: ReadRequest[] = [];
  /** More than one at a time would be a collision on the wire. */
  concurrentMax = 0;
  isOpen = false;
  opens = 0;
  attempts = 0;
  isPlugged = true;
  /** What was opened last: a path, or host:port. */
  place = '';
  #underWay = 0;
  #sent: SentAnswer[] = [];
  readonly #clock: VirtualClock;
  #lose: (reason: string) => void = () => {};

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  addUnit(unit: number, registers: Readonly<Record<number, number>>): SimUnit {
    const added = {
      registers: new Map(Object.entries(registers).map(([at, value]) => [Number(at), value])),
      fault: null,
      delaysMs: [],
    };
    this.units.set(unit, added);
    return added;
  }

  readonly open: OpenBus = async (settings, timeoutMs) => {
    this.attempts += 1;
    await Promise.resolve();
    if (!this.isPlugged) throw new OperatingError('port-unusable', `there is no ${busPlace(settings)}`);
    this.opens += 1;
    this.place = busPlace(settings);
    this.isOpen = true;
    const lost = Promise.withResolvers<string>();
    this.#lose = lost.resolve;
    const bus: Bus = {
      lost: lost.promise,
      read: (request) => this.#read(request, timeoutMs),
      close: async () => {
        this.isOpen = false;
        await Promise.resolve();
      },
    };
    return bus;
  };

  unplug(): void {
    this.isPlugged = false;
    this.isOpen = false;
    this.#lose('unplugged');
  }

  async #read(request: ReadRequest, timeoutMs: number): Promise<Answer> {
    this.requests.push(request);
    this.#underWay += 1;
    this.concurrentMax = Math.max(this.concurrentMax, this.#underWay);
    const nowMs = this.#clock.monotonicMs();
    // What came while nobody asked is gone.
    this.#sent = this.#sent.filter(({ atMs }) => atMs > nowMs);
    this.#send(request, nowMs);
    const taken = this.#sent.find(
      ({ request: { unit, kind }, atMs }) =>
        unit === request.unit && kind === request.kind && atMs <= nowMs + timeoutMs,
    );
    await this.#clock.sleep(taken === undefined ? timeoutMs : taken.atMs - nowMs);
    this.#underWay -= 1;
    if (!this.isOpen) return { lost: 'it is closed' };
    if (taken === undefined) return { problem: { kind: 'timeout' } };
    this.#sent.splice(this.#sent.indexOf(taken), 1);
    const isOfOtherLength = 'data' in taken.answer && taken.request.count !== request.count;
    return isOfOtherLength ? { problem: { kind: 'garbled', message: 'CRC error' } } : taken.answer;
  }

  /** A unit answers one request after the other. */
  #send(request: ReadRequest, nowMs: number): void {
    const unit = this.units.get(request.unit);
    if (unit === undefined || unit.fault === 'silent') return;
    const last = this.#sent.findLast(({ request: { unit } }) => unit === request.unit);
    const atMs = Math.max(nowMs, last?.atMs ?? 0) + (unit.delaysMs.shift() ?? ANSWER_MS);
    this.#sent.push({ atMs, request, answer: this.#answerOf(unit, request) });
  }

  #answerOf({ registers, fault }: SimUnit, request: ReadRequest): Answer {
    if (fault === 'garbled') return { problem: { kind: 'garbled', message: 'CRC error' } };
    if (fault !== null && typeof fault === 'object')
      return { problem: { kind: 'exception', code: fault.exception } };
    const values = Array.from({ length: request.count }, (_, at) => registers.get(request.address + at));
    if (values.includes(undefined)) return { problem: { kind: 'exception', code: 2 } };
    const data = new Uint8Array(answerBytesOf(request));
    for (const [at, value = 0] of values.entries()) {
      if (request.kind === 'coil' || request.kind === 'discrete')
        data[at >> 3] = (data[at >> 3] ?? 0) | (value << (at & 7));
      else new DataView(data.buffer).setUint16(at * 2, value);
    }
    return { data: fault === 'short' ? data.subarray(1) : data };
  }
}
