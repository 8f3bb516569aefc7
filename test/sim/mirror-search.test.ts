import { describe, expect, it } from 'vitest';
import { isCaught } from './canaries.ts';
import { mirrorPlants } from './mirror-plants.ts';
import { mirrorModes, runMirrorScenario, skippingRunsMax } from './mirror-scenario.ts';

describe('mirror search', () => {
  it.each(mirrorModes)('finds nothing skipped, and nothing twice but what «%s» allows', async (mode) => {
    let sent = 0;
    let skippingRuns = 0;
    const violations: string[] = [];
    const fresh = Math.floor(Math.random() * 2 ** 31);
    for (let run = 1; run <= 40; run += 1) {
      const result = await runMirrorScenario(run <= 30 ? run : fresh + run, mode);
      sent += result.sent;
      if (result.skipped > 0) skippingRuns += 1;
      violations.push(...result.violations);
    }
    expect(violations).toEqual([]);
    expect(skippingRuns).toBeLessThanOrEqual(skippingRunsMax(40));
    expect(sent).toBeGreaterThan(1000);
  });

  it.each(mirrorPlants.map(({ name }) => name))('catches the planted bug «%s»', async (name) => {
    expect(await isCaught(name)).toBe(true);
  });
});
