import { parseArgs } from 'node:util';
import { runAlertScenario } from './alert-scenario.ts';

/** The alert search: `npm run sim:alerts -- --runs 500`. `--from N` begins at another seed. It ends at the first violation. */
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '500' }, from: { type: 'string', default: '1' } },
});

const from = Number(values.from);
let verdicts = 0;
let kills = 0;
let scenarios = 0;
let violations: readonly string[] = [];
for (; scenarios < Number(values.runs) && violations.length === 0; scenarios += 1) {
  const result = await runAlertScenario(from + scenarios);
  verdicts += result.verdicts;
  kills += result.runs - 1;
  violations = result.violations;
}
for (const violation of violations) console.log(`VIOLATION ${violation}`);
console.log(
  `goal 0 violations, got ${violations.length}: ${scenarios} sites, ${kills} ends of a run, ${verdicts} verdicts`,
);
process.exitCode = violations.length > 0 ? 1 : 0;
