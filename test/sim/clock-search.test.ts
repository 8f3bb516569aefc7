import { describe, expect, it } from 'vitest';
import { isCaught } from './canaries.ts';
import { clockPlants } from './clock-plants.ts';
import { runClockScenario } from './clock-scenario.ts';

describe('clock search', () => {
  it('finds every stamp right whose clock was ever set before the machine was started anew', async () => {
    let checked = 0;
    const violations: string[] = [];
    const fresh = Math.floor(Math.random() * 2 ** 31);
    for (let run = 1; run <= 40; run += 1) {
      const result = await runClockScenario(run <= 30 ? run : fresh + run);
      checked += result.checked;
      violations.push(...result.violations);
    }
    expect(violations).toEqual([]);
    expect(checked).toBeGreaterThan(2500);
  });

  it.each(clockPlants.map(({ name }) => name))('catches the planted bug «%s»', async (name) => {
    expect(await isCaught(name)).toBe(true);
  });
});
