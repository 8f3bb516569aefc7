import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Fault, type FaultKind, gatewayKills } from './fault-plan.ts';
import { type FaultCanary, faultCanaries } from './fault-plants.ts';
import { type FaultRun, runFaults } from './fault-run.ts';
import { type KafkaSite, startKafkaSite } from './kafka-site.ts';

/*
 * Random faults on a real cluster: `npm run test:faults -- --faults 60 --seed 1`. Options: `--readings N` (5000 for each
 * fault by default), `--canary NAME` plants only this bug in the end (may be given several times; by default all, `--no-canaries` leaves
 * them out), `--no-faults` looks at the canaries alone, `--save` keeps the result in bench/results/faults.json. The same
 * seed gives the same faults, at the same counts of readings; when they meet what is under way is up to the machine.
 */
const READINGS_PER_FAULT = 5_000;
const WRONG_SHOWN_MAX = 20;
/** A planted bug may also make the mirror stand still. */
const CANARY_STALL_MS_MAX = 90_000;

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    readings: { type: 'string' },
    canary: { type: 'string', multiple: true },
    'no-canaries': { type: 'boolean', default: false },
    'no-faults': { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const faults = values['no-faults'] ? 0 : Number(values.faults);
const readings = Number(values.readings ?? faults * READINGS_PER_FAULT);
const canaries = values['no-canaries'] ? [] : canariesNamed(values.canary);

// Whatever was started goes with this process; see test/kafka/processes.ts.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

const startedMs = performance.now();
const minutes = (): number => (performance.now() - startedMs) / 60_000;
const missed: string[] = [];
await runAll();
// Not by itself: Node's clean-up at the end of a script was seen to wait for ever for a last socket of the links.
process.exit();

async function runAll(): Promise<void> {
  // Both transaction protocols have their turns.
  await using kafka = await startKafkaSite(seed % 2 === 0 ? 0 : 2);
  console.error(`${clock(minutes())} three brokers run`);
  const run = faults === 0 ? null : await mainRun(kafka);
  for (const canary of canaries) if (!(await isCaught(kafka, canary))) missed.push(canary.plant);
  report(run);
}

function canariesNamed(names: readonly string[] | undefined): readonly FaultCanary[] {
  const unknown = names?.find((name) => !faultCanaries.some(({ plant }) => plant === name));
  if (unknown !== undefined)
    throw new Error(
      `there is no canary ${unknown}; there are ${faultCanaries.map(({ plant }) => plant).join(', ')}`,
    );
  return faultCanaries.filter(({ plant }) => names?.includes(plant) ?? true);
}

async function mainRun(site: KafkaSite): Promise<FaultRun> {
  const sinceMinutes = minutes();
  const onStrike = (fault: Fault, number: number): void => {
    const done = fault.at / readings;
    const left = done < 0.02 ? '' : `, about ${clock(((minutes() - sinceMinutes) * (1 - done)) / done)} left`;
    console.error(
      `${clock(minutes())} fault ${number} of ${faults} at ${fault.at} readings: ${fault.kind}${left}`,
    );
  };
  const outcome = await runFaults(site, { seed, readings, faults, name: 'gw1', onStrike });
  const { stalled, verdict } = outcome;
  if (stalled !== null) console.log(`VIOLATION ${stalled}\n  ${replay()}`);
  for (const text of verdict.wrong.slice(0, WRONG_SHOWN_MAX)) console.log(`VIOLATION ${text}`);
  if (verdict.wrong.length > 0) console.log(`  ${verdict.wrong.length} in all; ${replay()}`);
  return outcome;
}

async function isCaught(site: KafkaSite, { plant, shows, ...plan }: FaultCanary): Promise<boolean> {
  const { verdict, stalled } = await runFaults(site, {
    ...plan,
    seed,
    name: `canary-${faultCanaries.findIndex((one) => one.plant === plant)}`,
    plant,
    stallMsMax: CANARY_STALL_MS_MAX,
    onStrike: () => {},
  });
  const { lost, doubled, reordered } = verdict;
  const how = stalled === null ? `lost ${lost}, doubled ${doubled}, reordered ${reordered}` : stalled;
  const caught = shows === 'wrong' ? verdict.wrong.length > 0 : stalled !== null;
  console.log(`canary ${plant}: ${caught ? 'caught' : 'NOT CAUGHT'} (${how})`);
  return caught;
}

function report(outcome: FaultRun | null): void {
  const { lost = 0, doubled = 0, reordered = 0 } = outcome?.verdict ?? {};
  const plan = outcome?.faults ?? [];
  const kills = gatewayKills(plan);
  const kinds = Object.groupBy(plan, ({ kind }) => kind);
  const result = {
    seed,
    transactionVersion: seed % 2 === 0 ? 0 : 2,
    readings: outcome?.acknowledged ?? 0,
    faults: plan.length,
    kinds: Object.fromEntries(Object.entries(kinds).map(([kind, list]) => [kind as FaultKind, list.length])),
    gatewayKills: kills.all,
    gatewayKillsWhileDraining: kills.draining,
    stalled: outcome?.stalled ?? null,
    lost,
    doubled,
    reordered,
    canaries: canaries.length,
    canariesCaught: canaries.length - missed.length,
    minutes: Math.round(minutes()),
  };
  if (values.save) {
    mkdirSync('bench/results', { recursive: true });
    const saved = { node: process.version, ...result };
    writeFileSync('bench/results/faults.json', `${JSON.stringify(saved, null, 2)}\n`);
  }
  console.log(
    `goal lost 0, doubled 0, reordered 0, got lost ${lost}, doubled ${doubled}, reordered ${reordered}` +
      `${result.stalled === null ? '' : ' and a mirror that stands still'}: ${result.readings} readings, ` +
      `${plan.length} faults with ${kills.all} SIGKILLs of the gateway, ${kills.draining} of them while a backlog ` +
      `drained, seed ${seed}, ${result.minutes} min, canaries ${result.canariesCaught} of ${canaries.length} caught`,
  );
  const broken = lost + doubled + reordered + missed.length > 0 || result.stalled !== null;
  process.exitCode = broken ? 1 : 0;
}

function replay(): string {
  return `the same faults again: npm run test:faults -- --faults ${faults} --readings ${readings} --seed ${seed}`;
}

function clock(inMinutes: number): string {
  const seconds = Math.round(inMinutes * 60);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
