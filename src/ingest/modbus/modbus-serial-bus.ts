import type { EventEmitter } from 'node:events';
import modbus from 'modbus-serial';
import type { Clock } from '../../core/clock.ts';
import { messageOf, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { absentPort, forbiddenPort } from '../wired/port-trouble.ts';
import { type Answer, type Bus, busPlace, type LocatedBus, type ReadRequest } from './bus.ts';

/**
 * Opens a bus by a serial port of this machine, for this process alone (Modbus RTU), or by TCP. `timeoutMs` is what a unit has for
 * its answer; the signal ends an attempt that takes long.
 * @throws OperatingError `port-unusable`
 */
export async function openModbusBus(
  clock: Clock,
  settings: LocatedBus,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Bus> {
  const bus = new ModbusSerialBus(clock, settings, timeoutMs);
  const abort = (): void => void bus.close();
  signal.addEventListener('abort', abort);
  try {
    await bus.open();
    return bus;
  } catch (error) {
    await bus.close();
    throw new OperatingError('port-unusable', problemOf(messageOf(error), settings), { cause: error });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The library's client, with the port that it keeps to itself. */
class Client extends modbus.default {
  declare readonly _port: EventEmitter & { _buffer: Buffer };

  /** Takes its listener off a port that it closes; without another one, an error that comes after that would end the process. */
  async connect(settings: LocatedBus): Promise<void> {
    const connected = this.#connect(settings);
    this._port.on('error', () => {});
    await connected;
  }

  #connect(settings: LocatedBus): Promise<void> {
    if (settings.kind === 'tcp') return this.connectTCP(settings.host, { port: settings.port });
    const { path, baud, parity, stopBits } = settings;
    return this.connectRTUBuffered(path, { baudRate: baud, parity, stopBits, dataBits: 8 });
  }

  /**
   * Throws away what a serial port has received. The library keeps all bytes until they are given as an answer: what is left of a
   * damaged one, or came when nobody had asked, would be the beginning of the next answer, and each after that belong to the request before.
   */
  forget(): void {
    this._port._buffer = Buffer.alloc(0);
  }
}

const closedBus = { lost: 'it is closed' };

class ModbusSerialBus implements Bus {
  readonly #clock: Clock;
  readonly #settings: LocatedBus;
  readonly #timeoutMs: number;
  readonly #client = new Client();
  readonly #lost = Promise.withResolvers<string>();
  /** Ends what is awaited now. A promise of the close itself would keep something of each request until then. */
  #giveUp: (end: { readonly lost: string }) => void = () => {};
  #closing: Promise<void> | null = null;

  constructor(clock: Clock, settings: LocatedBus, timeoutMs: number) {
    this.#clock = clock;
    this.#settings = settings;
    this.#timeoutMs = timeoutMs;
    this.#client.on('close', () => this.#lost.resolve('it was closed'));
    this.#client.on('error', (error) => this.#lost.resolve((error as Thrown).message ?? ''));
  }

  get lost(): Promise<string> {
    return this.#lost.promise;
  }

  /** Rejects with what the library says. */
  async open(): Promise<void> {
    const opened = this.#client.connect(this.#settings).then(() => null);
    // One that is given up is no longer waited for.
    opened.catch(() => {});
    const end = await this.#within(limits.modbusConnectMsMax, { lost: 'no answer in time' }, opened);
    if (end !== null) throw new Error(end.lost);
  }

  async read(request: ReadRequest): Promise<Answer> {
    const answer = this.#ask(request).then(
      (data): Answer => ({ data }),
      (error: Thrown) => answerOf(error),
    );
    const timeout: Answer = { problem: { kind: 'timeout' } };
    const first = await this.#within(this.#timeoutMs, timeout, answer);
    // A connection that was reset is only found closed.
    const isLost = 'problem' in first && !this.#client.isOpen;
    return isLost ? { lost: 'it was closed by the other side' } : first;
  }

  /** What comes first: the end of what the library does, a close, or the end of the time, which is `tooLate`. */
  async #within<Result, Late>(
    ms: number,
    tooLate: Late,
    result: Promise<Result>,
  ): Promise<Result | Late | { readonly lost: string }> {
    if (this.#closing !== null) return closedBus;
    const closed = Promise.withResolvers<{ readonly lost: string }>();
    this.#giveUp = closed.resolve;
    const inTime = new AbortController();
    const late = this.#pass(ms, inTime.signal).then(() => tooLate);
    try {
      return await Promise.race([result, closed.promise, late]);
    } finally {
      inTime.abort();
    }
  }

  /**
   * Lets so much time pass, or less if the signal ends it. The native code of serialport calls JavaScript without running what that
   * has resolved: it waits for the next thing that happens in the process. So something has to happen, as long as bytes are awaited.
   */
  async #pass(ms: number, signal: AbortSignal): Promise<void> {
    const endMs = this.#clock.monotonicMs() + ms;
    const stepMs = this.#settings.kind === 'rtu' ? limits.modbusLookMs : ms;
    for (let leftMs = ms; leftMs > 0 && !signal.aborted; leftMs = endMs - this.#clock.monotonicMs())
      await this.#clock.sleep(Math.min(stepMs, leftMs), signal);
  }

  close(): Promise<void> {
    this.#giveUp(closedBus);
    this.#closing ??= new Promise((resolve) => {
      // Ends what is under way, and a connection; a serial port is left to `close`, which can only fail by its being closed.
      this.#client.destroy(() => {
        if (this.#settings.kind === 'tcp') resolve();
        else this.#client.close(() => resolve());
      });
    });
    return this.#closing;
  }

  async #ask({ unit, kind, address, count }: ReadRequest): Promise<Uint8Array> {
    const client = this.#client;
    if (this.#settings.kind === 'rtu') client.forget();
    client.setID(unit);
    switch (kind) {
      case 'holding':
        return (await client.readHoldingRegisters(address, count)).buffer;
      case 'input':
        return (await client.readInputRegisters(address, count)).buffer;
      case 'coil':
        return (await client.readCoils(address, count)).buffer;
      case 'discrete':
        return (await client.readDiscreteInputs(address, count)).buffer;
    }
  }
}

/** What the library throws: objects like errors, and not all of them are `Error`s. */
interface Thrown {
  readonly message?: string;
  readonly modbusCode?: number;
}

const answerOf = ({ message = '', modbusCode }: Thrown): Answer => ({
  problem: modbusCode === undefined ? { kind: 'garbled', message } : { kind: 'exception', code: modbusCode },
});

/** From the library's words to what a person can do. */
function problemOf(message: string, settings: LocatedBus): string {
  const place = busPlace(settings);
  if (settings.kind === 'tcp')
    return `${place} does not take a connection (${message}). Check modbus.tcp, and whether the device speaks Modbus TCP`;
  if (/no such (?:file|device)/i.test(message)) return absentPort('modbus', place);
  if (/permission denied|not permitted/i.test(message)) return forbiddenPort(place);
  if (/cannot lock|busy|temporarily unavailable/i.test(message))
    return `another program has ${place} open. Stop that one`;
  return `${place} cannot be opened (${message}). Check the adapter, and modbus.port`;
}
