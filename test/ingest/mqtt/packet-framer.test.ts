import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PacketFramer } from '../../../src/ingest/mqtt/packet-framer.ts';
import { connect, disconnect, packet, publish, remainingLength } from './packets.ts';

/** What the framer says of a stream cut into these chunks: header, or bytes of bodies, in order. */
function framed(chunks: readonly Uint8Array[]): string[] {
  const framer = new PacketFramer();
  const found: string[] = [];
  let body: number[] = [];
  const endPacket = (): void => {
    found.push(`body ${body.join()}`);
    body = [];
  };
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const step = framer.step(chunk, at);
      if (step.kind === 'malformed') return [...found, 'malformed'];
      if (step.end <= at) throw new Error('no progress');
      if (step.kind === 'body') body.push(...chunk.subarray(at, step.end));
      if (step.kind === 'header') found.push(`type ${step.header.type}, ${step.header.bodyBytes} bytes`);
      if (step.kind === 'body' ? step.complete : step.kind === 'header' && step.header.bodyBytes === 0)
        endPacket();
      at = step.end;
    }
  }
  return framer.isInPacket ? [...found, `in packet, ${body.join()}`] : found;
}

const chunksOf = (bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] => {
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
};

const samples: Readonly<Record<string, Buffer>> = {
  'a whole session': Buffer.concat([
    connect('me'),
    publish('t', 'x'),
    packet(0xc0, Buffer.alloc(0)),
    disconnect,
  ]),
  'a length in two bytes': publish('t', Buffer.alloc(130, 7)),
  'a length in three bytes that holds nothing': Buffer.from([0x30, 0x80, 0x80, 0x00, 0xe0, 0x00]),
  'a length in five bytes': Buffer.concat([
    publish('t', 'x'),
    Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 1]),
  ]),
  'a packet without its end': publish('t', 'a longer text').subarray(0, 9),
};

test.each(Object.entries(samples))(
  'every single and double cut of %s gives the same packets',
  (_name, bytes) => {
    const whole = framed([bytes]);
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        expect(framed(chunksOf(bytes, [first, second]))).toEqual(whole);
      }
    }
  },
);

test('it finds the packets of any stream, cut anywhere', () => {
  const somePacket = fc.record({
    first: fc.integer({ min: 0, max: 255 }),
    body: fc.uint8Array({ maxLength: 300 }),
  });
  fc.assert(
    fc.property(
      fc.array(somePacket, { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (packets, cuts) => {
        const bytes = Buffer.concat(packets.map(({ first, body }) => packet(first, body)));
        const places = cuts.map((cut) => cut % (bytes.length + 1));
        expect(framed(chunksOf(bytes, places))).toEqual(
          packets.flatMap(({ first, body }) => [
            `type ${first >> 4}, ${body.length} bytes`,
            `body ${body.join()}`,
          ]),
        );
      },
    ),
  );
});

test('random bytes never make it throw, stand still, or depend on the cuts', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 6 }), (bytes, cuts) => {
      const places = cuts.map((cut) => cut % (bytes.length + 1));
      expect(framed(chunksOf(bytes, places))).toEqual(framed([bytes]));
    }),
  );
});

test('the largest length of four bytes is read right', () => {
  const step = new PacketFramer().step(Buffer.concat([Buffer.from([0x30]), remainingLength(268_435_455)]), 0);
  expect(step).toEqual({ kind: 'header', end: 5, header: { type: 3, bodyBytes: 268_435_455 } });
});
