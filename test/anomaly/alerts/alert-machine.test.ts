import { expect, test } from 'vitest';
import { alertDelays } from '../../../src/anomaly/alerts/alert-delays.ts';
import { type AlertEvent, type AlertLife, stepAlert } from '../../../src/anomaly/alerts/alert-machine.ts';
import { type FindingKind, findingKinds } from '../../../src/anomaly/detection/finding.ts';
import { findingOf, hall, readingAt } from './alert-examples.ts';

type Word = '!' | '.' | '!!' | 'ack' | 'shelve' | 'unshelve' | 'over' | 'held' | `+${number}`;

/**
 * What becomes of an alert, in a line: `!` a reading at which it is found, `!!` worse, `.` one at which it is not, `+60` that so
 * many seconds pass without one, `over` that it ends, `held` that another one stands for it. Each is followed by what is told.
 */
function transcript(kind: FindingKind, script: string): string {
  let life: AlertLife | null = null;
  let timeMs = 0;
  let offset = 0;
  const lines = (script.split(' ') as Word[]).map((word) => {
    const event = eventOf(word, kind, () => {
      offset += 1;
      return readingAt(offset).timeMs + timeMs;
    });
    if (word.startsWith('+')) timeMs += Number(word) * 1000;
    const late = word.startsWith('+') ? { ...event, nowMs: readingAt(offset).timeMs + timeMs } : event;
    const next = stepAlert(life, late as AlertEvent);
    life = next.life;
    const told = next.told.map(({ change, alert: { suppressed } }) => `${change}/${suppressed}`).join(',');
    return `${word}${told === '' ? '' : `[${told}]`}`;
  });
  return `${lines.join(' ')} → ${(life as AlertLife | null)?.alert.state ?? 'normal'}`;

  function eventOf(word: Word, of: FindingKind, nextMs: () => number): AlertEvent {
    const nowMs = readingAt(offset).timeMs + timeMs;
    switch (word) {
      case '!':
      case '!!': {
        const reading = { timeMs: nextMs(), value: 9000, offset };
        const finding = findingOf(of, { severity: word === '!' ? 600 : 900 });
        return {
          type: 'found',
          subject: hall,
          model: null,
          reading,
          timeMs: reading.timeMs,
          finding,
          standsFor: 0,
        };
      }
      case '.':
        return { type: 'quiet', timeMs: nextMs() };
      case 'ack':
        return { type: 'acknowledge', nowMs, by: 'anna' };
      case 'shelve':
        return { type: 'shelve', nowMs, untilMs: nowMs + 600_000 };
      case 'unshelve':
        return { type: 'unshelve', nowMs };
      case 'over':
        return { type: 'ended', nowMs };
      case 'held':
        return { type: 'suppressed', nowMs };
      default:
        return { type: 'time', nowMs };
    }
  }
}

test.each<[FindingKind, string]>([
  // At once; cleared after three quiet readings, of which the first is a minute old.
  ['spike', '![raised/0] . . . . . . .[cleared/0] → normal'],
  ['sentinel', '![raised/0] ! ! . ! . . . . . . .[cleared/1] → normal'],
  ['out-of-range', '![raised/0] . . +60 .[cleared/0] → normal'],
  // Time alone clears nothing: a silent sensor is not a sound one.
  ['stuck', '![raised/0] +600 → active'],
  ['stuck', '![raised/0] . . . +600 → clearing'],
  ['stuck', '![raised/0] . +600 . → clearing'],
  // The learned views are slow to become calm.
  ['unusual', '![raised/0] . . . . . . . . . .[cleared/0] → normal'],
  // Three of five, and ten seconds.
  ['drift', '! . . . . → pending'],
  ['drift', '! . . . . . → normal'],
  ['drift', '! . ! . ![raised/0] → active'],
  ['drift', '! ! . . ![raised/0] → active'],
  ['noise-up', '! ! . . . . ! ! → pending'],
  ['duplicate', '! . . . . . . . ! . . . . ![raised/0] → active'],
  // A silence ends with the first reading.
  ['silence', '![raised/0] .[cleared/0] → normal'],
])('%s: %s', (kind, expected) => {
  const script = expected.replaceAll(/\[[^\]]*\]| → .*/g, '');
  expect(transcript(kind, script)).toBe(expected);
});

test.each<[string, string]>([
  ['is told once, whatever comes after', '![raised/0] ack[acknowledged/0] ack ! +60 ack → active'],
  ['is not asked of what is pending or over', 'ack +1 → normal'],
])('an acknowledgement %s', (_, expected) => {
  expect(transcript('spike', expected.replaceAll(/\[[^\]]*\]| → .*/g, ''))).toBe(expected);
});

test.each<[string, string]>([
  ['comes back with the time', '![raised/0] shelve[shelved/0] +599 +1[unshelved/0] → active'],
  [
    'comes back when somebody says so',
    '![raised/0] shelve[shelved/0] unshelve[unshelved/0] unshelve → active',
  ],
  [
    'is told to be cleared, since it was told as raised',
    '![raised/0] shelve[shelved/0] over[cleared/0] → cleared',
  ],
  ['is not told when it is raised anew', '![raised/0] shelve[shelved/0] over[cleared/0] ! over → cleared'],
  [
    'is told as raised if it is still there at the end',
    '![raised/0] shelve[shelved/0] over[cleared/0] ! +600[raised/0] over[cleared/0] → normal',
  ],
  ['that is over leaves nothing', '![raised/0] shelve[shelved/0] over[cleared/0] +600[unshelved/0] → normal'],
])('a shelved alert %s', (_, expected) => {
  expect(transcript('spike', expected.replaceAll(/\[[^\]]*\]| → .*/g, ''))).toBe(expected);
});

test('an alert that another one stands for is closed as suppressed, and raised again under its id', () => {
  expect(transcript('silence', '! held')).toBe('![raised/0] held[suppressed/0] → normal');
  const found = {
    type: 'found',
    subject: hall,
    model: null,
    reading: { ...readingAt(7), value: null },
    timeMs: 5_000_000,
    finding: findingOf('silence', { expected: null }),
    standsFor: 0,
  } as const;
  const first = stepAlert(null, found);
  const back = stepAlert(null, { ...found, timeMs: 6_000_000 });
  expect(back.told[0]?.alert.id).toBe(first.told[0]?.alert.id);
  expect(back.told[0]?.alert).toMatchObject({ startedMs: readingAt(7).timeMs, detectedMs: 6_000_000 });
});

test('an alert keeps the worst of its readings, and is the same life while nothing changes', () => {
  const found = (severity: number, value: number) =>
    ({
      type: 'found',
      subject: hall,
      model: null,
      reading: readingAt(2, value),
      timeMs: readingAt(2).timeMs,
      finding: findingOf('spike', { severity }),
      standsFor: 0,
    }) as const;
  const { life } = stepAlert(null, found(500, 3000));
  expect(stepAlert(life, found(500, 4000)).life).toBe(life);
  const worse = stepAlert(life, found(2000, 9000)).life;
  expect(worse?.alert).toMatchObject({ severity: 1000, value: 9000, state: 'active' });
  expect(stepAlert(worse, found(2000, 9500)).life).toBe(worse);
});

test('a clock that is set back does not keep an alert from being cleared', () => {
  const raised = stepAlert(null, {
    type: 'found',
    subject: hall,
    model: null,
    reading: { timeMs: 9_000_000_000, value: 1, offset: 1 },
    timeMs: 9_000_000_000,
    finding: findingOf('spike'),
    standsFor: 0,
  });
  const times = [9_000_001_000, 1000, 40_000, 61_000];
  const end = times.reduce((step, timeMs) => stepAlert(step.life, { type: 'quiet', timeMs }), raised);
  expect(end.told.map(({ change }) => change)).toEqual(['cleared']);
});

test('the delays of each kind can be kept', () => {
  for (const kind of findingKinds) {
    const { onReadings, ofReadings, offReadings } = alertDelays[kind];
    expect(onReadings, kind).toBeLessThanOrEqual(ofReadings);
    expect(ofReadings, kind).toBeLessThanOrEqual(32);
    expect(offReadings, kind).toBeGreaterThan(0);
  }
});
