import type { DatedReading } from './recording.ts';

/** Where a plot begins and ends, and how many characters it takes. */
export interface PlotArea {
  readonly fromMs: number;
  readonly toMs: number;
  readonly low: number;
  readonly high: number;
  readonly columns: number;
  readonly rows: number;
}

const dotsAcross = 2;
const dotsDown = 4;
/** A character of U+2800 has eight dots: bits by column, from the top. */
const dots = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;
const emptyCharacter = 0x2800;

interface Span {
  readonly low: number;
  readonly high: number;
}

/**
 * Draws readings as lines of braille characters, the top one first. Where several fall on a column of dots it shows all that lies between the
 * lowest and the highest of them.
 */
export function braillePlot(readings: Iterable<DatedReading>, area: PlotArea): readonly string[] {
  const { columns, rows } = area;
  const cells = Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
  const height = rows * dotsDown;
  for (const [x, { low, high }] of spansOf(readings, area)) {
    for (let y = height - 1 - high; y <= height - 1 - low; y += 1) {
      const row = cells[Math.floor(y / dotsDown)];
      const column = Math.floor(x / dotsAcross);
      if (row !== undefined) row[column] = (row[column] ?? 0) | (dots[x % dotsAcross]?.[y % dotsDown] ?? 0);
    }
  }
  return cells.map((row) => String.fromCodePoint(...row.map((bits) => emptyCharacter + bits)));
}

/** Which dots each column of dots shows, counted from the bottom. */
function spansOf(readings: Iterable<DatedReading>, area: PlotArea): ReadonlyMap<number, Span> {
  const { fromMs, toMs, low, high, columns, rows } = area;
  const spans = new Map<number, Span>();
  for (const { timeMs, value } of readings) {
    const x = Math.round(((timeMs - fromMs) / (toMs - fromMs)) * (columns * dotsAcross - 1));
    const y = Math.round(((value - low) / (high - low)) * (rows * dotsDown - 1));
    const span = spans.get(x) ?? { low: y, high: y };
    spans.set(x, { low: Math.min(span.low, y), high: Math.max(span.high, y) });
  }
  return new Map([...spans].map(([x, span]) => [x, joined(span, spans.get(x - 1))]));
}

/** A span that reaches to that of the column before it, as a line would. */
function joined({ low, high }: Span, before: Span | undefined): Span {
  if (before === undefined) return { low, high };
  return { low: Math.min(low, before.high + 1), high: Math.max(high, before.low - 1) };
}

/** The column of a plot in which a moment lies. */
export function columnOf(timeMs: number, { fromMs, toMs, columns }: PlotArea): number {
  const column = Math.floor(((timeMs - fromMs) / (toMs - fromMs)) * columns);
  return Math.min(Math.max(column, 0), columns - 1);
}
