import { describe, expect, it } from 'vitest';
import { isCaught } from './canaries.ts';
import { mirrorPlants } from './mirror-plants.ts';
import { type MirrorMode, mirrorModes, runMirrorScenario, skippingRunsMax } from './mirror-scenario.ts';

/** Where records are refused there is a session for each of them, which takes longer. `npm run sim:mirror` plays more. */
const runsOf = (mode: MirrorMode): number => (mode === 'refusing' ? 12 : 24);

describe('mirror search', () => {
  it.each(mirrorModes)('finds nothing skipped, and nothing twice but what «%s» allows', async (mode) => {
    let sent = 0;
    let skippingRuns = 0;
    const violations: string[] = [];
    const fresh = Math.floor(Math.random() * 2 ** 31);
    const runs = runsOf(mode);
    for (let run = 1; run <= runs; run += 1) {
      const result = await runMirrorScenario(run <= runs * 0.75 ? run : fresh + run, mode);
      sent += result.sent;
      if (result.skipped > 0) skippingRuns += 1;
      violations.push(...result.violations);
    }
    expect(violations).toEqual([]);
    expect(skippingRuns).toBeLessThanOrEqual(skippingRunsMax(runs));
    expect(sent).toBeGreaterThan(runs * 25);
  });

  it('plays the same seed in the same way again', async () => {
    const again = Math.floor(Math.random() * 2 ** 31);
    const first = await runMirrorScenario(again, 'cloned');
    expect(await runMirrorScenario(again, 'cloned')).toEqual(first);
    expect((await runMirrorScenario(again + 1, 'cloned')).course).not.toBe(first.course);
  });

  it.concurrent.each(mirrorPlants.map(({ name }) => name))('catches the planted bug «%s»', async (name) => {
    expect(await isCaught(name)).toBe(true);
  });
});
