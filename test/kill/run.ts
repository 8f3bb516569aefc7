import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { killPlants } from './kill-plants.ts';
import { killsUnderLoad } from './kills-under-load.ts';

/*
 * SIGKILLs under load: `npm run kills -- --kills 50 --clients 50`. Options: `--save` keeps the result in bench/results/kills.json,
 * `--no-canaries` leaves out the planted bugs.
 */
const CANARY_KILLS = 4;
const WRONG_SHOWN_MAX = 20;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    clients: { type: 'string', default: '50' },
    save: { type: 'boolean', default: false },
    'no-canaries': { type: 'boolean', default: false },
  },
});
const kills = Number(values.kills);
const clients = Number(values.clients);

const startedMs = performance.now();
const { wrong, ...counts } = await killsUnderLoad({
  kills,
  clients,
  onKill: (kill, acknowledged) => console.error(`kill ${kill} of ${kills}: ${acknowledged} acknowledged`),
});
const seconds = Math.round((performance.now() - startedMs) / 1000);
for (const { text } of wrong.slice(0, WRONG_SHOWN_MAX)) console.log(`VIOLATION ${text}`);
const count = (kind: 'lost' | 'doubled' | 'reordered'): number =>
  wrong.filter((one) => one.kind === kind).length;

let caught = 0;
const canaries = values['no-canaries'] ? [] : killPlants;
for (const { name, shows } of canaries) {
  const planted = await killsUnderLoad({ kills: CANARY_KILLS, clients, plant: name });
  const found = planted.wrong.filter(({ kind }) => kind === shows).length;
  if (found > 0) caught += 1;
  console.log(`canary ${name}: ${found > 0 ? `caught, ${found} ${shows}` : 'NOT CAUGHT'}`);
}

const result = {
  kills,
  clients,
  acknowledged: counts.acknowledged,
  acknowledgedButMissing: count('lost'),
  qos2Doubled: count('doubled'),
  reordered: count('reordered'),
  qos2PublishesSentAgain: counts.resent.publishes,
  qos2ReleasesSentAgain: counts.resent.releases,
  seconds,
  canaries: canaries.length,
  canariesCaught: caught,
};
if (values.save) {
  mkdirSync('bench/results', { recursive: true });
  const saved = { date: new Date().toISOString().slice(0, 10), node: process.version, ...result };
  writeFileSync('bench/results/kills.json', `${JSON.stringify(saved, null, 2)}\n`);
}
console.log(
  `goal missing 0, doubled 0, got missing ${result.acknowledgedButMissing}, doubled ${result.qos2Doubled}, reordered ${result.reordered}: ` +
    `${kills} SIGKILLs under ${clients} clients, ${result.acknowledged} readings acknowledged, ${seconds} s, canaries ${caught} of ${canaries.length} caught`,
);
process.exit(wrong.length > 0 || caught < canaries.length ? 1 : 0);
