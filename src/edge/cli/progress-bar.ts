import { durationText } from '../../core/duration.ts';
import { limits } from '../../core/limits.ts';
import type { Output } from './terminal.ts';

/** A line on a terminal that says how far something is, and how long it will still take. Shows nothing elsewhere. */
export class ProgressBar {
  readonly #output: Output;
  readonly #monotonicMs: () => number;
  readonly #startMs: number;
  #drawnMs = Number.NEGATIVE_INFINITY;

  constructor(output: Output, monotonicMs: () => number) {
    this.#output = output;
    this.#monotonicMs = monotonicMs;
    this.#startMs = monotonicMs();
  }

  /** Draws the line again, if it is time. */
  async show(doneBytes: number, totalBytes: number): Promise<void> {
    const nowMs = this.#monotonicMs();
    if (!this.#output.isTerminal || nowMs - this.#drawnMs < limits.progressIntervalMs) return;
    this.#drawnMs = nowMs;
    await this.#output.write(
      `\r${progressText(doneBytes, totalBytes, nowMs - this.#startMs)}${eraseRestOfLine}`,
    );
  }

  /** Takes the line away. */
  async clear(): Promise<void> {
    if (this.#drawnMs > Number.NEGATIVE_INFINITY) await this.#output.write(`\r${eraseRestOfLine}`);
  }
}

const eraseRestOfLine = '\u001b[K';
const barCells = 24;

/** Bar, percent, bytes and the time left at the rate so far. */
export function progressText(doneBytes: number, totalBytes: number, elapsedMs: number): string {
  const share = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes);
  const cells = Math.floor(share * barCells);
  const bar = `[${'#'.repeat(cells)}${'.'.repeat(barCells - cells)}]`;
  const percent = `${Math.floor(share * 100)}`.padStart(3);
  const bytes = `${mebibytes(doneBytes)} of ${mebibytes(totalBytes)} MiB`;
  const left = doneBytes === 0 ? '' : `, ${durationText((elapsedMs / 1000) * (1 / share - 1))} left`;
  return `${bar} ${percent} %  ${bytes}${left}`;
}

/** Rounded, for people. */
export const mebibytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1);
