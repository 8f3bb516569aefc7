import { runCrashScenario, type ScenarioOptions, type Violation } from './crash-scenario.ts';

/** Lives of one data folder in one scenario. */
const statesPerSeed = 5;

export interface SearchTotals {
  seeds: number;
  states: number;
  acknowledged: number;
  powerCuts: number;
  kills: number;
  crashesInRecovery: number;
  sealedFiles: number;
  readonly violations: Violation[];
  /** The scenario that runs now. */
  seed: number;
}

export const newTotals = (): SearchTotals => ({
  seeds: 0,
  states: 0,
  acknowledged: 0,
  powerCuts: 0,
  kills: 0,
  crashesInRecovery: 0,
  sealedFiles: 0,
  violations: [],
  seed: 0,
});

/** Runs scenarios from `firstSeed` on until one is violated or `enough` says so. */
export async function searchCrashes(
  firstSeed: number,
  enough: (totals: SearchTotals) => boolean,
  totals = newTotals(),
  options: ScenarioOptions = {},
): Promise<SearchTotals> {
  for (let seed = firstSeed; totals.violations.length === 0 && !enough(totals); seed += 1) {
    totals.seed = seed;
    const result = await runCrashScenario(seed, statesPerSeed, options);
    totals.seeds += 1;
    totals.states += result.states;
    totals.acknowledged += result.acknowledged;
    totals.powerCuts += result.crashes.power;
    totals.kills += result.crashes.kill;
    totals.crashesInRecovery += result.crashes.inRecovery;
    totals.sealedFiles += result.sealedFiles;
    totals.violations.push(...result.violations);
  }
  return totals;
}
