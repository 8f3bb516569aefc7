import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { canaryNames, isCaught } from './canaries.ts';
import { type SearchTotals, searchCrashes } from './crash-search.ts';

/*
 * The crash search: `npm run sim -- --states 5000`. Options: `--seed N` replays one scenario, `--minutes M`
 * searches for so long, `--from N` begins at another seed, `--save` keeps the result in bench/results/sim.json,
 * `--no-canaries` leaves out the planted bugs.
 */
const { values } = parseArgs({
  options: {
    states: { type: 'string', default: '5000' },
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    save: { type: 'boolean', default: false },
    'no-canaries': { type: 'boolean', default: false },
  },
});

const startedMs = performance.now();
const seconds = (): number => (performance.now() - startedMs) / 1000;

const enough = (totals: SearchTotals): boolean => {
  if (values.seed !== undefined) return totals.seeds >= 1;
  if (values.minutes !== undefined) return seconds() >= Number(values.minutes) * 60;
  return totals.states >= Number(values.states);
};

const totals = await searchCrashes(Number(values.seed ?? values.from), enough);
const searchSeconds = seconds();
for (const violation of totals.violations) console.log(`VIOLATION ${violation}`);

const missed: string[] = [];
const canaries = values['no-canaries'] || values.seed !== undefined ? [] : canaryNames;
for (const name of canaries) {
  const caught = await isCaught(name);
  console.log(`canary ${name}: ${caught ? 'caught' : 'NOT CAUGHT'}`);
  if (!caught) missed.push(name);
}

const { violations, ...counts } = totals;
const result = {
  ...counts,
  violations: violations.length,
  canaries: canaries.length,
  canariesCaught: canaries.length - missed.length,
  statesPerSecond: Math.round(totals.states / searchSeconds),
};
if (values.save) {
  mkdirSync('bench/results', { recursive: true });
  writeFileSync(
    'bench/results/sim.json',
    `${JSON.stringify({ node: process.version, ...result }, null, 2)}\n`,
  );
}
console.log(
  `goal 0 violations, got ${violations.length}: ${totals.states} crash states (${totals.powerCuts} power cuts, ` +
    `${totals.kills} kills), ${totals.acknowledged} records acknowledged, ${result.statesPerSecond} states/s, ` +
    `canaries ${result.canariesCaught} of ${result.canaries} caught`,
);
process.exitCode = violations.length > 0 || missed.length > 0 ? 1 : 0;
