import { expect, test } from 'vitest';
import { AlertTracker } from '../../bench/eval/alert-tracker.ts';
import type { Finding, FindingKind } from '../../src/anomaly/detection/finding.ts';

const finding = (kind: FindingKind): Finding => ({
  kind,
  severity: 500,
  score: 1,
  expected: null,
  rarity: null,
  words: [],
  isWarmingUp: false,
});

/** A reading a minute, at which kinds are found: which alerts are raised at which of them. */
function raisedBy(tracker: AlertTracker, found: readonly (readonly FindingKind[])[]) {
  return found.flatMap((kinds, minute) => {
    const reading = { timeMs: minute * 60_000, value: 20, sourceTimeMs: null };
    return [...tracker.observe(reading, kinds.map(finding))].map((kind) => `${minute} ${kind}`);
  });
}

test('what is found at one reading after the other is one alert', () => {
  const found = [[], ['stuck'], ['stuck'], ['stuck'], []] as const;
  expect(raisedBy(new AlertTracker(), found)).toEqual(['1 stuck']);
});

test('what is found again after it was quiet for long enough is another', () => {
  const found = [['stuck'], [], [], [], [], [], ['stuck']] as const;
  expect(raisedBy(new AlertTracker(), found)).toEqual(['0 stuck', '6 stuck']);
});

test('what has to be seen a few times is raised only then', () => {
  const found = [['drift'], [], [], [], [], [], ['drift'], ['drift'], [], ['drift']] as const;
  expect(raisedBy(new AlertTracker(), found)).toEqual(['9 drift']);
});

test('each kind has its own alert', () => {
  expect(raisedBy(new AlertTracker(), [['stuck'], ['stuck', 'spike']])).toEqual(['0 stuck', '1 spike']);
});

test('a copy knows what is open, and goes on by itself', () => {
  const tracker = new AlertTracker();
  raisedBy(tracker, [['stuck']]);
  const copy = tracker.copy();
  expect(raisedBy(copy, [['stuck'], [], [], [], [], []])).toEqual([]);
  expect(raisedBy(tracker, [['stuck']])).toEqual([]);
  expect(raisedBy(copy, [['stuck']])).toEqual(['0 stuck']);
});
