import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const hook = new URL('../support/plant-hook.ts', import.meta.url).href;
const run = fileURLToPath(new URL('./serial-run.ts', import.meta.url));
const PLANTED_MS_MAX = 120_000;

/** Whether a short run of the serial fuzz goes red with this plant. */
export async function isSerialPlantCaught(plant: string): Promise<boolean> {
  const short = ['--no-canaries', '--chunks', '3000', '--megabytes', '0.3', '--seed', '1'];
  const child = spawn(process.execPath, ['--import', hook, run, ...short], {
    env: { ...process.env, HEADWATER_PLANT: plant },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PLANTED_MS_MAX,
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const [code, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code !== 0 && !output.includes('VIOLATION'))
    throw new Error(`canary ${plant} did not run: ${output}${errors}`);
  return code !== 0;
}
