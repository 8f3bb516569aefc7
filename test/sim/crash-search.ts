import { runCrashScenario } from './crash-scenario.ts';

/** Lives of one data folder in one scenario. */
const statesPerSeed = 5;

export interface SearchTotals {
  seeds: number;
  states: number;
  acknowledged: number;
  powerCuts: number;
  kills: number;
  violations: string[];
}

/** Runs scenarios from `firstSeed` on until one is violated or `enough` says so. */
export async function searchCrashes(
  firstSeed: number,
  enough: (totals: SearchTotals) => boolean,
): Promise<SearchTotals> {
  const totals: SearchTotals = {
    seeds: 0,
    states: 0,
    acknowledged: 0,
    powerCuts: 0,
    kills: 0,
    violations: [],
  };
  for (let seed = firstSeed; totals.violations.length === 0 && !enough(totals); seed += 1) {
    const result = await runCrashScenario(seed, statesPerSeed);
    totals.seeds += 1;
    totals.states += result.states;
    totals.acknowledged += result.acknowledged;
    totals.powerCuts += result.crashes.power;
    totals.kills += result.crashes.kill;
    totals.violations.push(...result.violations);
  }
  return totals;
}
