import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { becomeRoot, mapUsers, registerEmulator } from '../user-namespace.ts';

/** How much of what a command has said is shown when it fails. */
const TOLD_LENGTH = 3000;

export interface RunOptions {
  /** Is given to the command as its standard input. */
  readonly input?: string;
  /** A file to which all that the command says is added as it comes, for whoever waits or wonders later. */
  readonly log?: string;
}

/**
 * Runs a command to its end.
 * @returns its standard output
 * @throws Error with the end of what it said, if it fails or is not there
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const child = spawn(command, args);
  child.stdin.end(options.input ?? '');
  return await outputOf(command, child, options);
}

/**
 * Runs a command as root of a user namespace of its own in which programs for arm64 run by an emulator: nothing of it is
 * registered on this machine, and what the command mounts goes with it. Users and groups are those of this machine.
 * @throws Error as {@link run}
 */
export async function runWithEmulator(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const enter = `${registerEmulator} && exec "$@"`;
  const wait = `${becomeRoot} sh "$@" </dev/null`;
  const child = spawn('unshare', ['--user', '--mount', 'sh', '-c', wait, enter, ...command]);
  const output = outputOf(command.slice(0, 4).join(' '), child, options);
  if (child.pid !== undefined) await Promise.race([mapUsers(child.pid), output]);
  child.stdin.end('\n');
  return await output;
}

async function outputOf(
  name: string,
  child: ChildProcessWithoutNullStreams,
  { log }: RunOptions,
): Promise<string> {
  const file = log === undefined ? null : createWriteStream(log, { flags: 'a' });
  file?.write(`\n=== ${name}\n`);
  let output = '';
  let end = '';
  const hear = (text: string): void => {
    end = (end + text).slice(-TOLD_LENGTH);
    file?.write(text);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    hear(text);
  });
  child.stderr.setEncoding('utf8').on('data', hear);
  // One that has ended reads nothing any more; its exit code says why.
  child.stdin.on('error', () => undefined);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  file?.end();
  if (code !== 0) throw new Error(`${name} ended with ${code ?? signal}:\n${end}`);
  return output;
}
