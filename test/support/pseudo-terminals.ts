import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS_MAX = 10_000;
const POLL_MS = 10;
const READ_LENGTH = 1024;

/**
 * Two pseudo-terminals that are wired to each other, as a serial port of the gateway and the device at its other end.
 * Disposing of them is pulling the plug.
 */
export class PseudoTerminals implements AsyncDisposable {
  /** What the gateway opens. The same folder gives the same path again. */
  readonly path: string;
  readonly #socat: ChildProcess;
  readonly #device: FileHandle;
  /** Of the device as well; it does not wait for bytes. */
  readonly #hearing: FileHandle;

  private constructor(path: string, socat: ChildProcess, device: FileHandle, hearing: FileHandle) {
    this.path = path;
    this.#socat = socat;
    this.#device = device;
    this.#hearing = hearing;
  }

  /** Starts them, with their names in the folder; `name` is that of the port. */
  static async start(folder: string, name = 'port'): Promise<PseudoTerminals> {
    const [path, devicePath] = [join(folder, name), join(folder, 'device')];
    const ends = [path, devicePath].map((link) => `pty,raw,echo=0,link=${link}`);
    const socat = spawn('socat', ['-d', '-d', ...ends], { stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      await isReady(socat);
      const device = await open(devicePath, constants.O_WRONLY | constants.O_NOCTTY);
      const { O_RDONLY, O_NOCTTY, O_NONBLOCK } = constants;
      return new PseudoTerminals(
        path,
        socat,
        device,
        await open(devicePath, O_RDONLY | O_NOCTTY | O_NONBLOCK),
      );
    } catch (error) {
      socat.kill();
      throw error;
    }
  }

  /** Sends as the device; resolves when the system has taken it all. */
  async send(bytes: string | Uint8Array): Promise<void> {
    await this.#device.writeFile(bytes);
  }

  /** What the device has received, once it is so long or longer. */
  async received(length: number): Promise<string> {
    let text = '';
    const deadlineMs = performance.now() + START_MS_MAX;
    while (text.length < length) {
      if (performance.now() > deadlineMs)
        throw new Error(`the device has only received ${JSON.stringify(text)}`);
      text += await this.#readSome();
    }
    return text;
  }

  /** Empty if there is nothing yet. */
  async #readSome(): Promise<string> {
    try {
      const { buffer, bytesRead } = await this.#hearing.read(Buffer.alloc(READ_LENGTH));
      return buffer.toString('latin1', 0, bytesRead);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      await sleep(POLL_MS);
      return '';
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#device.close();
    await this.#hearing.close();
    if (this.#socat.exitCode !== null || this.#socat.signalCode !== null) return;
    const closed = once(this.#socat, 'close');
    this.#socat.kill();
    await closed;
  }
}

async function isReady(socat: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error(`socat is not ready: ${said}`)), START_MS_MAX);
  let said = '';
  socat.once('error', (cause) => {
    reject(new Error('socat cannot be run; install it with: apt-get install socat', { cause }));
  });
  socat.once('close', () => reject(new Error(`socat has ended: ${said}`)));
  socat.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.includes('starting data transfer loop')) resolve();
  });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}
