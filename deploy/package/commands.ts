import { execFile } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What to do when the command is not there. */
  readonly advice: string;
}

/**
 * Runs a command and gives what it printed.
 * @throws Error with its last lines if it fails, and with the advice if it is not there
 */
export function outputOf(
  command: string,
  args: readonly string[],
  { cwd, env, advice }: CommandOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, LC_ALL: 'C.UTF-8', ...env }, maxBuffer: 64 * 1024 * 1024 };
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      if (error.code === 'ENOENT') return reject(new Error(`${command} is not there: ${advice}`));
      const said = `${stdout}${stderr}`.trim().split('\n').slice(-20).join('\n');
      reject(new Error(`${command} ${args[0] ?? ''} failed: ${said}\n${advice}`));
    });
  });
}
