import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MqttFuzz } from './mqtt-fuzz.ts';
import { isFuzzPlantCaught } from './mqtt-fuzz-canaries.ts';
import { mqttFuzzPlants } from './mqtt-fuzz-plants.ts';

/*
 * The MQTT fuzz: `npm run fuzz -- --packets 1000000`. Options: `--seed N` begins with another seed than a random one, and each round has the next;
 * `--rounds N` ends after so many, so that `--seed N --rounds 1` plays one again; `--save` keeps the result in
 * bench/results/mqtt-fuzz.json, `--no-canaries` leaves out the planted bugs.
 */
const RSS_MB_MAX = 512;

const { values } = parseArgs({
  options: {
    packets: { type: 'string', default: '1000000' },
    rounds: { type: 'string' },
    seed: { type: 'string' },
    save: { type: 'boolean', default: false },
    'no-canaries': { type: 'boolean', default: false },
  },
});

const firstSeed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
let seed = firstSeed;
const violation = (text: string): void =>
  console.log(
    `VIOLATION seed ${seed}: ${text}\n  replay it: npm run fuzz -- --seed ${seed} --rounds 1 --no-canaries`,
  );
// Nothing that a client sends may get here; promises that nobody catches come here as well.
process.on('uncaughtException', (error) => {
  violation(`the gateway crashed: ${error.stack ?? error.message}`);
  process.exit(1);
});

const startedMs = performance.now();
const fuzz = await MqttFuzz.start();
let violations = 0;
const isEnough = (): boolean =>
  values.rounds === undefined
    ? fuzz.totals.packets >= Number(values.packets)
    : seed - firstSeed >= Number(values.rounds);
const judge = (wrong: readonly string[]): void => {
  for (const text of wrong) violation(text);
  violations += wrong.length;
};
while (!isEnough() && violations === 0) {
  judge(await fuzz.round(seed));
  const { rssMb } = fuzz.totals;
  if (rssMb > RSS_MB_MAX) judge([`RSS is ${rssMb} MB, ${RSS_MB_MAX} at most`]);
  seed += 1;
  if ((seed - firstSeed) % 20 === 0) console.error(JSON.stringify(fuzz.totals));
}
if (violations === 0) judge(await fuzz.stop());
const seconds = Math.round((performance.now() - startedMs) / 1000);

const alone = values['no-canaries'] || violations > 0;
let caught = 0;
for (const { name } of alone ? [] : mqttFuzzPlants) {
  const isCaught = await isFuzzPlantCaught(name);
  if (isCaught) caught += 1;
  console.log(`canary ${name}: ${isCaught ? 'caught' : 'NOT CAUGHT'}`);
}
const canaries = alone ? 0 : mqttFuzzPlants.length;
const result = {
  firstSeed,
  ...fuzz.totals,
  rssMbMax: RSS_MB_MAX,
  seconds,
  violations,
  canaries,
  canariesCaught: caught,
};
if (values.save) {
  mkdirSync('bench/results', { recursive: true });
  const saved = { date: new Date().toISOString().slice(0, 10), node: process.version, ...result };
  writeFileSync('bench/results/mqtt-fuzz.json', `${JSON.stringify(saved, null, 2)}\n`);
}
console.log(
  `goal violations 0, got ${violations}: ${result.packets} packets in ${result.sessions} connections from seed ${firstSeed} on, ` +
    `${result.records} records, ${result.undisturbed} messages undisturbed (the slowest ${result.slowestMs} ms), ` +
    `RSS ${result.rssMb} MB at most, ${seconds} s, canaries ${caught} of ${canaries} caught`,
);
process.exit(violations > 0 || caught < canaries ? 1 : 0);
