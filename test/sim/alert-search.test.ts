import { describe, expect, it } from 'vitest';
import { alertPlants } from './alert-plants.ts';
import { runAlertScenario } from './alert-scenario.ts';
import { isCaught } from './canaries.ts';

describe('alert search', () => {
  it('tells each anomaly once, whatever ends a run in between', async () => {
    let verdicts = 0;
    let runs = 0;
    const violations: string[] = [];
    const fresh = Math.floor(Math.random() * 2 ** 31);
    for (let run = 1; run <= 12; run += 1) {
      const result = await runAlertScenario(run <= 9 ? run : fresh + run);
      verdicts += result.verdicts;
      runs += result.runs;
      violations.push(...result.violations);
    }
    expect(violations).toEqual([]);
    expect(verdicts).toBeGreaterThan(500);
    expect(runs).toBeGreaterThan(300);
  });

  it.each(alertPlants.map(({ name }) => name))('catches the planted bug «%s»', async (name) => {
    expect(await isCaught(name)).toBe(true);
  });
});
