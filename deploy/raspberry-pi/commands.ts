import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readlink, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** How much of what a command has said is shown when it fails. */
const TOLD_LENGTH = 3000;
const NAMESPACE_MS_MAX = 10_000;
const POLL_MS = 20;

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
  const enter = [
    'mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc',
    'cat /usr/lib/binfmt.d/qemu-aarch64.conf >/proc/sys/fs/binfmt_misc/register',
    'exec "$@"',
  ].join(' && ');
  // A shell that starts before the users are mapped is nobody; the one that it becomes has the rights of root.
  const wait = 'read -r _ && exec sh -c "$0" sh "$@" </dev/null';
  const child = spawn('unshare', ['--user', '--mount', 'sh', '-c', wait, enter, ...command]);
  const output = outputOf(command.slice(0, 4).join(' '), child, options);
  await Promise.race([mapUsers(child.pid), output]);
  child.stdin.end('\n');
  return await output;
}

/** Gives every user and group the same number inside the namespace, as soon as there is one. */
async function mapUsers(pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  const own = await readlink('/proc/self/ns/user');
  const deadline = performance.now() + NAMESPACE_MS_MAX;
  while ((await readlink(`/proc/${pid}/ns/user`)) === own) {
    if (performance.now() > deadline)
      throw new Error('this machine gives no user namespace: run this in one that does');
    await sleep(POLL_MS);
  }
  for (const map of ['uid_map', 'gid_map']) await writeFile(`/proc/${pid}/${map}`, '0 0 65536\n');
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
