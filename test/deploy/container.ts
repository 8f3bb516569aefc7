import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, type Outcome } from './commands.ts';

/** A root that systemd has started as process 1, with no network but its own loopback. */
export class Container {
  readonly #nspawn: ChildProcess;
  readonly #first: string;

  private constructor(nspawn: ChildProcess, first: string) {
    this.#nspawn = nspawn;
    this.#first = first;
  }

  /** Resolves when systemd is up. @param root what `unpackRoot` has made; it is changed */
  static async boot(root: string): Promise<Container> {
    const how = ['--quiet', '--boot', '--register=no', '--keep-unit', '--private-network', '--console=pipe'];
    const nspawn = spawn('systemd-nspawn', [...how, '--directory', root], {
      // Whatever control groups this machine has, and where it may not lock.
      env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1', SYSTEMD_NSPAWN_LOCK: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [nspawn.stdout, nspawn.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4000);
      });
    let container: Container | undefined;
    try {
      await until('systemd is up', async () => {
        if (nspawn.exitCode !== null) throw new Error(`it ended with ${nspawn.exitCode}`);
        // The first child is another one for a moment.
        const children = await readFile(`/proc/${nspawn.pid}/task/${nspawn.pid}/children`, 'utf8');
        container = new Container(nspawn, children.trim());
        const { output } = await container.attempt('systemctl', 'is-system-running');
        return ['running', 'degraded'].includes(output.trim());
      });
    } catch (error) {
      nspawn.kill('SIGKILL');
      throw new Error(`systemd-nspawn starts no container: ${String(error)}; it said: ${said}`);
    }
    if (container === undefined) throw new Error('systemd is up in no container');
    return container;
  }

  /** Runs a command inside as root, whatever it ends with. */
  async attempt(...command: readonly string[]): Promise<Outcome> {
    const clean = [
      'env',
      '-i',
      '-C',
      '/root',
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
      'LC_ALL=C.UTF-8',
      'HOME=/root',
    ];
    return await attempt('nsenter', [`--target=${this.#first}`, '--all', ...clean, ...command]);
  }

  /** @throws Error with what it said, if it fails */
  async run(...command: readonly string[]): Promise<string> {
    const { code, output, said } = await this.attempt(...command);
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${said.slice(-4000)}`);
    return output;
  }

  /** A property of the unit of the gateway. */
  async property(name: string): Promise<string> {
    return (await this.run('systemctl', 'show', 'headwater', '--value', '-p', name)).trim();
  }

  /** Ends it with all its processes, at once. */
  async close(): Promise<void> {
    if (this.#nspawn.exitCode !== null || this.#nspawn.signalCode !== null) return;
    const ended = once(this.#nspawn, 'close');
    process.kill(Number(this.#first), 'SIGKILL');
    await ended;
  }
}

/** Asks again and again until it is so. @throws Error that names it, after two minutes */
export async function until(what: string, isSo: () => Promise<boolean>, withinMs = 120_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await sleep(100);
  }
}
