import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { plants } from './plants.ts';

const hook = new URL('../support/plant-hook.ts', import.meta.url).href;
const search = fileURLToPath(new URL('./run.ts', import.meta.url));

/** How many states the search may need to find a planted bug. */
const canaryStates = 3000;

/** Whether the crash search, in a process of its own, goes red with this bug planted. */
export async function isCaught(plantName: string): Promise<boolean> {
  const child = spawn(
    process.execPath,
    ['--import', hook, search, '--states', String(canaryStates), '--no-canaries'],
    {
      env: { ...process.env, HEADWATER_PLANT: plantName },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const text = Buffer.concat(output).toString();
  if (code !== 0 && !text.includes('VIOLATION')) throw new Error(`canary ${plantName} did not run: ${text}`);
  return code !== 0;
}

export const canaryNames: readonly string[] = plants.map(({ name }) => name);
