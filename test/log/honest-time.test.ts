import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { textRecord, unmirrored } from '../support/log-on-disk.ts';
import { openOn, received, stamps, told } from '../support/log-on-machine.ts';
import { SimMachine } from '../support/sim-machine.ts';
import { newDisk, open, settled } from '../support/small-segments.ts';

const hour = 3_600_000;

/** A log with topic `a` on a machine that has just started, an hour behind. */
async function startUnset() {
  const disk = newDisk();
  const machine = new SimMachine();
  machine.reboot(hour);
  const log = await openOn(machine, disk);
  await log.createTopic('a', 1);
  return { disk, machine, log };
}

describe('stamps of a machine that has forgotten the time', () => {
  test('are corrected once the clock is set, in memory, in the journal and in segments, and over a restart', async () => {
    const disk = newDisk();
    const machine = new SimMachine();
    machine.reboot(2 * hour);
    const log = await openOn(machine, disk);
    await log.createTopic('a', 1);
    const truth = new Map<string, number>();
    for (let count = 0; count < 30; count += 1) {
      machine.trueMs += 1000;
      await log.append([received(machine, `record ${count}`)]);
      truth.set(`record ${count}`, machine.trueMs);
      if (count === 20) machine.setClock();
    }
    await settled(disk);
    expect(await stamps(log)).toEqual(truth);
    await log.close();
    const again = await openOn(machine, disk);
    const [sealed] = await again.read('a', 0, 0, 1);
    expect(sealed).toMatchObject({ sealed: true });
    expect(sealed?.maxTimestampMs).toBe(truth.get(`record ${sealed?.lastOffset}`));
    expect(await again.offsetForTime('a', 0, truth.get('record 7') ?? 0)).toBe(7);
    expect(await stamps(again)).toEqual(truth);
    await again.close();
  });

  test('are corrected although no record came after the clock was set, and the power was cut', async () => {
    const { disk, machine, log } = await startUnset();
    await log.append([received(machine, 'x')]);
    const trueMs = machine.trueMs;
    machine.setClock();
    log.keepHouse();
    await settled(disk);
    disk.cutPower();
    machine.reboot(hour);
    const again = await openOn(machine, disk);
    expect(await stamps(again)).toEqual(new Map([['x', trueMs]]));
    await again.close();
  });

  test('stay as they were if the clock was never set before the machine was started anew', async () => {
    const { disk, machine, log } = await startUnset();
    await log.append([received(machine, 'x')]);
    const wallMs = machine.wallMs();
    await log.close();
    machine.reboot(hour);
    machine.setClock();
    const again = await openOn(machine, disk);
    await again.append([received(machine, 'y')]);
    expect(await stamps(again)).toEqual(
      new Map([
        ['x', wallMs],
        ['y', machine.trueMs],
      ]),
    );
    await again.close();
  });

  test('are those of receipt, though the clock is set between that and the commit', async () => {
    const { machine, log } = await startUnset();
    const early = received(machine, 'early');
    const trueMs = machine.trueMs;
    machine.trueMs += 700;
    machine.setClock();
    await log.append([early, received(machine, 'late')]);
    expect(await stamps(log)).toEqual(
      new Map([
        ['early', trueMs],
        ['late', trueMs + 700],
      ]),
    );
    await log.close();
  });

  test('begin nothing new at a restart of the gateway while the clock stands', async () => {
    const disk = newDisk();
    const machine = new SimMachine();
    machine.isSet = true;
    for (let run = 0; run < 3; run += 1) {
      const log = await openOn(machine, disk);
      await log.growTopic('a', 1);
      await log.append([received(machine, `run ${run}`)]);
      await settled(disk);
      expect(log.clockEpoch).toMatchObject({ ordinal: 1 });
      expect(await told(log)).toHaveLength(1);
      await log.close();
    }
  });
});

describe('the topic clock', () => {
  test('tells of each epoch once, and by how much which ones are corrected', async () => {
    const disk = newDisk();
    const machine = new SimMachine();
    machine.reboot(hour);
    let log = await openOn(machine, disk);
    await log.createTopic('a', 1);
    await log.append([received(machine, 'x')]);
    machine.jump(-60_000);
    await log.append([received(machine, 'y')]);
    await settled(disk);
    await log.close();
    log = await openOn(machine, disk);
    machine.trueMs += 5000;
    machine.setClock();
    await log.append([received(machine, 'z')]);
    await settled(disk);
    const rows = await told(log);
    expect(rows.map(({ epoch, clock, corrected }) => [epoch, clock, corrected])).toEqual([
      [1, 'not-set', []],
      [2, 'not-set', []],
      [
        3,
        'set',
        [
          { epoch: 1, shiftMs: hour },
          { epoch: 2, shiftMs: hour + 60_000 },
        ],
      ],
    ]);
    expect(Date.parse(rows[2]?.began ?? '')).toBe(machine.trueMs);
    await log.close();
  });

  test('finds room though there are as many partitions as there may be', async () => {
    const disk = newDisk();
    const machine = new SimMachine();
    const log = await open(disk);
    for (const name of ['p', 'q', 'r', 's']) await log.createTopic(name, limits.partitionsMax / 4);
    await log.close();
    const again = await openOn(machine, disk);
    await settled(disk);
    expect(await told(again)).toHaveLength(1);
    await again.close();
  });
});

describe('retention by age', () => {
  test('goes by corrected time, and does not remove what only looks old', async () => {
    const disk = newDisk();
    const machine = new SimMachine();
    const retention = {
      budgetBytes: Number.POSITIVE_INFINITY,
      forwarding: unmirrored,
      isClockSet: () => machine.isSet,
    };
    machine.reboot(1000 * hour);
    const log = await openOn(machine, disk, { retention });
    await log.createTopic('a', 1, { retention: { ageMs: 24 * hour }, segmentBytes: limits.segmentBytesMin });
    for (let count = 0; count < 20; count += 1) await log.append([received(machine, `early ${count}`)]);
    machine.trueMs += hour;
    machine.setClock();
    for (let count = 0; count < 20; count += 1) await log.append([received(machine, `late ${count}`)]);
    log.keepHouse();
    await settled(disk);
    const logStart = (): number => log.partitions().find(({ topic }) => topic === 'a')?.logStartOffset ?? 0;
    expect(logStart()).toBe(0);
    machine.trueMs += 23 * hour;
    log.keepHouse();
    await settled(disk);
    expect(logStart()).toBe(0);
    machine.trueMs += 2 * hour;
    log.keepHouse();
    await settled(disk);
    expect(logStart()).toBeGreaterThan(10);
    await log.close();
  });
});

test('a log without epochs, as older releases wrote it, is read as it is', async () => {
  const disk = newDisk();
  const machine = new SimMachine();
  const old = await open(disk);
  await old.createTopic('a', 1);
  await old.append([textRecord('a', 'old', { timestampMs: 42 })]);
  await old.close();
  machine.reboot(hour);
  const log = await openOn(machine, disk);
  expect(log.unsettled.from('a', 0)).toBeNull();
  await log.append([received(machine, 'new')]);
  expect(log.unsettled.from('a', 0)).toBe(1);
  expect(log.unsettled.sinceMs()).toBe(0);
  const { trueMs } = machine;
  machine.setClock();
  log.keepHouse();
  await settled(disk);
  expect(log.unsettled.from('a', 0)).toBeNull();
  expect(await stamps(log)).toEqual(
    new Map([
      ['old', 42],
      ['new', trueMs],
    ]),
  );
  await log.close();
});
