import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ClockReading } from '../../src/core/clock.ts';
import { limits } from '../../src/core/limits.ts';
import { clockEpochEntry, readClockEpochEntry } from '../../src/log/clock/clock-entry.ts';
import { type ClockEpoch, isSetAt, nextEpoch } from '../../src/log/clock/clock-epoch.ts';
import { ClockEpochs } from '../../src/log/clock/clock-epochs.ts';
import { newestMs } from '../../src/log/clock/segment-time.ts';
import { SimMachine } from '../support/sim-machine.ts';

const boot = 'ab'.repeat(16);
const otherBoot = 'cd'.repeat(16);

const reading = (wallMs: number, more: Partial<ClockReading> = {}): ClockReading => ({
  wallMs,
  monotonicMs: 500.25,
  bootId: boot,
  isSet: false,
  ...more,
});

const epoch = (ordinal: number, more: Partial<ClockEpoch> = {}): ClockEpoch => ({
  ordinal,
  bootId: boot,
  settingMs: 1000 * ordinal,
  startedMs: ordinal,
  isSet: false,
  shiftMs: null,
  isTold: true,
  ...more,
});
const setEpoch = (ordinal: number, more: Partial<ClockEpoch> = {}): ClockEpoch =>
  epoch(ordinal, { isSet: true, shiftMs: 0, ...more });

const id = { topicNumber: 1, partition: 0 };
const enter = (epochs: ClockEpochs, one: ClockEpoch): void => epochs.enter({ ...one, starts: [] });

describe('a clock epoch', () => {
  const current = nextEpoch(undefined, reading(10_000));

  test('is the first one when there is none', () => {
    expect(current).toEqual({
      ordinal: 1,
      bootId: boot,
      settingMs: 9500,
      startedMs: 500,
      isSet: false,
      shiftMs: null,
      isTold: false,
    });
  });

  test.each<[string, ClockReading, Partial<ClockEpoch> | null]>([
    ['time passes', reading(17_000, { monotonicMs: 7500 }), null],
    ['the clocks differ by less than a jump', reading(10_000 + limits.clockJumpMsMin - 1), null],
    ['the wall clock jumps ahead', reading(10_000 + limits.clockJumpMsMin), { ordinal: 2, settingMs: 9600 }],
    ['the wall clock jumps back', reading(10_000 - limits.clockJumpMsMin), { ordinal: 2, settingMs: 9400 }],
    ['the clock is set to what it was', reading(10_000, { isSet: true }), { isSet: true, shiftMs: 0 }],
    ['the machine starts anew', reading(10_000, { bootId: otherBoot }), { ordinal: 2, bootId: otherBoot }],
  ])('when %s', (_, now, expected) => {
    const next = nextEpoch(current ?? undefined, now);
    if (expected === null) expect(next).toBeNull();
    else expect(next).toMatchObject(expected);
  });

  test('stays set until the machine starts anew, though the time server is lost', () => {
    const set = setEpoch(1, { settingMs: 9500 });
    expect(nextEpoch(set, reading(10_000))).toBeNull();
    expect(nextEpoch(set, reading(20_000))).toMatchObject({ isSet: true });
    expect(nextEpoch(set, reading(10_000, { bootId: otherBoot }))).toMatchObject({ isSet: false });
    expect([set, undefined].map((one) => isSetAt(one ?? undefined, reading(20_000)))).toEqual([true, false]);
    expect(isSetAt(set ?? undefined, reading(10_000, { bootId: otherBoot }))).toBe(false);
    expect(isSetAt(undefined, reading(10_000, { isSet: true }))).toBe(true);
  });

  test('is the same after it was written and read', () => {
    const starts = [{ id: { topicNumber: 7, partition: 3 }, firstOffset: 2 ** 40 }];
    for (const one of [epoch(1), setEpoch(2), epoch(3, { shiftMs: -5e12, settingMs: -1, isTold: false })])
      expect(readClockEpochEntry(clockEpochEntry({ ...one, starts }))).toEqual({ ...one, starts });
  });
});

describe('the table of clock epochs', () => {
  test('knows what the clock was off, in this start of the machine only, once it is set', () => {
    const epochs = new ClockEpochs();
    enter(epochs, epoch(1, { bootId: otherBoot }));
    epochs.saw(id, 1, 0);
    enter(epochs, epoch(2));
    epochs.saw(id, 2, 10);
    enter(epochs, epoch(3));
    epochs.saw(id, 3, 20);
    expect([0, 10, 25].map((offset) => epochs.at(id, offset)?.shiftMs)).toEqual([null, null, null]);
    expect(epochs.unsettledFrom(id, boot)).toBe(10);
    enter(epochs, setEpoch(4));
    epochs.saw(id, 4, 30);
    // Set again: what was known stays.
    enter(epochs, setEpoch(5));
    expect([0, 10, 25, 30].map((offset) => epochs.at(id, offset)?.shiftMs)).toEqual([null, 2000, 1000, 0]);
    expect(epochs.unsettledFrom(id, boot)).toBeNull();
  });

  test('keeps a shift that is known when something else becomes known of the epoch', () => {
    const epochs = new ClockEpochs();
    enter(epochs, epoch(1, { isTold: false }));
    epochs.saw(id, 1, 0);
    enter(epochs, setEpoch(2));
    enter(epochs, epoch(1, { isTold: true }));
    expect(epochs.at(id, 0)).toMatchObject({ isTold: true, shiftMs: 1000 });
  });

  test('does not take records for those of an older epoch when the medium took the beginning of theirs', () => {
    const epochs = new ClockEpochs();
    enter(epochs, epoch(1));
    epochs.saw(id, 1, 0);
    epochs.saw(id, 2, 10);
    enter(epochs, setEpoch(3));
    epochs.saw(id, 3, 20);
    expect([0, 10, 20].map((offset) => epochs.at(id, offset)?.shiftMs)).toEqual([2000, null, 0]);
    expect(epochs.unsettledFrom(id, boot)).toBeNull();
  });

  test('forgets epochs whose records are gone, but not the newest one, nor one that is to be told', () => {
    const epochs = new ClockEpochs();
    for (const one of [1, 2, 3, 4]) {
      enter(epochs, setEpoch(one, { isTold: one !== 2 }));
      epochs.saw(id, one, one * 10);
    }
    epochs.moveLogStart(id, 39);
    expect(epochs.all().map(({ ordinal }) => ordinal)).toEqual([2, 3, 4]);
    epochs.moveLogStart(id, 100);
    expect(epochs.all().map(({ ordinal }) => ordinal)).toEqual([2, 4]);
  });

  test('is bounded: the oldest beginnings are forgotten first', () => {
    const epochs = new ClockEpochs();
    const count = limits.clockEpochStartsMax / 2;
    for (let ordinal = 1; ordinal <= count + 1; ordinal += 1) {
      enter(epochs, setEpoch(ordinal));
      for (const partition of [0, 1]) epochs.saw({ topicNumber: 1, partition }, ordinal, ordinal);
    }
    const starts = [0, 1].map((partition) => epochs.startsOf({ topicNumber: 1, partition }).length);
    expect(starts).toEqual([count, count]);
    expect(epochs.all()).toHaveLength(count);
  });

  test('is the same when it is made of what a snapshot says', () => {
    const events = fc.array(
      fc.oneof(
        fc.record({ enter: fc.boolean(), otherBoot: fc.boolean(), isTold: fc.boolean() }),
        fc.record({ partition: fc.nat(2), records: fc.integer({ min: 1, max: 5 }), isLost: fc.boolean() }),
        fc.record({ partition: fc.nat(2), moveBy: fc.integer({ min: 0, max: 6 }) }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(events, (list) => {
        const epochs = new ClockEpochs();
        const ends = [0, 0, 0];
        let ordinal = 0;
        for (const event of list) {
          if ('enter' in event) {
            ordinal += 1;
            const more = { bootId: event.otherBoot ? otherBoot : boot, isTold: event.isTold };
            enter(epochs, event.enter ? setEpoch(ordinal, more) : epoch(ordinal, more));
          } else if ('records' in event) {
            if (event.isLost) ordinal += 1;
            if (ordinal > 0)
              epochs.saw({ topicNumber: 1, partition: event.partition }, ordinal, ends[event.partition] ?? 0);
            ends[event.partition] = (ends[event.partition] ?? 0) + event.records;
          } else epochs.moveLogStart({ topicNumber: 1, partition: event.partition }, event.moveBy);
        }
        const again = new ClockEpochs();
        for (const entry of epochs.entries()) again.enter(readClockEpochEntry(entry));
        expect(again.all()).toEqual(epochs.all());
        for (const partition of [0, 1, 2])
          expect(again.startsOf({ topicNumber: 1, partition })).toEqual(
            epochs.startsOf({ topicNumber: 1, partition }),
          );
      }),
    );
  });
});

describe('the time of a segment', () => {
  const partition = { id } as Parameters<typeof newestMs>[1];
  const segment = { baseOffset: 0, endOffset: 10, sizeBytes: 1, maxTimestampMs: 5 };

  test('is corrected, or no later than when the clock was set next, or never too old', () => {
    const epochs = new ClockEpochs();
    expect(newestMs(epochs, partition, segment)).toBe(5);
    enter(epochs, epoch(1, { bootId: otherBoot }));
    epochs.saw(id, 1, 0);
    expect(newestMs(epochs, partition, segment)).toBe(Number.POSITIVE_INFINITY);
    enter(epochs, setEpoch(2));
    expect(newestMs(epochs, partition, segment)).toBe(2002);
    enter(epochs, epoch(3));
    epochs.saw(id, 3, 10);
    enter(epochs, setEpoch(4));
    expect(newestMs(epochs, partition, { ...segment, baseOffset: 10, endOffset: 20 })).toBe(1005);
  });
});

test('a simulated machine is as wrong as the boards it stands for', () => {
  const machine = new SimMachine();
  machine.trueMs += 60_000;
  machine.reboot(3_600_000);
  expect(machine.read()).toMatchObject({ wallMs: machine.trueMs - 3_600_000, monotonicMs: 0, isSet: false });
  machine.setClock();
  expect(machine.read()).toMatchObject({ wallMs: machine.trueMs, isSet: true });
});
