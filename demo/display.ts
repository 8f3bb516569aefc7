import type { WriteStream } from 'node:tty';
import type { AlertEvent } from './anomaly-feed.ts';
import { alertLine, heading, plotLines, screen, screenMin } from './screen.ts';
import { countText, type Line, lineText, momentText } from './styled-text.ts';
import type { View } from './view.ts';

/** Where the demo is watched. */
export interface Display {
  /** Shows how it is now. */
  update(view: View): void;
  /** Something was found. */
  found(event: AlertEvent): void;
  /** Shows how it was at the end, to stay; further output comes below it. */
  finish(view: View): void;
}

const control = '\u001b[';
const hideCursor = `${control}?25l`;
const showCursor = `${control}?25h`;
const eraseBelow = `${control}J`;
const eraseRestOfLine = `${control}K`;
/** Terminals that know them show what is between them at once; others do nothing. */
const beginFrame = `${control}?2026h`;
const endFrame = `${control}?2026l`;

/** A picture that is drawn over again and again; as lines of text where there is no terminal, or too small a one. */
export function displayOn(stream: WriteStream): Display {
  const isLarge = stream.columns >= screenMin.columns && stream.rows >= screenMin.rows;
  const isScreen = stream.isTTY === true && process.env['TERM'] !== 'dumb' && isLarge;
  return isScreen ? new ScreenDisplay(stream) : new LineDisplay(stream);
}

class ScreenDisplay implements Display {
  readonly #stream: WriteStream;
  #drawnRows = 0;

  constructor(stream: WriteStream) {
    this.#stream = stream;
    stream.write(hideCursor);
    // Whatever ends the process.
    process.on('exit', () => stream.write(showCursor));
  }

  update(view: View): void {
    const { columns, rows } = this.#stream;
    this.#draw(screen(view, columns, rows - 1));
  }

  found(): void {}

  finish(view: View): void {
    this.update(view);
    this.#stream.write(showCursor);
    this.#drawnRows = 0;
  }

  #draw(lines: readonly Line[]): void {
    const { columns } = this.#stream;
    const texts = lines.map(
      (line) => `${lineText(line, columns, this.#stream.hasColors())}${eraseRestOfLine}\n`,
    );
    const up = this.#drawnRows === 0 ? '' : `\r${control}${this.#drawnRows}A`;
    this.#stream.write(`${beginFrame}${up}${texts.join('')}${eraseBelow}${endFrame}`);
    this.#drawnRows = lines.length;
  }
}

/** How often a line says how far it is, and the size of the plot. */
const tenths = 10;
const plotColumns = 80;
const plotRows = 10;

class LineDisplay implements Display {
  readonly #stream: WriteStream;
  #tenthsTold = -1;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  update(view: View): void {
    const { recording, replayed, messagesPerSecond, linesPerSecond, stored } = view;
    const reached = Math.floor((tenths * replayed) / recording.length);
    if (reached === this.#tenthsTold) return;
    if (this.#tenthsTold === -1) for (const line of heading(view)) this.#print(line);
    this.#tenthsTold = reached;
    this.#print([
      `${momentText(recording[Math.max(0, replayed - 1)]?.timeMs ?? 0)}  ${reached * tenths} % replayed; ` +
        `${countText(messagesPerSecond)} messages/s and ${countText(linesPerSecond)} lines/s arrive; ` +
        `${countText(stored.readings)} readings are stored in ${countText(stored.commits)} synced commits`,
    ]);
  }

  found(event: AlertEvent): void {
    this.#print(alertLine(event));
  }

  finish(view: View): void {
    this.update(view);
    const columns = Math.min(this.#stream.columns ?? plotColumns, plotColumns);
    this.#print([]);
    for (const line of plotLines(view, columns, plotRows)) this.#print(line);
  }

  #print(line: Line): void {
    const hasColors = this.#stream.isTTY === true && this.#stream.hasColors();
    this.#stream.write(`${lineText(line, Number.POSITIVE_INFINITY, hasColors)}\n`);
  }
}
