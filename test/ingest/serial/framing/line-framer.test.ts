import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../../src/core/limits.ts';
import type { Frame } from '../../../../src/ingest/serial/frame.ts';
import { lineFramer } from '../../../../src/ingest/serial/framing/line-framer.ts';

const { serialFrameBytesMax: bytesMax } = limits;
const newFramer = () => lineFramer({ delimiter: Uint8Array.of(0x0a), lengthMax: bytesMax });

/** What comes of the chunks, the interruption at their end included: text, or problem and length. */
function framed(chunks: readonly Uint8Array[]): readonly (string | readonly [string, number])[] {
  const framer = newFramer();
  const frames = chunks.flatMap((chunk) => {
    const copy = Uint8Array.from(chunk);
    const found = framer.push(copy, 0);
    copy.fill(0x21);
    return found;
  });
  return [...frames, ...framer.interrupt()].map(shown);
}

/** Lines of x are so long that a failed test could not show them. */
const shown = ({ bytes, problem }: Frame) => {
  const text = Buffer.from(bytes).toString('latin1');
  return problem === null && !text.startsWith('xx') ? text : ([problem ?? 'x', bytes.length] as const);
};

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const long = (bytes: number): string => 'x'.repeat(bytes);

interface Sample {
  readonly name: string;
  readonly sent: string;
  readonly frames: readonly (string | readonly [string, number])[];
}

const samples: readonly Sample[] = [
  { name: 'one line', sent: 'a\n', frames: ['a'] },
  { name: 'two lines, LF and CR LF', sent: 'ab\ncd\r\n', frames: ['ab', 'cd'] },
  { name: 'empty lines', sent: '\n\r\n\n', frames: [] },
  { name: 'a CR inside and a double one', sent: 'a\rb\nc\r\r\n', frames: ['a\rb', 'c\r'] },
  { name: 'any other byte', sent: '\0\xff\x80\n', frames: ['\0\xff\x80'] },
  { name: 'a line begun', sent: 'a\nb', frames: ['a', ['frame-incomplete', 1]] },
  { name: 'a line of the largest size', sent: `${long(bytesMax)}\na\n`, frames: [['x', bytesMax], 'a'] },
  {
    name: 'a line with CR of the largest size',
    sent: `${long(bytesMax - 1)}\r\na\n`,
    frames: [['x', bytesMax - 1], 'a'],
  },
  {
    name: 'a line one byte too long',
    sent: `${long(bytesMax + 1)}\na\n`,
    frames: [['frame-too-long', bytesMax], 'a'],
  },
  {
    name: 'a line too long by its CR',
    sent: `b\n${long(bytesMax)}\r\na\n`,
    frames: ['b', ['frame-too-long', bytesMax], 'a'],
  },
  {
    name: 'a line far too long is one frame',
    sent: `${long(3 * bytesMax)}\n\na\n`,
    frames: [['frame-too-long', bytesMax], 'a'],
  },
];

describe('a line framer', () => {
  test.each(samples)('finds the frames: $name', ({ sent, frames }) => {
    expect(framed([bytesOf(sent)])).toEqual(frames);
  });

  test.each(samples)('finds the same when the bytes are cut in two anywhere: $name', ({ sent, frames }) => {
    const bytes = bytesOf(sent);
    // All cuts of what is short; of what is long, those near line ends and bounds.
    const cuts = [...bytes.keys()].filter(
      (at) => bytes.length < 100 || at < 3 || at > bytes.length - 5 || Math.abs(at % bytesMax) < 3,
    );
    for (const cut of cuts) expect(framed([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(frames);
  });

  test.each(samples)('finds the same in small pieces: $name', ({ sent, frames }) => {
    const bytes = bytesOf(sent);
    const pieceBytes = bytes.length < 100 ? 1 : 7;
    const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) =>
      bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes),
    );
    expect(framed(pieces)).toEqual(frames);
  });

  test('finds the same in all pieces of samples after each other', () => {
    const sampleAndCuts = fc.tuple(
      fc.array(fc.constantFrom(...samples.filter(({ sent }) => sent.endsWith('\n'))), { maxLength: 4 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }),
    );
    fc.assert(
      fc.property(sampleAndCuts, ([chosen, cuts]) => {
        const bytes = bytesOf(chosen.map(({ sent }) => sent).join(''));
        const ends = cuts.map((cut) => Math.floor(cut * bytes.length)).sort((one, other) => one - other);
        const chunks = [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
        expect(framed(chunks)).toEqual(chosen.flatMap(({ frames }) => frames));
      }),
      { numRuns: 50 },
    );
  });

  test('takes any noise without throwing, and gives and holds no more than the bound', () => {
    const noise = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 50 }),
        fc.constantFrom('\n', '\r', '\r\n', long(bytesMax), long(1000)).map(bytesOf),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(noise, (chunks) => {
        const framer = newFramer();
        const frames = chunks.flatMap((chunk) => framer.push(chunk, 0));
        for (const { bytes } of [...frames, ...framer.interrupt()]) {
          expect(bytes.length).toBeLessThanOrEqual(bytesMax);
          expect(bytes.buffer.byteLength).toBeLessThanOrEqual(bytesMax);
          expect(bytes.includes(0x0a)).toBe(false);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('stamps a frame with the receipt of its first byte', () => {
    const framer = newFramer();
    expect(framer.push(bytesOf('\r'), 1)).toEqual([]);
    expect(framer.push(bytesOf('\na'), 2)).toEqual([]);
    expect(framer.push(bytesOf('b\nc\nd'), 3).map(({ receivedMs }) => receivedMs)).toEqual([2, 3]);
    expect(framer.push(bytesOf('\n'), 4).map(({ receivedMs }) => receivedMs)).toEqual([3]);
  });

  test('starts anew after an interruption, also in the middle of a line that is too long', () => {
    const framer = newFramer();
    expect(framer.interrupt()).toEqual([]);
    framer.push(bytesOf('half'), 1);
    expect(framer.interrupt()).toMatchObject([{ problem: 'frame-incomplete', receivedMs: 1 }]);
    expect(framer.push(bytesOf('a\n'), 2).map(shown)).toEqual(['a']);
    framer.push(bytesOf(long(bytesMax + 1)), 3);
    expect(framer.interrupt()).toEqual([]);
    expect(framer.push(bytesOf('a\n'), 4).map(shown)).toEqual(['a']);
  });

  test('needs linear time: megabytes without a line end, in small pieces, cost well under a second', () => {
    const framer = newFramer();
    const piece = bytesOf(long(16));
    const startMs = performance.now();
    for (let sent = 0; sent < 8 * 1024 * 1024; sent += piece.length) {
      framer.push(piece, 0);
      // A line of the largest size again and again: what is passed over costs nothing.
      if (sent % bytesMax === bytesMax - piece.length) framer.push(bytesOf('\n'), 0);
    }
    expect(performance.now() - startMs).toBeLessThan(3_000);
  });
});
