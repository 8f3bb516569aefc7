import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';

const START_MS_MAX = 10_000;

/**
 * Two pseudo-terminals that are wired to each other, as a serial port of the gateway and the device at its other end.
 * Disposing of them is pulling the plug.
 */
export class PseudoTerminals implements AsyncDisposable {
  /** What the gateway opens. The same folder gives the same path again. */
  readonly path: string;
  readonly #socat: ChildProcess;
  readonly #device: FileHandle;

  private constructor(path: string, socat: ChildProcess, device: FileHandle) {
    this.path = path;
    this.#socat = socat;
    this.#device = device;
  }

  /** Starts them, with their names in the folder. */
  static async start(folder: string): Promise<PseudoTerminals> {
    const [path, devicePath] = [join(folder, 'port'), join(folder, 'device')];
    const ends = [path, devicePath].map((link) => `pty,raw,echo=0,link=${link}`);
    const socat = spawn('socat', ['-d', '-d', ...ends], { stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      await isReady(socat);
      const device = await open(devicePath, constants.O_WRONLY | constants.O_NOCTTY);
      return new PseudoTerminals(path, socat, device);
    } catch (error) {
      socat.kill();
      throw error;
    }
  }

  /** Sends as the device; resolves when the system has taken it all. */
  async send(text: string): Promise<void> {
    await this.#device.writeFile(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#device.close();
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
