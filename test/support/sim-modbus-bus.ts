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
}

/** A Modbus bus whose units can be silent, refuse and send nonsense, and which can be lost. Answers and timeouts take virtual time. */
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
  readonly #clock: VirtualClock;
  #lose: (reason: string) => void = () => {};

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  addUnit(unit: number, registers: Readonly<Record<number, number>>): SimUnit {
    const added = {
      registers: new Map(Object.entries(registers).map(([at, value]) => [Number(at), value])),
      fault: null,
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
    const unit = this.units.get(request.unit);
    const isSilent = unit === undefined || unit.fault === 'silent';
    await this.#clock.sleep(isSilent ? timeoutMs : 5);
    this.#underWay -= 1;
    if (!this.isOpen) return { lost: 'it is closed' };
    return isSilent ? { problem: { kind: 'timeout' } } : this.#answerOf(unit, request);
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
