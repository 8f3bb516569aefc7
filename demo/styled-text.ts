import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Text in one style. */
export interface Piece {
  readonly text: string;
  readonly style?: Style;
}

/** A line of pieces, each of characters that take one cell. */
export type Line = readonly (Piece | string)[];

/** The text of a line as a terminal shows it, cut at so many columns. */
export function lineText(line: Line, columns: number, hasColors: boolean): string {
  let left = columns;
  const texts: string[] = [];
  for (const piece of line) {
    const { text, style } = typeof piece === 'string' ? { text: piece, style: undefined } : piece;
    const shown = cut(text, left);
    left -= [...shown].length;
    texts.push(
      style === undefined || !hasColors ? shown : styleText(style, shown, { validateStream: false }),
    );
  }
  return texts.join('');
}

function cut(text: string, columns: number): string {
  const characters = [...text];
  if (characters.length <= columns) return text;
  return columns <= 0 ? '' : `${characters.slice(0, columns - 1).join('')}…`;
}

/** Text as lines of words, of so many columns at most; a longer word gets a line of its own. */
export function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** `2014-02-08 14:30` */
export const momentText = (timeMs: number): string =>
  new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ');

/** `22,695` */
export const countText = (count: number): string => count.toLocaleString('en-US');
