import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Frame, Framer } from '../../../../src/ingest/serial/frame.ts';
import { cobsFramer } from '../../../../src/ingest/serial/framing/cobs-framer.ts';
import { DelimiterSearch } from '../../../../src/ingest/serial/framing/delimiter-search.ts';
import { lineFramer } from '../../../../src/ingest/serial/framing/line-framer.ts';
import { slipFramer } from '../../../../src/ingest/serial/framing/slip-framer.ts';

const hex = (digits: string): Uint8Array => Uint8Array.fromHex(digits.replaceAll(' ', ''));
const shown = ({ bytes, problem }: Frame): string => `${problem ?? 'good'} ${bytes.toHex()}`;
const framed = (framer: Framer, sent: Uint8Array): readonly string[] =>
  [...framer.push(sent, 0), ...framer.interrupt()].map(shown);

/** As RFC 1055 has it. */
function slipEncoded(bytes: Uint8Array): Uint8Array {
  const sent = [...bytes].flatMap((byte) =>
    byte === 0xc0 ? [0xdb, 0xdc] : byte === 0xdb ? [0xdb, 0xdd] : [byte],
  );
  return Uint8Array.of(...sent, 0xc0);
}

/** As the paper has it: `StuffData` of its appendix, and the zero. */
function cobsEncoded(bytes: Uint8Array): Uint8Array {
  const blocks: number[][] = [[]];
  for (const byte of bytes) {
    if (blocks.at(-1)?.length === 254) blocks.push([]);
    if (byte === 0) blocks.push([]);
    else blocks.at(-1)?.push(byte);
  }
  return Uint8Array.from([...blocks.flatMap((block) => [block.length + 1, ...block]), 0]);
}

/** With zeros, ends, escapes and long runs without any. */
const contents = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.constantFrom(0, 0xc0, 0xdb, 0xdc, 0xdd).map((byte) => Uint8Array.of(byte)),
      fc.integer({ min: 250, max: 260 }).map((length) => new Uint8Array(length).fill(7)),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((pieces) => Uint8Array.from(Buffer.concat(pieces)))
  .filter(({ length }) => length > 0);

test.each([
  ['SLIP', slipFramer, slipEncoded],
  ['COBS', cobsFramer, cobsEncoded],
] as const)('%s gives back what was sent, however long, up to its bound', (_, framerOf, encoded) => {
  fc.assert(
    fc.property(contents, (bytes) => {
      expect(framed(framerOf({ lengthMax: bytes.length }), encoded(bytes))).toEqual([
        `good ${bytes.toHex()}`,
      ]);
      if (bytes.length === 1) return;
      const lengthMax = bytes.length - 1;
      const [first, ...rest] = framerOf({ lengthMax }).push(encoded(bytes), 0);
      expect(first).toMatchObject({ problem: 'frame-too-long' });
      expect(first?.bytes.length).toBe(lengthMax);
      expect(rest).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test.each([
  ['an escape of nothing', slipFramer, 'C0 01 DB 02 C0 03 C0', ['frame-garbled 01db02', 'good 03']],
  ['an escape at the end', slipFramer, '01 DB C0 03 C0', ['frame-garbled 01db', 'good 03']],
  [
    'a block that is too long for its frame',
    cobsFramer,
    '05 11 22 00 02 33 00',
    ['frame-garbled 051122', 'good 33'],
  ],
  ['a frame with nothing in it', cobsFramer, '01 00 00 02 33 00', ['good 33']],
  ['a frame of nothing but ends', slipFramer, 'C0 C0 C0 01 C0', ['good 01']],
  ['a frame begun', slipFramer, '01 02', ['frame-incomplete 0102']],
] as const)('tells %s', (_, framerOf, sent, frames) => {
  expect(framed(framerOf({ lengthMax: 20 }), hex(sent))).toEqual(frames);
});

describe('a delimiter of several bytes', () => {
  test('is found in any bytes as by looking at each place', () => {
    const few = fc.constantFrom(0x61, 0x62);
    fc.assert(
      fc.property(
        fc.array(few, { minLength: 1, maxLength: 6 }),
        fc.array(few, { maxLength: 60 }),
        fc.nat(60),
        (mark, text, cut) => {
          const delimiter = Uint8Array.from(mark);
          const bytes = Uint8Array.from(text);
          const expected: number[] = [];
          for (let at = Buffer.from(bytes).indexOf(delimiter); at !== -1; ) {
            expected.push(at + mark.length);
            at = Buffer.from(bytes).indexOf(delimiter, at + mark.length);
          }
          const search = new DelimiterSearch(delimiter);
          const found = [bytes.subarray(0, cut), bytes.subarray(cut)].flatMap((chunk, index) => {
            const ends: number[] = [];
            for (let end = search.endIn(chunk, 0); end !== -1; end = search.endIn(chunk, end)) ends.push(end);
            return ends.map((end) => end + (index === 0 ? 0 : Math.min(cut, bytes.length)));
          });
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('leaves a line its full length', () => {
    const framer = lineFramer({ delimiter: hex('0D 0A'), lengthMax: 3 });
    expect(framed(framer, hex('01 02 03 0D 0A 0D 0A 01 02 03 04 0D 0A 0D 0D 0A'))).toEqual([
      'good 010203',
      'frame-too-long 010203',
      'good 0d',
    ]);
    expect(framed(framer, hex('01 02 03 0D'))).toEqual(['frame-incomplete 010203']);
    expect(framed(framer, hex('0A 0D 0A'))).toEqual(['good 0a']);
  });
});
