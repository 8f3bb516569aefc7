import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

const debianPackages: Readonly<Record<string, string>> = {
  promtool: 'prometheus',
  man: 'man-db',
  mandoc: 'mandoc',
  zsh: 'zsh',
  fish: 'fish',
  'systemd-notify': 'systemd',
};

/** Runs a program that the system has installed. */
export async function runProgram(
  program: string,
  args: readonly string[],
  input = '',
): Promise<{ code: number; output: string; errors: string }> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('close', (code) => resolve(code ?? -1));
    child.once('error', (error) =>
      reject(
        new Error(
          `${program} cannot be run; install it with: apt-get install ${debianPackages[program] ?? 'mosquitto mosquitto-clients'}`,
          { cause: error },
        ),
      ),
    );
  });
  // One that ends without having read it has said what it wanted by its exit code.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, output, errors };
}
