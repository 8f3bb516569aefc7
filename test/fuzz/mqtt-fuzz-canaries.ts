import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const hook = new URL('../support/plant-hook.ts', import.meta.url).href;
const run = fileURLToPath(new URL('./mqtt-run.ts', import.meta.url));
const canaryRounds = 8;
/** What hangs is told before: each wait of the fuzz has its own end. */
export const FUZZ_MS_MAX = 110_000;

/** One run of the fuzz in a process of its own, with a bug planted if there is a name. */
export async function fuzzProcess(
  rounds: number,
  plant?: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const planted = plant === undefined ? [] : ['--import', hook];
  const child = spawn(process.execPath, [...planted, run, '--no-canaries', '--rounds', String(rounds)], {
    env: plant === undefined ? process.env : { ...process.env, HEADWATER_PLANT: plant },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: FUZZ_MS_MAX,
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const [code, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, output: output + errors };
}

/** Whether the fuzz goes red with this plant. */
export async function isFuzzPlantCaught(plant: string): Promise<boolean> {
  const { code, output } = await fuzzProcess(canaryRounds, plant);
  if (code !== 0 && !output.includes('VIOLATION')) throw new Error(`canary ${plant} did not run: ${output}`);
  return code !== 0;
}
