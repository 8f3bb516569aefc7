import type { EventEmitter } from 'node:events';
import modbus from 'modbus-serial';
import { messageOf, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { type Answer, type Bus, type BusSettings, busPlace, type ReadRequest } from './bus.ts';

/**
 * Opens a bus by a serial port of this machine, for this process alone (Modbus RTU), or by TCP.
 * @throws OperatingError `port-unusable`
 */
export async function openModbusBus(
  settings: BusSettings,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Bus> {
  const bus = new ModbusSerialBus(settings);
  const abort = (): void => void bus.close();
  signal.addEventListener('abort', abort);
  try {
    await bus.open(timeoutMs);
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
  declare readonly _port: EventEmitter;

  /** Takes its listener off a port that it closes; without another one, an error that comes after that would end the process. */
  async connect(settings: BusSettings): Promise<void> {
    const connected = this.#connect(settings);
    this._port.on('error', () => {});
    await connected;
  }

  #connect(settings: BusSettings): Promise<void> {
    if (settings.kind === 'tcp') return this.connectTCP(settings.host, { port: settings.port });
    const { path, baud, parity, stopBits } = settings;
    return this.connectRTUBuffered(path, { baudRate: baud, parity, stopBits, dataBits: 8 });
  }
}

class ModbusSerialBus implements Bus {
  readonly #settings: BusSettings;
  readonly #client = new Client();
  readonly #lost = Promise.withResolvers<string>();
  readonly #closed = Promise.withResolvers<{ readonly lost: string }>();
  #closing: Promise<void> | null = null;

  constructor(settings: BusSettings) {
    this.#settings = settings;
    this.#client.on('close', () => this.#lost.resolve('it was closed'));
    this.#client.on('error', (error) => this.#lost.resolve((error as Thrown).message ?? ''));
  }

  get lost(): Promise<string> {
    return this.#lost.promise;
  }

  /** Rejects with what the library says. */
  async open(timeoutMs: number): Promise<void> {
    // Until it is open, the time-out is that of the connection.
    this.#client.setTimeout(limits.modbusConnectMsMax);
    const opened = this.#client.connect(this.#settings);
    // One that is closed meanwhile is no longer waited for.
    opened.catch(() => {});
    const end = await Promise.race([opened.then(() => null), this.#closed.promise]);
    if (end !== null) throw new Error('it is closed');
    this.#client.setTimeout(timeoutMs);
  }

  async read(request: ReadRequest): Promise<Answer> {
    const answer = this.#ask(request).then(
      (data): Answer => ({ data }),
      (error: Thrown) => this.#answerOf(error),
    );
    return await Promise.race([answer, this.#closed.promise]);
  }

  close(): Promise<void> {
    this.#closed.resolve({ lost: 'it is closed' });
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

  #answerOf({ name, message = '', modbusCode }: Thrown): Answer {
    if (modbusCode !== undefined) return { problem: { kind: 'exception', code: modbusCode } };
    // A connection that was reset is only found closed.
    if (!this.#client.isOpen) return { lost: 'it was closed by the other side' };
    if (name === 'TransactionTimedOutError') return { problem: { kind: 'timeout' } };
    return { problem: { kind: 'garbled', message } };
  }
}

/** What the library throws: objects like errors, and not all of them are `Error`s. */
interface Thrown {
  readonly name?: string;
  readonly message?: string;
  readonly modbusCode?: number;
}

/** From the library's words to what a person can do. */
function problemOf(message: string, settings: BusSettings): string {
  const place = busPlace(settings);
  if (settings.kind === 'tcp')
    return `${place} does not take a connection (${message}). Check modbus.tcp, and whether the device speaks Modbus TCP`;
  if (/no such (?:file|device)/i.test(message))
    return `there is no ${place}. Plug the adapter in, or correct modbus.port.path (ls -l /dev/serial/by-id shows what is there)`;
  if (/permission denied|not permitted/i.test(message))
    return `this user may not open ${place}. Make it a member of the group that owns the port (Debian: usermod -aG dialout USER)`;
  if (/cannot lock|busy|temporarily unavailable/i.test(message))
    return `another program has ${place} open. Stop that one`;
  return `${place} cannot be opened (${message}). Check the adapter, and modbus.port`;
}
