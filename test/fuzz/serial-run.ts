import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { serialSubjects, slowFramers } from './serial-fuzz.ts';
import { isSerialPlantCaught } from './serial-fuzz-canaries.ts';
import { serialFuzzPlants } from './serial-fuzz-plants.ts';

/*
 * The serial fuzz: `npm run fuzz:serial -- --chunks 1000000`, chunks for each subject. Options: `--seed N` begins with another seed
 * than a random one; `--only TEXT` leaves out the subjects without it in their names; `--megabytes N` of bytes that are hard to frame
 * for the measurement of speed; `--save` keeps the result in bench/results/serial-fuzz.json; `--no-canaries` leaves out
 * the planted bugs.
 */
const RSS_MB_MAX = 400;

const { values } = parseArgs({
  options: {
    chunks: { type: 'string', default: '1000000' },
    megabytes: { type: 'string', default: '64' },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
    save: { type: 'boolean', default: false },
    'no-canaries': { type: 'boolean', default: false },
  },
});

const startedMs = performance.now();
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const chunks = Number(values.chunks);
const subjects = serialSubjects.filter(({ name }) => name.includes(values.only));
let violations = 0;
const violation = (name: string, text: string): void => {
  violations += 1;
  console.log(
    `VIOLATION ${name}, ${text}\n  replay it: npm run fuzz:serial -- --seed SEED --chunks 1 --only '${name}' --no-canaries`,
  );
};
for (const { name, fuzz } of subjects) {
  for (const text of fuzz(seed, chunks)) violation(name, text);
  console.error(`${name}: ${chunks} chunks`);
}
const speeds: string[] = [];
const slow = slowFramers(Number(values.megabytes) * 1e6, (line) => {
  speeds.push(line);
  console.log(line);
});
for (const text of slow) violation('speed', text);
const rssMb = Math.round(process.resourceUsage().maxRSS / 1024);
if (rssMb > RSS_MB_MAX) violation('memory', `RSS is ${rssMb} MB, ${RSS_MB_MAX} at most`);

const planted = values['no-canaries'] || violations > 0 ? [] : serialFuzzPlants;
let caught = 0;
for (const { name } of planted) {
  const isCaught = await isSerialPlantCaught(name);
  if (isCaught) caught += 1;
  console.log(`canary ${name}: ${isCaught ? 'caught' : 'NOT CAUGHT'}`);
}
const seconds = Math.round((performance.now() - startedMs) / 1000);
if (values.save) {
  mkdirSync('bench/results', { recursive: true });
  const what = { firstSeed: seed, chunks, subjects: subjects.length, speeds, rssMb, seconds, violations };
  const canaries = { canaries: planted.length, canariesCaught: caught };
  const saved = { date: new Date().toISOString().slice(0, 10), node: process.version, ...what, ...canaries };
  writeFileSync('bench/results/serial-fuzz.json', `${JSON.stringify(saved, null, 2)}\n`);
}
console.log(
  `goal violations 0, got ${violations}: ${chunks} chunks from seed ${seed} on for each of ${subjects.length} subjects, ` +
    `RSS ${rssMb} MB at most, ${seconds} s, canaries ${caught} of ${planted.length} caught`,
);
process.exit(violations > 0 || caught < planted.length ? 1 : 0);
