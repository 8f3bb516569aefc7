import type { Result } from '../result.ts';

export interface PartOptions {
  /** The longest that one figure is measured, where time is what bounds it. */
  readonly seconds: number;
  /** Figures are medians of so many runs. */
  readonly repeat: number;
  /** How much the part `reopen` stores. */
  readonly storedGb: number;
}

export type Part = (options: PartOptions) => Promise<Result>;

/** What design and issue ask for, beside what was measured. */
export interface Goal {
  readonly goal: string;
  readonly got: string;
  readonly isMet: boolean;
}

/** Prints goals and broken promises, and makes the result of a part of them. */
export function partResult(
  figures: Readonly<Record<string, number>>,
  goals: readonly Goal[],
  broken: readonly string[] = [],
): Result {
  const lines = goals.map(({ goal, got, isMet }) => `goal ${goal}, got ${got}${isMet ? '' : ': MISSED'}`);
  for (const line of lines) console.log(line);
  for (const promise of broken) console.error(`BROKEN: ${promise}`);
  return { summary: lines.join('; '), broken, figures };
}

/** Prints rows below their headings, the first column to the left and numbers to the right. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of [headings, ...rows]) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    console.log(cells.join('  '));
  }
}
