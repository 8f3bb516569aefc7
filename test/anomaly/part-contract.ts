import { isDeepStrictEqual } from 'node:util';
import type { Finding } from '../../src/anomaly/detection/finding.ts';
import type { DetectionPart } from '../../src/anomaly/detection/part.ts';
import { noHints, type Reading } from '../../src/anomaly/detection/reading.ts';
import { newSeriesState, type SeriesState } from '../../src/anomaly/detection/series-state.ts';
import { limits } from '../../src/core/limits.ts';

/** The part's numbers lie between those of others, which have this value. */
const OTHERS = 7;
const at = { doubles: 2, floats: 3 };

type Found = readonly (readonly Finding[])[];

function freshState(part: DetectionPart): SeriesState {
  const { doubles, floats } = part.size;
  const state = newSeriesState({ doubles: doubles + 2 * at.doubles, floats: floats + 2 * at.floats });
  state.doubles.fill(OTHERS);
  state.floats.fill(OTHERS);
  part.reset(state, at);
  return state;
}

function run(part: DetectionPart, state: SeriesState, readings: readonly Reading[]): Found {
  return readings.map((reading) => part.observe(state, at, reading, noHints));
}

function isUntouched({ doubles, floats }: SeriesState, { size }: DetectionPart): boolean {
  const around = [
    ...doubles.subarray(0, at.doubles),
    ...doubles.subarray(at.doubles + size.doubles),
    ...floats.subarray(0, at.floats),
    ...floats.subarray(at.floats + size.floats),
  ];
  return around.every((value) => value === OTHERS);
}

function isPresentable({ severity, score, expected, words }: Finding): boolean {
  const numbers = [
    severity,
    score,
    ...(expected === null ? [] : [expected.value, expected.low, expected.high]),
  ];
  return (
    numbers.every(Number.isFinite) &&
    severity >= 1 &&
    severity <= 1000 &&
    words.length >= 1 &&
    words.length <= limits.alertWordsMax &&
    words.every((text) => text !== '' && Buffer.byteLength(text) <= limits.alertWordsBytesMax)
  );
}

/** Whether it finds the same when its state goes through a file at a reading, with another series in between. */
function isTheSameAfter(
  part: DetectionPart,
  readings: readonly Reading[],
  cut: number,
  found: Found,
): boolean {
  const before = freshState(part);
  const first = run(part, before, readings.slice(0, cut));
  const after = freshState(part);
  run(part, freshState(part), readings.slice(0, 50));
  after.bytes.set(before.bytes);
  return isDeepStrictEqual([...first, ...run(part, after, readings.slice(cut))], found);
}

/** What a part of the detection does against the contract of all parts, on these readings; restarts at these of them. */
export function contractViolations(
  part: DetectionPart,
  readings: readonly Reading[],
  cuts: readonly number[],
): string[] {
  const state = freshState(part);
  let found: Found;
  try {
    found = run(part, state, readings);
  } catch (error) {
    return [`throws: ${error}`];
  }
  const quiet = new Set(found.filter(({ length }) => length === 0));
  const violations: string[] = [];
  if (quiet.size > 1 || ![...quiet].every(Object.isFrozen)) violations.push('allocates where all is well');
  if (!found.flat().every(isPresentable)) violations.push('finds what cannot be told');
  if (!isUntouched(state, part)) violations.push('writes where the numbers of others are');
  for (const cut of cuts) {
    if (!isTheSameAfter(part, readings, cut, found))
      violations.push('keeps something outside of the state of the series');
  }
  return [...new Set(violations)];
}
