import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { caughtCanaries } from './http-canaries.ts';
import { fuzzHttp } from './http-fuzz.ts';

/*
 * The fuzz of the admin port: `npm run fuzz:http -- --requests 100000`. Options: `--seed N` begins with another seed than a random
 * one, and sends the same again; `--save` keeps the result in bench/results/http-fuzz.json.
 */
const RSS_MB_MAX = 512;

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
});

const startedMs = performance.now();
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
await using folder = await temporaryFolder();
await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
const { wrong, ...totals } = await fuzzHttp(gateway, seed, Number(values.requests));
const violations = [...wrong];
if (totals.rssMb > RSS_MB_MAX) violations.push(`RSS is ${totals.rssMb} MB, ${RSS_MB_MAX} at most`);
for (const text of violations)
  console.log(
    `VIOLATION ${text}\n  replay it: npm run fuzz:http -- --seed ${seed} --requests ${totals.requests}`,
  );
const { planted, caught } = caughtCanaries();
const seconds = Math.round((performance.now() - startedMs) / 1000);
if (values.save) {
  mkdirSync('bench/results', { recursive: true });
  const result = { seed, ...totals, rssMbMax: RSS_MB_MAX, seconds, violations: violations.length };
  const canaries = { canaries: planted, canariesCaught: caught };
  const saved = {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    ...result,
    ...canaries,
  };
  writeFileSync('bench/results/http-fuzz.json', `${JSON.stringify(saved, null, 2)}\n`);
}
console.log(
  `goal violations 0, got ${violations.length}: ${totals.requests} requests in ${totals.connections} connections by seed ${seed}, ` +
    `answers with the token ${JSON.stringify(totals.withToken)}, without ${JSON.stringify(totals.without)}, ` +
    `${totals.messages} MQTT messages acknowledged (the slowest ${totals.slowestMessageMs} ms), ` +
    `RSS ${totals.rssMb} MB at most, ${seconds} s, canaries ${caught} of ${planted} caught`,
);
process.exitCode = violations.length > 0 || caught < planted ? 1 : 0;
