import { parseArgs } from 'node:util';
import { runClockScenario } from './clock-scenario.ts';

/** The clock search: `npm run sim:clock -- --runs 500`. `--from N` begins at another seed. It ends at the first violation. */
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '500' }, from: { type: 'string', default: '1' } },
});

const from = Number(values.from);
let checked = 0;
let runs = 0;
let violations: readonly string[] = [];
for (; runs < Number(values.runs) && violations.length === 0; runs += 1) {
  const result = await runClockScenario(from + runs);
  checked += result.checked;
  violations = result.violations;
}
for (const violation of violations) console.log(`VIOLATION ${violation}`);
console.log(`goal 0 violations, got ${violations.length}: ${runs} boxes, ${checked} stamps`);
process.exitCode = violations.length > 0 ? 1 : 0;
