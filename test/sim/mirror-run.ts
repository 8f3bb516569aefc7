import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type MirrorMode, mirrorModes, runMirrorScenario, skippingRunsMax } from './mirror-scenario.ts';

/*
 * The mirror search: `npm run sim:mirror -- --runs 500`. Options: `--from N` begins at another seed, `--mode NAME`
 * plays one mode only. It ends at the first violation; `--from N --runs 1` plays it again. `--save` keeps the result
 * in bench/results/mirror-search.json.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    mode: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
});

const isMode = (mode: MirrorMode): boolean => values.mode === undefined || values.mode === mode;
const from = Number(values.from);
const startedMs = performance.now();
const totals = { runs: 0, sent: 0, doubled: 0, violations: 0, lyingRuns: 0, skippingRuns: 0 };
for (let seed = from; seed < from + Number(values.runs) && totals.violations === 0; seed += 1) {
  for (const mode of mirrorModes.filter(isMode)) {
    const result = await runMirrorScenario(seed, mode);
    for (const violation of result.violations) console.log(`VIOLATION ${violation}`);
    totals.runs += 1;
    if (mode === 'lying') totals.lyingRuns += 1;
    if (result.skipped > 0) totals.skippingRuns += 1;
    totals.sent += result.sent;
    totals.doubled += result.doubled;
    totals.violations += result.violations.length;
  }
}
if (totals.skippingRuns > skippingRunsMax(totals.lyingRuns)) {
  console.log(`VIOLATION ${totals.skippingRuns} of ${totals.lyingRuns} runs on a lying disk skipped records`);
  totals.violations += 1;
}
const seconds = (performance.now() - startedMs) / 1000;
if (values.save) {
  mkdirSync('bench/results', { recursive: true });
  const modes = mirrorModes.filter(isMode).length;
  const saved = {
    node: process.version,
    from,
    modes,
    ...totals,
    runsPerSecond: Math.round(totals.runs / seconds),
  };
  writeFileSync('bench/results/mirror-search.json', `${JSON.stringify(saved, null, 2)}\n`);
}
console.log(
  `goal 0 violations, got ${totals.violations}: ${totals.runs} runs, ${totals.sent} records, ${totals.doubled} ` +
    `arrived twice as allowed, ${totals.skippingRuns} of ${totals.lyingRuns} runs on a lying disk skipped some, ${Math.round(totals.runs / seconds)} runs/s`,
);
process.exitCode = totals.violations > 0 ? 1 : 0;
