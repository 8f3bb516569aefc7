import type { Expected, Finding, FindingKind } from '../detection/finding.ts';

/** A number as a person reads it: four significant digits, no digits lost before the point. */
export function inWords(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return value.toExponential(3);
  if (size >= 1000) return String(Math.round(value));
  return String(Number(value.toPrecision(4)));
}

const units: readonly (readonly [string, number])[] = [
  ['days', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
];

/** A duration in the largest unit of which it has two or more. */
export function durationInWords(durationMs: number): string {
  for (const [unit, unitMs] of units) {
    if (durationMs >= 2 * unitMs) return `${inWords(durationMs / unitMs)} ${unit}`;
  }
  return `${inWords(durationMs)} ms`;
}

/** A finding of a rule: its score is 1, and how rare it is nobody knows. */
export function faultFinding(
  kind: FindingKind,
  severity: number,
  expected: Expected | null,
  isWarmingUp: boolean,
  words: string,
): Finding {
  return { kind, severity, score: 1, expected, rarity: null, words: [words], isWarmingUp };
}
