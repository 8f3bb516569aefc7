import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { becomeRoot, mapUsers, registerEmulator } from '../../deploy/user-namespace.ts';
import { attempt, type Outcome } from './commands.ts';

/** Inside: programs for arm64 run by an emulator, and there is a loopback. */
const setUp = [
  registerEmulator,
  // Another network than the machine's, unless packages have to come from there.
  '{ [ "$1" = online ] || ip link set lo up; }',
  'echo ready',
  'exec cat',
].join(' && ');

/**
 * Namespaces of users, mounts, processes, and the network: what runs in them ends with them, and what they mount is gone then. Users have
 * the same numbers inside.
 */
export class EmulatedNamespace {
  readonly #child: ChildProcess;
  readonly #first: number;

  private constructor(child: ChildProcess, first: number) {
    this.#child = child;
    this.#first = first;
  }

  /** @param network `none` but a loopback of its own, or that of the machine */
  static async open(network: 'none' | 'online' = 'none'): Promise<EmulatedNamespace> {
    const kinds = ['--user', '--mount', '--pid', ...(network === 'none' ? ['--net'] : [])];
    const wait = `${becomeRoot} sh "$1"`;
    const child = spawn('unshare', [...kinds, '--fork', '--kill-child', 'sh', '-c', wait, setUp, network], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    const ended = once(child, 'close').then(() => {
      throw new Error(`there is no emulator here: ${errors}`);
    });
    const { pid } = child;
    if (pid === undefined) return await ended;
    await Promise.race([mapUsers(pid), ended]);
    child.stdin.write('\n');
    await Promise.race([once(child.stdout, 'data'), ended]);
    ended.catch(() => {});
    const first = Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim());
    return new EmulatedNamespace(child, first);
  }

  /** Gives one with the network of the machine to `work`, and ends it. */
  static async use(work: (namespace: EmulatedNamespace) => Promise<unknown>): Promise<void> {
    const namespace = await EmulatedNamespace.open('online');
    try {
      await work(namespace);
    } finally {
      await namespace.close();
    }
  }

  /** The command that runs this one inside. */
  enter(...command: readonly string[]): readonly [command: string, ...args: readonly string[]] {
    return ['nsenter', `--target=${this.#first}`, '--user', '--mount', '--net', '--pid', ...command];
  }

  async attempt(...command: readonly string[]): Promise<Outcome> {
    const [name, ...args] = this.enter(...command);
    return await attempt(name, args);
  }

  /** @throws Error with what it said, if it fails */
  async run(...command: readonly string[]): Promise<string> {
    const { code, output, said } = await this.attempt(...command);
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${said.slice(-4000)}`);
    return output;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const closed = once(this.#child, 'close');
    this.#child.stdin?.end();
    await closed;
  }
}
