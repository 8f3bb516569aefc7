import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { nodeClock } from '../../src/platform/node-clock.ts';

const START_MS_MAX = 10_000;
const POLL_MS = 20;

/** A real Mosquitto that keeps its sessions in a folder, on one port over all its restarts. */
export class MosquittoBroker implements AsyncDisposable {
  readonly port: number;
  readonly #configFile: string;
  #child: ChildProcess | null = null;

  private constructor(port: number, configFile: string) {
    this.port = port;
    this.#configFile = configFile;
  }

  /** `more` are further lines of its configuration; those of the listener come first. */
  static async start(
    folder: string,
    more: readonly string[] = ['allow_anonymous true'],
  ): Promise<MosquittoBroker> {
    const port = await freePort();
    const configFile = join(folder, 'mosquitto.conf');
    const lines = [
      `listener ${port} 127.0.0.1`,
      // As root it would take another user, who may not write here.
      'user root',
      'persistence true',
      `persistence_location ${folder}/`,
      // Seconds between its saves, besides that at its end.
      'autosave_interval 1',
      // By default it drops what is beyond 1000.
      'max_queued_messages 0',
      ...more,
    ];
    await writeFile(configFile, `${lines.join('\n')}\n`);
    const broker = new MosquittoBroker(port, configFile);
    await broker.restart();
    return broker;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts it anew with what it has saved; it must not run. */
  async restart(): Promise<void> {
    const child = spawn('mosquitto', ['-c', this.#configFile], { stdio: 'ignore' });
    let failure: Error | null = null;
    child.on('error', (error) => {
      failure = new Error('mosquitto cannot be run; install it with: apt-get install mosquitto', {
        cause: error,
      });
    });
    this.#child = child;
    const deadline = performance.now() + START_MS_MAX;
    while (!(await isListening(this.port))) {
      if (failure !== null) throw failure as Error;
      if (child.exitCode !== null || performance.now() > deadline)
        throw new Error(`mosquitto did not start: exit code ${child.exitCode}`);
      await nodeClock.sleep(POLL_MS);
    }
  }

  /** Sends the signal and waits for the end. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGKILL');
  }
}

/** Mosquitto cannot choose one itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function isListening(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  }).then((is) => {
    socket.destroy();
    return is === true;
  });
}
