import { setTimeout as sleep } from 'node:timers/promises';
import { SimSerialPort } from '../test/support/sim-serial-port.ts';

/** No line comes sooner after the one before: at 9600 baud each takes some 20 ms, and the replay may be fast. */
const lineMs = 20;

/** A device at a serial port, both simulated: in this process, without anything of the operating system. */
export class SerialDevice {
  readonly #port = new SimSerialPort();
  readonly #lines: readonly string[];
  #sent = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  /** Opens the port for who reads it. */
  readonly open = this.#port.open;

  get isOpen(): boolean {
    return this.#port.isOpen;
  }

  /** The lines that it has sent. */
  get sent(): readonly string[] {
    return this.#lines.slice(0, this.#sent);
  }

  /** Sends its lines one by one, never more of them than `share` says. Rejects with an `AbortError` at the signal. */
  async send(share: () => number, signal: AbortSignal): Promise<void> {
    while (this.#sent < this.#lines.length) {
      await sleep(lineMs, undefined, { signal });
      if (this.#sent >= Math.floor(share() * this.#lines.length)) continue;
      this.#port.send(this.#lines[this.#sent] ?? '');
      this.#sent += 1;
    }
  }
}
