import { execFile } from 'node:child_process';
import { haveTools } from '../../deploy/needed-tools.ts';

export interface Outcome {
  readonly code: number;
  /** Standard output and standard error. */
  readonly said: string;
  readonly output: string;
}

/** Runs a command, whatever it ends with. Rejects only if it is not there. */
export function attempt(command: string, args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, LC_ALL: 'C.UTF-8' } };
    const child = execFile(command, args, options, (error, output, errors) => {
      if (error !== null && error.code === 'ENOENT') return reject(error);
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, output, said: `${output}${errors}` });
    });
    // One that reads nothing may have ended already.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** Runs a command and gives its standard output. @throws Error with what it said, if it fails */
export async function run(command: string, ...args: readonly string[]): Promise<string> {
  const { code, output, said } = await attempt(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${said.slice(-4000)}`);
  return output;
}

/** What tests of the package need of the machine, and the Debian package that has it. */
const debianPackages: Readonly<Record<string, string>> = {
  'dpkg-deb': 'dpkg',
  lintian: 'lintian',
  mmdebstrap: 'mmdebstrap',
  'qemu-aarch64-static': 'qemu-user-static',
  'systemd-nspawn': 'systemd-container',
  'systemd-analyze': 'systemd',
  mosquitto_pub: 'mosquitto-clients',
  unshare: 'util-linux',
  ip: 'iproute2',
};

/** @throws Error that says how to get the tools that are missing */
export async function needTools(...tools: readonly string[]): Promise<void> {
  const needed = Object.fromEntries(tools.map((tool) => [tool, debianPackages[tool] ?? tool]));
  await haveTools(needed, process.env['PATH'] ?? '');
  if (process.getuid?.() !== 0)
    throw new Error('these tests make roots and start containers: run them as root');
}
