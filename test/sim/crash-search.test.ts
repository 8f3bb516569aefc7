import { describe, expect, it } from 'vitest';
import { canaryNames, harmlessNames, isCaught } from './canaries.ts';
import { runCrashScenario } from './crash-scenario.ts';
import { searchCrashes } from './crash-search.ts';

/** Everything that the disk was asked to do by one scenario, as text. */
async function traceOf(seed: number): Promise<string[]> {
  const trace: string[] = [];
  await runCrashScenario(seed, 5, {
    onOperation: ({ operation, what }) => trace.push(`${operation} ${what}`),
  });
  return trace;
}

describe('crash search', () => {
  it('finds nothing lost, changed or missing in a fixed set of crash states', async () => {
    const totals = await searchCrashes(1, ({ states }) => states >= 1000);
    expect(totals.violations).toEqual([]);
    expect(totals.acknowledged).toBeGreaterThan(1000);
    expect(totals.crashesInRecovery).toBeGreaterThan(100);
  });

  it('finds nothing in fresh crash states', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const totals = await searchCrashes(seed, ({ states }) => states >= 250);
    expect(totals.violations).toEqual([]);
  });

  it('plays the same scenario again for the same seed, and another one for another seed', async () => {
    const trace = await traceOf(7);
    expect(trace.length).toBeGreaterThan(100);
    expect(await traceOf(7)).toEqual(trace);
    expect(await traceOf(8)).not.toEqual(trace);
  });

  it.concurrent.each(canaryNames)('catches the planted bug «%s»', async (name) => {
    expect(await isCaught(name)).toBe(true);
  });

  it.concurrent.each(harmlessNames)('stays green with what is no bug: «%s»', async (name) => {
    expect(await isCaught(name)).toBe(false);
  });
});
