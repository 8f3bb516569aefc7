import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameReader, frameHeader } from '../../../src/ingest/mqtt/websocket-frames.ts';
import { binary, frame } from './websocket-client.ts';

/** What the stream says when it comes in chunks that end there. */
function read(stream: Uint8Array, cuts: readonly number[] = []) {
  const reader = new FrameReader();
  const ends = [...new Set([...cuts.filter((cut) => cut < stream.length), stream.length])].sort(
    (a, b) => a - b,
  );
  // Copies: it unmasks in place.
  const events = ends.flatMap((end, index) =>
    reader.read(Buffer.from(stream.subarray(ends[index - 1] ?? 0, end))),
  );
  const data = Buffer.concat(events.flatMap((event) => (event.kind === 'data' ? [event.bytes] : [])));
  return { data, events, others: events.filter(({ kind }) => kind !== 'data') };
}

/** Those at which the form of a header changes. */
const lengths = [0, 1, 2, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537];

test.each(lengths)('a frame of %i bytes passes as it was sent, whether whole or byte by byte', (length) => {
  const payload = Buffer.alloc(length, 'abcdefg');
  const stream = Buffer.concat([binary(payload), binary(Buffer.from('next'))]);
  const whole = Buffer.concat([payload, Buffer.from('next')]);
  expect(read(stream).data.equals(whole)).toBe(true);
  const everywhere = Array.from({ length: Math.min(stream.length, 300) }, (_, index) => index);
  expect(read(stream, everywhere).data.equals(whole)).toBe(true);
  const header = frameHeader('binary', length);
  expect(header.length).toBe(length < 126 ? 2 : length < 65_536 ? 4 : 10);
});

const part = fc.record({
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(...lengths).map((length) => new Uint8Array(length).fill(7)),
  ),
  pieces: fc.integer({ min: 1, max: 4 }),
  ping: fc.option(fc.uint8Array({ maxLength: 125 })),
});

test('messages in pieces, with pings between them, pass whole and in order wherever the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 6 }),
      fc.array(fc.nat(400_000), { maxLength: 20 }),
      (parts, cuts) => {
        const stream = Buffer.concat(
          parts.flatMap(({ payload, pieces, ping }) => {
            const size = Math.ceil(payload.length / pieces);
            return Array.from({ length: pieces }, (_, index) => {
              const isLast = index === pieces - 1;
              const first = (isLast ? 0x80 : 0) | (index === 0 ? 2 : 0);
              const bytes = payload.subarray(index * size, isLast ? undefined : (index + 1) * size);
              return [frame(first, bytes), ...(ping === null || isLast ? [] : [frame(0x89, ping)])];
            }).flat();
          }),
        );
        const { data, others } = read(stream, cuts);
        const pings = parts.flatMap(({ pieces, ping }) =>
          ping === null ? [] : new Array(pieces - 1).fill(ping),
        );
        expect(data.equals(Buffer.concat(parts.map(({ payload }) => payload)))).toBe(true);
        expect(others.map((event) => (event.kind === 'ping' ? [...event.payload] : event.kind))).toEqual(
          pings.map((ping) => [...ping]),
        );
      },
    ),
  );
});

test.each([
  ['text', frame(0x81, Buffer.from('x')), 1003],
  ['not masked', frame(0x82, Buffer.from('x'), false), 1002],
  ['with an extension', frame(0xc2, Buffer.from('x')), 1002],
  ['of an unknown kind', frame(0x83, Buffer.from('x')), 1002],
  ['a continuation of nothing', frame(0x80, Buffer.from('x')), 1002],
  ['a second beginning', Buffer.concat([frame(0x02, Buffer.from('x')), binary(Buffer.from('y'))]), 1002],
  ['a ping in pieces', frame(0x09, Buffer.from('x')), 1002],
  ['a ping that is too long', frame(0x89, Buffer.alloc(126)), 1002],
  ['a length beyond all numbers', Buffer.concat([Buffer.from([0x82, 0xff]), Buffer.alloc(12, 0xff)]), 1002],
])('a frame %s ends it, and nothing after that is looked at', (_, bytes, code) => {
  const { events } = read(Buffer.concat([bytes, binary(Buffer.from('z'))]));
  expect(events.at(-1)).toMatchObject({ kind: 'violation', code });
  expect(events.filter(({ kind }) => kind === 'violation').length).toBe(1);
});

test('nothing after a close is looked at', () => {
  const { events } = read(
    Buffer.concat([binary(Buffer.from('x')), frame(0x88, Buffer.from([3, 232])), binary(Buffer.from('y'))]),
  );
  expect(events.map(({ kind }) => kind)).toEqual(['data', 'close']);
});

test('whatever comes, it never throws, and gives no more bytes than came', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), fc.array(fc.nat(500)), (bytes, cuts) => {
      expect(read(bytes, cuts).data.length).toBeLessThanOrEqual(bytes.length);
    }),
  );
});
