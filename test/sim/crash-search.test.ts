import { describe, expect, it } from 'vitest';
import { canaryNames, isCaught } from './canaries.ts';
import { searchCrashes } from './crash-search.ts';

describe('crash search', () => {
  it('finds nothing lost, changed or missing in a fixed set of crash states', async () => {
    const totals = await searchCrashes(1, ({ states }) => states >= 1000);
    expect(totals.violations).toEqual([]);
    expect(totals.acknowledged).toBeGreaterThan(1000);
  });

  it('finds nothing in fresh crash states', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const totals = await searchCrashes(seed, ({ states }) => states >= 250);
    expect(totals.violations).toEqual([]);
  });

  it.each(canaryNames)('catches the planted bug «%s»', async (name) => {
    expect(await isCaught(name)).toBe(true);
  });
});
