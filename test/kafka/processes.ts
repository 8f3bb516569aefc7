import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { accessSync, constants, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';

const running = new Set<ChildProcess>();
const temporaryFolders = new Set<string>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of temporaryFolders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

/** Where a command is on the path, or `undefined`. */
export function findCommand(name: string): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Starts a program that ends with this process, however this process ends: the handler above serves a normal exit,
 * and where there is `setpriv` the kernel serves all others.
 */
export function start(command: string, parameters: readonly string[], stdio: StdioOptions): ChildProcess {
  const setpriv = findCommand('setpriv');
  const child =
    setpriv === undefined
      ? spawn(command, parameters, { stdio })
      : spawn(setpriv, ['--pdeathsig', 'KILL', command, ...parameters], { stdio });
  running.add(child);
  child.on('exit', () => running.delete(child));
  return child;
}

export const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

/** Resolves when the program has ended, with its exit code, or `null` if a signal ended it. */
export async function ended(child: ChildProcess): Promise<number | null> {
  if (!hasEnded(child)) {
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => resolve());
      child.once('error', reject);
    });
  }
  return child.exitCode;
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program until it ends by itself, and returns all that it printed; it gets `input` to read. */
export async function runToEnd(
  command: string,
  parameters: readonly string[],
  input = '',
): Promise<Finished> {
  const child = start(command, parameters, ['pipe', 'pipe', 'pipe']);
  const { stdin, stdout, stderr } = child;
  // One that ends without reading is judged by its exit code.
  stdin?.on('error', () => undefined);
  stdin?.end(input);
  if (stdout === null || stderr === null) throw new Error('a piped program has no output');
  const [code, printed, complaints] = await Promise.all([ended(child), text(stdout), text(stderr)]);
  return { code, stdout: printed, stderr: complaints };
}

/** A new temporary folder. It goes with {@link removeTemporaryFolder}, at the latest when this process exits. */
export async function makeTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headwater-kafka-'));
  temporaryFolders.add(folder);
  return folder;
}

export async function removeTemporaryFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  temporaryFolders.delete(folder);
}
