import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { alertPlants } from './alert-plants.ts';
import { clockPlants } from './clock-plants.ts';
import { mirrorPlants } from './mirror-plants.ts';
import { harmlessPlants, plants } from './plants.ts';

const hook = new URL('../support/plant-hook.ts', import.meta.url).href;
const search = fileURLToPath(new URL('./run.ts', import.meta.url));
const clockSearch = fileURLToPath(new URL('./clock-run.ts', import.meta.url));
const alertSearch = fileURLToPath(new URL('./alert-run.ts', import.meta.url));
const mirrorSearch = fileURLToPath(new URL('./mirror-run.ts', import.meta.url));

/** How many states the search may need to find a planted bug, and looks at of what is harmless. */
const canaryStates = 12_000;
const harmlessStates = 300;
const mirrorCanaryRuns = 300;
const clockCanaryRuns = 200;
const alertCanaryRuns = 60;
/** Less than a test may take: what runs in a circle must not go on behind it. */
const canaryMs = 110_000;

export const canaryNames: readonly string[] = plants.map(({ name }) => name);
export const harmlessNames: readonly string[] = harmlessPlants.map(({ name }) => name);

/** The search that must catch a plant, and how far it may look. */
function searchFor(plantName: string): readonly string[] {
  const clockPlant = clockPlants.find(({ name }) => name === plantName);
  if (clockPlant !== undefined)
    return [clockSearch, '--runs', String(clockCanaryRuns), '--from', String(clockPlant.fromSeed ?? 1)];
  const alertPlant = alertPlants.find(({ name }) => name === plantName);
  if (alertPlant !== undefined)
    return [alertSearch, '--runs', String(alertCanaryRuns), '--from', String(alertPlant.fromSeed ?? 1)];
  const mirrorPlant = mirrorPlants.find(({ name }) => name === plantName);
  if (mirrorPlant !== undefined) {
    const mode = mirrorPlant.mode === undefined ? [] : ['--mode', mirrorPlant.mode];
    const from = String(mirrorPlant.fromSeed ?? 1);
    return [mirrorSearch, '--runs', String(mirrorCanaryRuns), '--from', from, ...mode];
  }
  const states = harmlessNames.includes(plantName) ? harmlessStates : canaryStates;
  const { fromSeed = 1, mode } = [...plants, ...harmlessPlants].find(({ name }) => name === plantName) ?? {};
  const only = mode === undefined ? [] : ['--mode', mode];
  return [search, '--states', String(states), '--from', String(fromSeed), ...only, '--no-canaries'];
}

/** Whether the search, in a process of its own, goes red with this plant. */
export async function isCaught(plantName: string): Promise<boolean> {
  const child = spawn(process.execPath, ['--import', hook, ...searchFor(plantName)], {
    env: { ...process.env, HEADWATER_PLANT: plantName },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A plant can also make the log run in a circle.
    timeout: canaryMs,
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const text = Buffer.concat(output).toString();
  if (code !== 0 && !text.includes('VIOLATION')) throw new Error(`canary ${plantName} did not run: ${text}`);
  return code !== 0;
}
