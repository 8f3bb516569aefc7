import { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { displayOn } from '../../demo/display.ts';
import { readRecording } from '../../demo/recording.ts';
import type { View } from '../../demo/view.ts';
import { alertAt } from './alert-examples.ts';

const recording = await readRecording();

const viewAt = (share: number): View => ({
  mqtt: '127.0.0.1:4711',
  dataDir: 'folder/data',
  recording,
  replayed: Math.round(share * recording.length),
  messagesPerSecond: 0,
  linesPerSecond: 0,
  stored: { readings: 0, commits: 0, payloadBytes: 0, waiting: 0, series: 0 },
  raised: [],
  labelled: [],
});

interface Shape {
  readonly isTTY: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** What a display writes to a stream of this shape for three views and an alert. */
function written(shape: Shape): string {
  let text = '';
  const stream = new Writable({
    decodeStrings: false,
    write: (piece: string, _encoding, done) => {
      text += piece;
      done();
    },
  });
  const display = displayOn(
    Object.assign(stream, { ...shape, hasColors: () => false }) as unknown as WriteStream,
  );
  display.update(viewAt(0));
  display.found(alertAt('2014-02-07T20:35Z', 'plant:machine:temperature', 'drift'));
  display.update(viewAt(0.5));
  display.update(viewAt(0.501));
  display.finish(viewAt(1));
  return text;
}

let terminal: string | undefined;

beforeEach(() => {
  terminal = process.env['TERM'];
  process.env['TERM'] = 'xterm';
});

afterEach(() => {
  if (terminal === undefined) delete process.env['TERM'];
  else process.env['TERM'] = terminal;
});

test('without a terminal it writes lines, each alert as it comes, and the plot at the end', () => {
  const text = written({ isTTY: false });
  expect(text).not.toContain('\u001b');
  expect(text.match(/\d+ % replayed/g)).toEqual(['0 % replayed', '50 % replayed', '100 % replayed']);
  expect(text.indexOf('drift')).toBeLessThan(text.indexOf('50 %'));
  expect(text.match(/│/g)).toHaveLength(10);
});

test('on a terminal it draws over what it has drawn, and gives the cursor back', () => {
  const text = written({ isTTY: true, columns: 80, rows: 24 });
  expect(text).toContain('\u001b[?25l');
  expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'));
  const frames = text.split('\u001b[?2026h').slice(1);
  expect(frames).toHaveLength(4);
  const [first = '', second = ''] = frames;
  expect(second).toContain(`\u001b[${first.split('\n').length - 1}A`);
});

test('a terminal that is too small, or can do nothing, gets lines', () => {
  expect(written({ isTTY: true, columns: 40, rows: 24 })).not.toContain('\u001b');
  expect(written({ isTTY: true, columns: 80, rows: 12 })).not.toContain('\u001b');
  process.env['TERM'] = 'dumb';
  expect(written({ isTTY: true, columns: 80, rows: 24 })).not.toContain('\u001b');
});
