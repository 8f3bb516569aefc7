import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import {
  type Outcome,
  type PollCommand,
  type ScheduleEvent,
  startSchedule,
  stepSchedule,
  type UnitPlan,
} from '../../../src/ingest/modbus/poll-schedule.ts';
import { type PlannedRead, planReads } from '../../../src/ingest/modbus/read-plan.ts';
import { register } from '../../../src/ingest/modbus/register.ts';

const TIMEOUT_MS = 500;
const ANSWER_MS = 20;

/** A unit whose registers are so far apart that each takes a request. */
const unitOf = (intervalMs: number, reads: number, device = 1): UnitPlan => ({
  device,
  intervalMs,
  reads: planReads(Array.from({ length: reads }, (_, at) => register({ name: `r${at}`, address: at * 100 }))),
});

interface Asked {
  readonly atMs: number;
  readonly unit: number;
  readonly names: string;
}

/** A bus whose devices answer as they are told; time passes by answers, timeouts and sleeps. */
class ScriptedBus {
  readonly asked: Asked[] = [];
  readonly told: PollCommand[] = [];
  nowMs = 0;
  onCommand: (command: PollCommand) => void = () => {};
  #state;
  #event: ScheduleEvent = { kind: 'woke', nowMs: 0 };

  constructor(units: readonly UnitPlan[], retries: number, holdMs = 0) {
    this.#state = startSchedule(units, { retries, holdMs }, 0);
  }

  run(untilMs: number, outcomeOf: (asked: Asked) => Outcome): void {
    while (this.nowMs < untilMs) {
      const { state, commands, next } = stepSchedule(this.#state, this.#event);
      this.#state = state;
      for (const command of commands) this.onCommand(command);
      this.told.push(...commands);
      if (next.kind === 'sleep') {
        expect(next.ms).toBeGreaterThan(0);
        this.nowMs += next.ms;
        this.#event = { kind: 'woke', nowMs: this.nowMs };
      } else {
        const names = next.read.registers.map(({ name }) => name).join(' ');
        const asked = { atMs: this.nowMs, unit: next.unit, names };
        this.asked.push(asked);
        const outcome = outcomeOf(asked);
        this.nowMs += outcome === 'failed' ? TIMEOUT_MS : ANSWER_MS;
        this.#event = { kind: 'ended', nowMs: this.nowMs, outcome };
      }
    }
  }

  timesOf(unit: number): readonly number[] {
    return this.asked.filter((asked) => asked.unit === unit).map(({ atMs }) => atMs);
  }

  given(kind: PollCommand['kind']): readonly PollCommand[] {
    return this.told.filter((command) => command.kind === kind);
  }
}

const all = (outcome: Outcome) => () => outcome;

describe('a schedule of polls', () => {
  test('asks each unit in its interval, request after request', () => {
    const bus = new ScriptedBus([unitOf(1000, 2), unitOf(500, 1)], 1);
    bus.run(2000, all('answered'));
    expect(bus.asked.map(({ atMs, unit, names }) => [atMs, unit, names])).toEqual([
      [0, 0, 'r0'],
      [20, 0, 'r1'],
      [40, 1, 'r0'],
      [500, 1, 'r0'],
      [1000, 0, 'r0'],
      [1020, 0, 'r1'],
      [1040, 1, 'r0'],
      [1500, 1, 'r0'],
    ]);
    expect(bus.given('finish')).toHaveLength(6);
  });

  test('does not make up for polls that it has missed', () => {
    const bus = new ScriptedBus([unitOf(50, 4)], 0);
    bus.run(1000, all('answered'));
    // A poll takes 80 ms, so that every second one is missed.
    expect(bus.timesOf(0).filter((_, index) => index % 4 === 0)).toEqual([
      0, 100, 200, 300, 400, 500, 600, 700, 800, 900,
    ]);
  });

  test('repeats what was not answered, after all that has become due, and gives up after the retries', () => {
    const bus = new ScriptedBus([unitOf(10_000, 1), unitOf(10_000, 1)], 2);
    bus.run(2000, ({ unit }) => (unit === 0 ? 'failed' : 'answered'));
    expect(bus.asked.map(({ unit }) => unit)).toEqual([0, 1, 0, 0]);
    expect(bus.given('give-up')).toMatchObject([{ unit: 0 }]);
    expect(bus.given('finish')).toMatchObject([
      { unit: 1, isSilent: false },
      { unit: 0, isSilent: true },
    ]);
  });

  test('asks a silent unit once a time, more and more seldom up to a minute, and all again once it answers', () => {
    const bus = new ScriptedBus([unitOf(1000, 3)], 1);
    bus.run(400_000, all('failed'));
    const times = bus.timesOf(0);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    const expected = [500, 2500, 4500, 8500, 16_500, 32_500, 60_500, 60_500];
    expect(gaps.slice(0, expected.length)).toEqual(expected);
    const silentAsks = bus.asked.length;
    bus.run(bus.nowMs + 70_000, all('answered'));
    const after = bus.asked.slice(silentAsks);
    expect(new Set(after.slice(0, 3).map(({ names }) => names))).toEqual(new Set(['r0', 'r1', 'r2']));
    const [first, , , fourth] = after;
    expect((fourth?.atMs ?? 0) - (first?.atMs ?? 0)).toBe(1000);
  });

  test('a silent unit costs the others one timeout at a time at most', () => {
    const bus = new ScriptedBus([unitOf(1000, 8), unitOf(1000, 1)], 3);
    bus.run(120_000, ({ unit }) => (unit === 0 ? 'failed' : 'answered'));
    const lateness = bus.timesOf(1).map((atMs) => atMs % 1000);
    expect(Math.max(...lateness)).toBeLessThanOrEqual(TIMEOUT_MS);
    expect(bus.timesOf(1)).toHaveLength(120);
  });

  test('a request that a device never answers is not taken for its silence', () => {
    const bus = new ScriptedBus([unitOf(10_000, 3)], 1);
    bus.run(100_000, ({ names }) => (names === 'r0' ? 'failed' : 'answered'));
    const silent = bus.given('finish').map((command) => command.kind === 'finish' && command.isSilent);
    expect(silent.slice(0, 4)).toEqual([true, false, false, false]);
    // It costs one timeout in each poll, without retries.
    const ofPoll = bus.asked.filter(({ atMs }) => atMs >= 40_000 && atMs < 60_000).map(({ names }) => names);
    expect(ofPoll.filter((names) => names === 'r0')).toHaveLength(
      ofPoll.filter((names) => names === 'r1').length,
    );
  });

  test('finds the one register that a device does not have, and reads the others from then on', () => {
    const registers = Array.from({ length: 8 }, (_, at) => register({ name: `r${at}`, address: at }));
    const bus = new ScriptedBus([{ device: 1, intervalMs: 1000, reads: planReads(registers) }], 1);
    bus.run(2500, ({ names }) => (names.split(' ').includes('r5') ? 'address-refused' : 'answered'));
    const givenUp = bus.given('give-up');
    expect(givenUp).toHaveLength(3);
    for (const command of givenUp)
      expect(command).toMatchObject({ read: { registers: [{ name: 'r5' }], address: 5, count: 1 } });
    const firstPoll = bus.asked.filter(({ atMs }) => atMs < 1000).map(({ names }) => names);
    expect(firstPoll).toEqual([
      'r0 r1 r2 r3 r4 r5 r6 r7',
      'r0 r1 r2 r3',
      'r4 r5 r6 r7',
      'r4 r5',
      'r4',
      'r5',
      'r6 r7',
    ]);
    const secondPoll = bus.asked.filter(({ atMs }) => atMs >= 1000 && atMs < 2000).map(({ names }) => names);
    expect(secondPoll).toEqual(['r0 r1 r2 r3', 'r4', 'r5', 'r6 r7']);
  });

  test('asks a device that may answer late for nothing else, and the others meanwhile', () => {
    const [meter, sameDevice, other] = [unitOf(10_000, 2, 1), unitOf(10_000, 1, 1), unitOf(1000, 1, 2)];
    const bus = new ScriptedBus([meter, sameDevice, other], 1, 1000);
    let failures = 1;
    bus.run(5000, ({ unit }) => (unit === 0 && failures-- > 0 ? 'failed' : 'answered'));
    expect(bus.asked.map(({ atMs, unit, names }) => [atMs, unit, names])).toEqual([
      [0, 0, 'r0'],
      [500, 2, 'r0'],
      // The same again, which a late answer would be right for.
      [520, 0, 'r0'],
      [1000, 2, 'r0'],
      // Asked twice, so that a second answer may come.
      [1540, 1, 'r0'],
      [1560, 0, 'r1'],
      [2000, 2, 'r0'],
      [3000, 2, 'r0'],
      [4000, 2, 'r0'],
    ]);
  });

  test('a unit that is asked for one thing only is not held, and goes on in its interval after a failure', () => {
    const bus = new ScriptedBus([unitOf(1000, 1), unitOf(600, 2, 2)], 1, 1000);
    let failures = 1;
    bus.run(3500, ({ unit }) => (unit === 0 && failures-- > 0 ? 'failed' : 'answered'));
    expect(bus.timesOf(0)).toEqual([0, 540, 1000, 2000, 3000]);
  });

  test('who fails again and again lets the others of its device have their turns', () => {
    for (const retries of [0, 1]) {
      const bus = new ScriptedBus([unitOf(50, 1), unitOf(50, 1), unitOf(50, 2)], retries, 1000);
      bus.run(60_000, ({ unit }) => (unit === 0 ? 'failed' : 'answered'));
      for (const unit of [1, 2]) {
        const times = bus.timesOf(unit);
        const gaps = times.map((atMs, index) => atMs - (times[index - 1] ?? 0));
        // A timeout for each attempt, the time for which the device is held, and the turns of the others.
        const turnsMs = 50 + 3 * ANSWER_MS;
        expect(Math.max(...gaps)).toBeLessThanOrEqual(TIMEOUT_MS * (1 + retries) + 1000 + turnsMs);
      }
    }
  });

  test.each([
    ['another device, where answers cannot be mistaken', 2, 0],
    ['the same device, where they can', 1, 1000],
    ['another device, where they can', 2, 1000],
  ])('a unit most of whose reads fail costs %s one of them at a time', (_, device, holdMs) => {
    const bus = new ScriptedBus([unitOf(1000, 20, 1), unitOf(1000, 1, device)], 1, holdMs);
    bus.run(300_000, ({ unit, names }) => (unit === 0 && names !== 'r0' ? 'failed' : 'answered'));
    const times = bus.timesOf(1);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1000 + 2 * TIMEOUT_MS + holdMs + 3 * ANSWER_MS);
    // All of them are asked for all the same.
    expect(new Set(bus.asked.map(({ names }) => names)).size).toBe(20);
  });

  test('sleeps where there is no unit at all', () => {
    const step = stepSchedule(startSchedule([], { retries: 1, holdMs: 1000 }, 0), { kind: 'woke', nowMs: 0 });
    expect(step.next).toEqual({ kind: 'sleep', ms: limits.modbusIntervalMsMax });
  });

  test('whatever the devices do, each poll ends, and each of its reads is answered or given up', () => {
    const unit = fc.record({
      intervalMs: fc.integer({ min: 50, max: 5000 }),
      reads: fc.integer({ min: 1, max: 5 }),
      device: fc.integer({ min: 1, max: 3 }),
    });
    const outcome = fc.constantFrom<Outcome>('answered', 'address-refused', 'refused', 'failed');
    fc.assert(
      fc.property(
        fc.array(unit, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: 3 }),
        fc.constantFrom(0, 1000),
        fc.infiniteStream(outcome),
        (units, retries, holdMs, outcomes) => {
          const bus = new ScriptedBus(
            units.map(({ intervalMs, reads, device }) => unitOf(intervalMs, reads, device)),
            retries,
            holdMs,
          );
          const ended = units.map(() => new Set<string>());
          const nameOf = ({ registers }: PlannedRead): string => registers.map(({ name }) => name).join(' ');
          bus.onCommand = (command) => {
            if (command.kind === 'give-up') ended[command.unit]?.add(nameOf(command.read));
            if (command.kind !== 'finish') return;
            expect(ended[command.unit]?.size).toBe(command.isSilent ? 1 : units[command.unit]?.reads);
            ended[command.unit]?.clear();
          };
          bus.run(600_000, ({ unit, names }) => {
            const outcome = outcomes.next().value;
            if (outcome === 'answered') ended[unit]?.add(names);
            return outcome;
          });
          const attemptsMs = TIMEOUT_MS * (1 + retries) + holdMs;
          const turnsMs = units.reduce((sumMs, { reads }) => sumMs + reads * attemptsMs, 0);
          for (const index of units.keys()) {
            const times = [0, ...bus.timesOf(index), bus.nowMs];
            const gaps = times.slice(1).map((atMs, before) => atMs - (times[before] ?? 0));
            expect(Math.max(...gaps)).toBeLessThanOrEqual(limits.modbusSilentMsMax + turnsMs);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
