import { SerialPort } from 'serialport';
import type { Clock } from '../../core/clock.ts';
import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { Port, PortListener, PortSettings } from './port.ts';

/**
 * Opens a serial port of this machine, for this process alone.
 * @throws OperatingError `port-unusable`
 */
export async function openSerialPort(
  clock: Clock,
  path: string,
  settings: PortSettings,
  listener: PortListener,
): Promise<Port> {
  const { baud, dataBits, parity, stopBits, flow } = settings;
  const port = new SerialPort({
    path,
    baudRate: baud,
    dataBits,
    parity,
    stopBits,
    rtscts: flow === 'rtscts',
    xon: flow === 'xonxoff',
    xoff: flow === 'xonxoff',
    autoOpen: false,
    highWaterMark: limits.serialReadBytesMax,
  });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error === null ? resolve() : reject(error)));
  }).catch((error: Error) => {
    throw new OperatingError('port-unusable', problemOf(error.message, path, settings), { cause: error });
  });
  wakeUpFor(port, clock);
  // Some devices send only while these lines are up. Pseudo-terminals and some adapters have none: no harm.
  port.set({ dtr: true, rts: true }, () => {});
  return new ReadPort(port, listener);
}

/**
 * The library reads in promises that its native code resolves, and Node looks at promises only with its next event of another kind: in a
 * gateway with nothing else to do bytes waited for up to a second, and were stamped then. So each time the port can be read
 * or written, an event is made.
 */
function wakeUpFor({ port: binding }: SerialPort, clock: Clock): void {
  if (binding === undefined || !('poller' in binding)) return;
  for (const event of ['readable', 'writable'])
    binding.poller.on(event, () => {
      void clock.sleep(0);
    });
}

class ReadPort implements Port {
  readonly #port: SerialPort;
  readonly #listener: PortListener;
  #isOver = false;

  constructor(port: SerialPort, listener: PortListener) {
    this.#port = port;
    this.#listener = listener;
    port.on('close', (error: Error | null) => this.#lose(error?.message ?? 'it was closed'));
    port.on('error', (error) => this.#lose(error.message));
    // A read of nothing is how some adapters end. The library then stops to read and closes nothing.
    port.on('end', () => this.#lose('it gives no more bytes'));
    port.on('data', (chunk: Buffer) => {
      if (!this.#isOver) this.#listener.received(chunk);
    });
  }

  pause(): void {
    this.#port.pause();
  }

  resume(): void {
    this.#port.resume();
  }

  async write(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      // A write to a port that is closed would wait for the next opening.
      if (this.#isOver) reject(new Error('the port is closed'));
      else this.#port.write(bytes, (error) => (error ? reject(error) : resolve()));
    }).catch((error: Error) => {
      throw new OperatingError('port-unusable', `a command could not be sent (${error.message})`, {
        cause: error,
      });
    });
  }

  async close(): Promise<void> {
    this.#isOver = true;
    if (!this.#port.isOpen) return;
    // What a device that holds its line back has not taken would make Linux wait for half a minute before it closes a UART.
    await new Promise<void>((resolve) => this.#port.flush(() => resolve()));
    // It can only fail by being closed already.
    await new Promise<void>((resolve) => this.#port.close(() => resolve()));
  }

  #lose(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.lost(reason);
  }
}

/** From the library's words to what a person can do. */
function problemOf(
  message: string,
  path: string,
  { baud, dataBits, parity, stopBits }: PortSettings,
): string {
  if (/no such (?:file|device)/i.test(message))
    return `there is no ${path}. Plug the device in, or correct serial.path (headwater serial list shows what is there)`;
  if (/permission denied|not permitted/i.test(message))
    return `this user may not open ${path}. Make it a member of the group that owns the port (Debian: usermod -aG dialout USER)`;
  if (/cannot lock|busy|temporarily unavailable/i.test(message))
    return `another program has ${path} open. Stop that one, perhaps a terminal program or ModemManager`;
  if (/inappropriate ioctl|not a tty|invalid argument|is a directory/i.test(message))
    return `${path} is no serial port, or cannot run at ${baud} baud with ${dataBits} data bits, parity ${parity} and stop bits ${stopBits} (${message}). Correct serial.path, or what is wrong of these`;
  return `${path} cannot be opened (${message}). Check the device and its cable`;
}
