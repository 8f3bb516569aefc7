import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openOn, received } from '../support/log-on-machine.ts';
import { SimMachine } from '../support/sim-machine.ts';
import { SimCluster } from '../support/sim-target.ts';
import { simulatedForwarder } from '../support/simulated-forwarder.ts';
import { newDisk, settled } from '../support/small-segments.ts';
import { until } from '../support/virtual-time.ts';

const hour = 3_600_000;
const waitForClockMs = 120_000;

/** A machine that has just started and does not know the time, with a mirror whose time passes only when the test says so. */
async function start(machine: SimMachine) {
  const disk = newDisk();
  const cluster = new SimCluster();
  machine.reboot(hour);
  const log = await openOn(machine, disk);
  await log.createTopic('a', 1);
  let wake = (): void => {};
  const clock = {
    wallMs: () => machine.wallMs(),
    monotonicMs: () => machine.monotonicMs(),
    sleep: async (ms: number, signal?: AbortSignal) => {
      const untilMs = machine.monotonicMs() + ms;
      while (machine.monotonicMs() < untilMs && signal?.aborted !== true)
        await new Promise<void>((resolve) => {
          const before = wake;
          wake = () => {
            before();
            resolve();
          };
          signal?.addEventListener('abort', () => resolve(), { once: true });
        });
    },
  };
  const { forwarder } = simulatedForwarder({ log, clock, waitForClockMs, lingerMs: 0 }, cluster);
  forwarder.start();
  const pass = async (ms: number): Promise<void> => {
    machine.trueMs += ms;
    wake();
    for (let turn = 0; turn < 50; turn += 1) await setImmediate();
  };
  const arrived = () =>
    cluster
      .committed('gw1.a', 0)
      .map(({ value, timestampMs }) => [Buffer.from(value).toString(), timestampMs]);
  return { disk, log, forwarder, pass, arrived };
}

describe('records that came before the clock was set', () => {
  test('wait for it, and arrive with the right time', async () => {
    const machine = new SimMachine();
    const { disk, log, forwarder, pass, arrived } = await start(machine);
    const truth: [string, number][] = [];
    for (let count = 0; count < 30; count += 1) {
      await pass(1000);
      await log.append([received(machine, `early ${count}`)]);
      truth.push([`early ${count}`, machine.trueMs]);
    }
    await settled(disk);
    await pass(1000);
    expect(arrived()).toEqual([]);
    const status = forwarder.status();
    expect(status.topics.find(({ topic }) => topic === 'a')?.lagRecords).toBe(30);
    expect(status.message).toContain('records wait for the clock to be set');
    expect(status.warnings[0]).toMatch(/clock has not been set .* for 89 s more at most/);
    machine.setClock();
    await log.append([received(machine, 'late')]);
    truth.push(['late', machine.trueMs]);
    await until('everything has arrived', () => forwarder.status().lagRecords === 0);
    expect(arrived()).toEqual(truth);
    expect(forwarder.status().warnings).toEqual([]);
    await forwarder.stop();
    await log.close();
  });

  test('do not wait for ever', async () => {
    const machine = new SimMachine();
    const { log, forwarder, pass, arrived } = await start(machine);
    await log.append([received(machine, 'early')]);
    const wallMs = machine.wallMs();
    await pass(waitForClockMs - 1);
    expect(arrived()).toEqual([]);
    await pass(1);
    await until('everything has arrived', () => forwarder.status().lagRecords === 0);
    expect(arrived()).toEqual([['early', wallMs]]);
    expect(forwarder.status().warnings[0]).toContain('sent with the time that it shows');
    await log.append([received(machine, 'later')]);
    await until('this has arrived at once', () => forwarder.status().lagRecords === 0);
    await forwarder.stop();
    await log.close();
  });

  test('do not wait when they are of a start of the machine that is over', async () => {
    const machine = new SimMachine();
    const { disk, log, forwarder } = await start(machine);
    await log.append([received(machine, 'early')]);
    await forwarder.stop();
    await log.close();
    machine.reboot(hour);
    const again = await openOn(machine, disk);
    expect(again.unsettled.from('a', 0)).toBeNull();
    const cluster = new SimCluster();
    const second = simulatedForwarder({ log: again, clock: machine, waitForClockMs }, cluster).forwarder;
    second.start();
    await until('it has arrived', () => cluster.values('gw1.a', 0).length === 1);
    await second.stop();
    await again.close();
  });
});
