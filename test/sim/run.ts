import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { DiskEvent } from '../support/sim-disk.ts';
import { canaryNames, harmlessNames, isCaught } from './canaries.ts';
import { newTotals, type SearchTotals, searchCrashes } from './crash-search.ts';

/*
 * The crash search: `npm run sim -- --states 5000`. Options: `--seed N` replays one scenario and prints the hash of
 * its trace (`--trace`: all of it), `--minutes M` searches for so long, `--from N` begins at another seed, `--mode NAME` plays
 * one kind of disk only (modes.ts), `--save`
 * keeps the result in bench/results/sim.json, `--no-canaries` leaves out the planted bugs.
 */
const { values } = parseArgs({
  options: {
    states: { type: 'string', default: '5000' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    mode: { type: 'string' },
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

const totals = newTotals();
let searching = true;
const only = values.mode === undefined ? '' : ` --mode ${values.mode}`;
const replay = (): string => `replay it: npm run sim -- --seed ${totals.seed}${only} --trace`;
// A bug can also show as a crash of the log, or as a promise that nothing will ever settle.
process.on('unhandledRejection', (error) => {
  const what = error instanceof Error ? error.stack : String(error);
  console.log(`VIOLATION seed ${totals.seed}: the log crashed: ${what}\n  ${replay()}`);
  process.exit(1);
});
process.on('exit', () => {
  if (searching) console.log(`VIOLATION seed ${totals.seed}: the log stands still\n  ${replay()}`);
});

const hash = createHash('sha256');
let operations = 0;
const onOperation = ({ operation, what }: DiskEvent): void => {
  operations += 1;
  hash.update(`${operation} ${what}\n`);
  if (values.trace) console.log(`${operation} ${what}`);
};

const first = Number(values.seed ?? values.from);
const listener = values.seed === undefined ? undefined : onOperation;
await searchCrashes(first, enough, totals, { onOperation: listener, mode: values.mode });
searching = false;
const searchSeconds = seconds();
for (const { text } of totals.violations) console.log(`VIOLATION ${text}\n  ${replay()}`);
if (values.seed !== undefined) console.log(`trace of ${operations} operations: ${hash.digest('hex')}`);

const alone = values['no-canaries'] || values.seed !== undefined;
const missed: string[] = [];
for (const name of alone ? [] : canaryNames) {
  const caught = await isCaught(name);
  console.log(`canary ${name}: ${caught ? 'caught' : 'NOT CAUGHT'}`);
  if (!caught) missed.push(name);
}
const red: string[] = [];
for (const name of alone ? [] : harmlessNames) {
  const caught = await isCaught(name);
  console.log(`harmless ${name}: ${caught ? 'FOUND HARMFUL' : 'stays green'}`);
  if (caught) red.push(name);
}

const { violations, seed, ...counts } = totals;
const canaries = alone ? 0 : canaryNames.length;
const count = (kind: 'lost' | 'wrong'): number => violations.filter((one) => one.kind === kind).length;
const result = {
  ...counts,
  lost: count('lost'),
  wrong: count('wrong'),
  canaries,
  canariesCaught: canaries - missed.length,
  statesPerSecond: Math.round(totals.states / searchSeconds),
};
if (values.save) {
  mkdirSync('bench/results', { recursive: true });
  const saved = { node: process.version, ...result };
  writeFileSync('bench/results/sim.json', `${JSON.stringify(saved, null, 2)}\n`);
}
console.log(
  `goal lost 0, wrong 0, got lost ${result.lost}, wrong ${result.wrong}: ${totals.states} crash states ` +
    `(${totals.powerCuts} power cuts, ${totals.kills} kills, ${totals.crashesInRecovery} of them in a recovery), ` +
    `${totals.acknowledged} records acknowledged, ${totals.sealedFiles} journal files sealed, ${result.statesPerSecond} states/s, ` +
    `canaries ${result.canariesCaught} of ${result.canaries} caught`,
);
process.exitCode = violations.length + missed.length + red.length > 0 ? 1 : 0;
