import { OperatingError } from '../../src/core/errors.ts';
import { limits } from '../../src/core/limits.ts';
import type { OpenPort, Port, PortListener } from '../../src/ingest/serial/port.ts';

/** A serial port that can be unplugged, plugged in again, and refuse. As a real one, it notices its end only while it is read. */
export class SimSerialPort {
  isPlugged = true;
  /** What an attempt to open it meets; null: it opens. */
  refusal: string | null = null;
  opens = 0;
  attempts = 0;
  /** What was last tried to be opened. */
  path = '';
  /** What was written to it, as text of one character a byte. */
  readonly written: string[] = [];
  /** What becomes of a write; default: it is taken at once. */
  onWrite: (bytes: Uint8Array) => Promise<void> = () => Promise.resolve();
  isPaused = false;
  #listener: PortListener | null = null;
  /** Sent while the port was paused; null stands for its end. */
  #unread: (Uint8Array | null)[] = [];

  readonly open: OpenPort = async (path, _settings, listener) => {
    this.path = path;
    this.attempts += 1;
    await Promise.resolve();
    const refusal = this.isPlugged ? this.refusal : 'there is no such port';
    if (refusal !== null) throw new OperatingError('port-unusable', refusal);
    this.opens += 1;
    this.isPaused = false;
    this.#unread = [];
    this.#listener = listener;
    return this.#port(listener);
  };

  get isOpen(): boolean {
    return this.#listener !== null;
  }

  /** Sends bytes to whoever has the port open, in pieces of the size that a port gives at most. */
  send(bytes: Uint8Array | string): void {
    const all = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    for (let at = 0; at < all.length; at += limits.serialReadBytesMax) {
      this.#unread.push(Uint8Array.from(all.subarray(at, at + limits.serialReadBytesMax)));
    }
    this.#read();
  }

  unplug(): void {
    this.isPlugged = false;
    this.#unread.push(null);
    this.#read();
  }

  plugIn(): void {
    this.isPlugged = true;
  }

  #port(listener: PortListener): Port {
    return {
      pause: () => {
        this.isPaused = true;
      },
      resume: () => {
        this.isPaused = false;
        this.#read();
      },
      write: async (bytes) => {
        this.written.push(Buffer.from(bytes).toString('latin1'));
        await this.onWrite(bytes);
      },
      close: async () => {
        if (this.#listener === listener) this.#listener = null;
        await Promise.resolve();
      },
    };
  }

  #read(): void {
    while (this.#listener !== null && !this.isPaused) {
      const chunk = this.#unread.shift();
      if (chunk === undefined) return;
      if (chunk !== null) {
        this.#listener.received(chunk);
        // What a listener keeps must be a copy.
        chunk.fill(0x21);
      } else {
        const lost = this.#listener.lost;
        this.#listener = null;
        lost('unplugged');
      }
    }
  }
}
