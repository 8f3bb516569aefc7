import { durationText } from '../../core/duration.ts';
import type { Expected, Finding, FindingKind } from '../detection/finding.ts';

/** A number for people: four significant digits, and none is lost before the point; at most ten characters. */
export function inWords(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9 || (size > 0 && size < 1e-4)) return value.toExponential(2);
  if (size >= 1000) return String(Math.round(value));
  return String(Number(value.toPrecision(4)));
}

/** A duration for people. */
export function timeInWords(durationMs: number): string {
  return durationMs < 1000 ? `${Math.round(durationMs)} ms` : durationText(durationMs / 1000);
}

/** What a rule has found: what it saw, then what was usual. Its score is 1, and how rare it is nobody knows. */
export function faultFinding(
  kind: FindingKind,
  severity: number,
  words: readonly string[],
  { expected = null, isWarmingUp = false }: { expected?: Expected | null; isWarmingUp?: boolean } = {},
): Finding {
  return { kind, severity, score: 1, expected, rarity: null, words, isWarmingUp };
}
