import { AnomalySite, type ToldVerdict } from '../support/anomaly-site.ts';
import { newDisk } from '../support/small-segments.ts';
import { seededRandom } from '../support/virtual-time.ts';

const turns = 120;
const sensors = ['kitchen', 'attic', 'cellar', 'roof'];
/** Detection takes about as many disk operations for a turn. */
const operationsPerTurn = 24;

export interface AlertResult {
  readonly verdicts: number;
  readonly runs: number;
  readonly violations: readonly string[];
}

/**
 * The same readings, with anomalies among them, twice: once in a run that nothing disturbs, and once with the gateway killed or cut off
 * in the middle of any disk operation of detection, again and again. Both must have told the same.
 */
export async function runAlertScenario(seed: number): Promise<AlertResult> {
  const undisturbed = await play(seed, false);
  const killed = await play(seed, true);
  const violations = differences(undisturbed.verdicts, killed.verdicts);
  return {
    verdicts: undisturbed.verdicts.length,
    runs: killed.runs,
    violations: violations.map((violation) => `seed ${seed}: ${violation}`),
  };
}

interface Played {
  readonly verdicts: readonly ToldVerdict[];
  readonly runs: number;
}

async function play(seed: number, isKilled: boolean): Promise<Played> {
  const script = seededRandom(seed);
  const fate = seededRandom(seed + 1_000_000);
  const below = (count: number, random = script): number => Math.floor(random.next() * count);
  const site = new AnomalySite(newDisk(seed));
  await site.start();
  let runs = 1;
  for (let turn = 0; turn < turns; turn += 1) {
    for (let count = 1 + below(4); count > 0; count -= 1) {
      const sensor = sensors[below(sensors.length)] ?? '';
      const what = below(12);
      await site.send(sensor, what === 0 ? 150 : what === 1 ? 30 : 20 + below(4));
    }
    const seconds = 1 + below(40);
    if (isKilled && below(3, fate) === 0) {
      runs += 1;
      await site.passAndDie(seconds * 1000, 1 + below(operationsPerTurn, fate), 20_000);
      if (below(2, fate) === 0) site.disk.cutPower();
      await site.start();
      continue;
    }
    if (isKilled && below(20, fate) === 0) {
      runs += 1;
      await site.stop();
      await site.start();
    }
    await site.pass(seconds * 1000, 20_000);
  }
  await site.pass(10_000);
  const verdicts = await site.verdicts();
  await site.stop();
  return { verdicts, runs };
}

/** What was told of each alert, in its order. That different series are told of in another order is no harm. */
function differences(expected: readonly ToldVerdict[], got: readonly ToldVerdict[]): string[] {
  const bySeries = (verdicts: readonly ToldVerdict[]): Map<string, string[]> => {
    const found = new Map<string, string[]>();
    for (const { series, event, id, kind, firstOffset, timeMs } of verdicts)
      found.set(series, [...(found.get(series) ?? []), `${event} ${kind} ${id} ${firstOffset} ${timeMs}`]);
    return found;
  };
  const [one, other] = [bySeries(expected), bySeries(got)];
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((series) => {
    const [wanted = [], found = []] = [one.get(series), other.get(series)];
    const at = Array.from({ length: Math.max(wanted.length, found.length) }, (_, index) => index).find(
      (index) => wanted[index] !== found[index],
    );
    return at === undefined
      ? []
      : [
          `${series}: verdict ${at} is "${found[at] ?? 'missing'}", and "${wanted[at] ?? 'nothing'}" undisturbed`,
        ];
  });
}
