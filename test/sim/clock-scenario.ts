import { limits } from '../../src/core/limits.ts';
import type { Log } from '../../src/log/log.ts';
import { openOn, received, stamps, told } from '../support/log-on-machine.ts';
import { SimMachine } from '../support/sim-machine.ts';
import { newDisk, settled } from '../support/small-segments.ts';
import { seededRandom } from '../support/virtual-time.ts';

const hourMs = 3_600_000;
const turns = 120;

/** What is to become of the stamp of a record. */
interface Sent {
  readonly value: string;
  readonly bootId: string;
  readonly trueMs: number;
  readonly wallMs: number;
}

export interface ClockResult {
  readonly checked: number;
  readonly violations: readonly string[];
}

/**
 * The life of a box without a clock of its own: it is started anew after hours or weeks, with a power cut or without; its clock is set
 * late or never, or wrongly by somebody; readings come all the time. At the end each stamp must be right whose clock was
 * ever set and said so by a commit before the machine was started anew; the others must be what the clock said.
 */
export async function runClockScenario(seed: number): Promise<ClockResult> {
  const random = seededRandom(seed);
  const below = (count: number): number => Math.floor(random.next() * count);
  const disk = newDisk(seed);
  const machine = new SimMachine();
  const sent: Sent[] = [];
  const known = new Set<string>();
  let log = await openOn(machine, disk);
  await log.createTopic('a', 1);
  for (let turn = 0; turn < turns; turn += 1) {
    machine.trueMs += 1 + below(5000);
    const what = below(20);
    if (what === 0) machine.setClock();
    else if (what === 4) await settled(disk);
    else if (what === 1 && !machine.isSet) machine.jump(below(2) === 0 ? -below(hourMs) : below(40 * hourMs));
    else if (what === 2 || what === 3) {
      if (below(2) === 0) await log.close();
      if (what === 2) disk.cutPower();
      if (what === 2) machine.reboot(1000 + below(1000 * hourMs));
      log = await openOn(machine, disk);
    } else sent.push(await send(log, machine, `record ${turn} ${'x'.repeat(below(3000))}`));
    if (machine.isSet && below(2) === 0) {
      log.keepHouse();
      await settled(disk);
      known.add(machine.read().bootId);
    }
  }
  const violations = await violationsOf(log, sent, known);
  await log.close();
  return { checked: sent.length, violations: violations.map((violation) => `seed ${seed}: ${violation}`) };
}

async function send(log: Log, machine: SimMachine, value: string): Promise<Sent> {
  const { wallMs, bootId } = machine.read();
  const { trueMs } = machine;
  await log.append([received(machine, value)]);
  return { value, bootId, trueMs, wallMs };
}

async function violationsOf(
  log: Log,
  sent: readonly Sent[],
  known: ReadonlySet<string>,
): Promise<readonly string[]> {
  const found = await stamps(log);
  const violations = sent.flatMap(({ value, bootId, trueMs, wallMs }) => {
    const stamp = found.get(value) ?? Number.NaN;
    const isTrue = stamp === trueMs;
    const isRight = known.has(bootId) ? isTrue : isTrue || Math.abs(stamp - wallMs) < limits.clockJumpMsMin;
    return isRight ? [] : [`${value.slice(0, 12)} is stamped ${stamp - trueMs} ms late`];
  });
  const epochs = (await told(log)).map(({ epoch }) => epoch);
  const isInOrder = epochs.every((epoch, index) => epoch > (epochs[index - 1] ?? 0));
  return isInOrder ? violations : [...violations, `the topic clock tells of epochs ${epochs.join(' ')}`];
}
