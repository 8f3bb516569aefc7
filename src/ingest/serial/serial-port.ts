import { readSync } from 'node:fs';
import { autoDetect, type LinuxPortBinding } from '@serialport/bindings-cpp';
import type { Clock } from '../../core/clock.ts';
import { messageOf, OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { absentPort, forbiddenPort } from '../wired/port-trouble.ts';
import type { Port, PortListener, PortSettings } from './port.ts';

/**
 * Opens a serial port of this machine, for this process alone. The library's stream is not used: it would read
 * twice for each few bytes that have come.
 * @throws OperatingError `port-unusable`
 */
export async function openSerialPort(
  clock: Clock,
  path: string,
  settings: PortSettings,
  listener: PortListener,
): Promise<Port> {
  const { baud, dataBits, parity, stopBits, flow, readPauseMs } = settings;
  let device: Awaited<ReturnType<ReturnType<typeof autoDetect>['open']>>;
  try {
    device = await autoDetect().open({
      path,
      baudRate: baud,
      dataBits,
      parity,
      stopBits,
      rtscts: flow === 'rtscts',
      xon: flow === 'xonxoff',
      xoff: flow === 'xonxoff',
    });
  } catch (error) {
    throw new OperatingError('port-unusable', problemOf(messageOf(error), path, settings), { cause: error });
  }
  if (!('poller' in device))
    throw new OperatingError('port-unusable', 'serial ports are read on Linux and macOS only');
  // Some devices send only while these lines are up. Pseudo-terminals and some adapters have none: no harm.
  await device.set({ brk: false, cts: false, dsr: false, dtr: true, rts: true }).catch(() => {});
  return new ReadPort(device, readPauseMs, clock, listener);
}

/** A device that is opened, as Linux and macOS have it: bytes that are not there yet do not make a read wait. */
type Device = Pick<LinuxPortBinding, 'fd' | 'poller' | 'write' | 'flush' | 'close'>;

/** So many bytes in one read, and more are about to follow. */
const READ_ON_BYTES = limits.serialReadBytesMax / 2;

/**
 * How long more is collected: to the next multiple of the pause. So ports that bring something all the time are read together, and the
 * process is woken once for all of them: most of the cost of many ports was that.
 */
export function untilReadMs(pauseMs: number, nowMs: number): number {
  // Bytes by whose pauses messages are told apart: a millisecond more or less would count.
  if (pauseMs < limits.serialReadTogetherMsMin) return pauseMs;
  // A timer may be up to a millisecond early, and that would be no pause.
  const counted = nowMs + 1;
  return Math.ceil(pauseMs - (counted % pauseMs)) + 1;
}

class ReadPort implements Port {
  readonly #device: Device;
  readonly #readPauseMs: number;
  readonly #clock: Clock;
  readonly #listener: PortListener;
  readonly #buffer = new Uint8Array(limits.serialReadBytesMax);
  #resumed: PromiseWithResolvers<void> | null = null;
  #isOver = false;

  constructor(device: Device, readPauseMs: number, clock: Clock, listener: PortListener) {
    this.#device = device;
    this.#readPauseMs = readPauseMs;
    this.#clock = clock;
    this.#listener = listener;
    void this.#run();
  }

  pause(): void {
    this.#resumed ??= Promise.withResolvers();
  }

  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = null;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      if (this.#isOver) throw new Error('the port is closed');
      const sent = this.#device.write(Buffer.from(bytes));
      // What the library's native code resolves is looked at with the next event of another kind.
      this.#device.poller.on('writable', this.#wake);
      await sent.finally(() => this.#device.poller.off('writable', this.#wake));
    } catch (error) {
      throw new OperatingError('port-unusable', `a command could not be sent (${messageOf(error)})`, {
        cause: error,
      });
    }
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.resume();
    // What a device that holds its line back has not taken would make Linux wait for half a minute before it closes a UART.
    await this.#device.flush().catch(() => {});
    // It can only fail by being closed already.
    await this.#device.close().catch(() => {});
  }

  async #run(): Promise<void> {
    // Nothing is to be told before the port is given out.
    await this.#clock.sleep(0);
    for (let chunk = await this.#next(); chunk !== null; chunk = await this.#next()) {
      this.#listener.received(chunk);
      const isMoreThere = chunk.length >= READ_ON_BYTES;
      await this.#clock.sleep(isMoreThere ? 0 : untilReadMs(this.#readPauseMs, this.#clock.monotonicMs()));
      await this.#resumed?.promise;
    }
  }

  /** What comes next; null if the port is lost or closed. */
  async #next(): Promise<Uint8Array | null> {
    try {
      while (!this.#isOver) {
        const count = this.#read();
        if (count === 0) throw new Error('it gives no more bytes');
        if (count !== null) return this.#buffer.subarray(0, count);
        await this.#readable();
      }
    } catch (error) {
      const isLost = !this.#isOver;
      this.#isOver = true;
      if (isLost) this.#listener.lost(messageOf(error));
    }
    return null;
  }

  /** How many bytes there were; null if there are none yet, and 0 at the end of a port. Does not wait, so it may hold up nobody. */
  #read(): number | null {
    const { fd } = this.#device;
    if (fd === null) throw new Error('it was closed');
    try {
      return readSync(fd, this.#buffer);
    } catch (error) {
      if (isNotYet(error)) return null;
      throw error;
    }
  }

  async #readable(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#device.poller.once('readable', (error: Error | null) => {
        if (error === null) resolve();
        else reject(error);
        this.#wake();
      });
    });
  }

  /**
   * The library's native code calls JavaScript, and what that resolves Node looks at with its next event of another kind only: in a
   * gateway with nothing else to do bytes waited for up to a second, and were stamped then. So such an event is made.
   */
  readonly #wake = (): void => {
    void this.#clock.sleep(0);
  };
}

const isNotYet = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EINTR');

/** From the library's words to what a person can do. */
function problemOf(
  message: string,
  path: string,
  { baud, dataBits, parity, stopBits }: PortSettings,
): string {
  if (/no such (?:file|device)/i.test(message)) return absentPort('serial', path);
  if (/permission denied|not permitted/i.test(message)) return forbiddenPort(path);
  if (/cannot lock|busy|temporarily unavailable/i.test(message))
    return `another program has ${path} open. Stop that one, perhaps a terminal program or ModemManager`;
  if (/inappropriate ioctl|not a tty|invalid argument|is a directory/i.test(message))
    return `${path} is no serial port, or cannot run at ${baud} baud with ${dataBits} data bits, parity ${parity} and stop bits ${stopBits} (${message}). Correct serial.path, or what is wrong of these`;
  return `${path} cannot be opened (${message}). Check the device and its cable`;
}
