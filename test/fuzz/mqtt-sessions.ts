import fc from 'fast-check';
import { PacketFramer } from '../../src/ingest/mqtt/packet-framer.ts';
import * as packets from '../ingest/mqtt/packets.ts';
import { frame, upgrade } from '../ingest/mqtt/websocket-client.ts';
import { recordedSessions } from './recorded-sessions.ts';

/**
 * One connection of a client that nobody should have to trust:
 * `end`: it closes its side, and the gateway has to close the other; `reset`: it breaks off;
 * `wait`: it has sent what has to end the connection, and waits for that.
 */
export interface FuzzSession {
  readonly kind: 'mqtt' | 'ws';
  /** What is written at once; between two there is a turn of the event loop. */
  readonly chunks: readonly Buffer[];
  readonly ending: 'end' | 'reset' | 'wait';
  /** Whether it reads nothing before it ends. */
  readonly readsLate: boolean;
  /** How many MQTT packets it sends, damaged ones included. */
  readonly packets: number;
}

const fraction = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const byte = fc.integer({ min: 0, max: 255 });
const often = <Value>(weight: number, arbitrary: fc.Arbitrary<Value>) => ({ weight, arbitrary });

/** Few ids, so that connections take each other over and find each other's sessions. */
const clientId = fc.oneof(
  often(12, fc.constantFrom(...Array.from({ length: 10 }, (_, index) => `fuzz-${index}`))),
  often(4, fc.uuid()),
  often(1, fc.constantFrom('', '__proto__', 'constructor', 'x'.repeat(128), 'x'.repeat(129), 'ü/#+\0')),
);
const deep = Array.from({ length: 120 }, () => 'a').join('/');
const topic = fc.oneof(
  often(100, fc.constantFrom('fuzz/a', 'fuzz/b/c', 'other/x', 'fuzz/ü', '/')),
  often(1, fc.constantFrom('', '#', 'fuzz/+', '$SYS/x', '$headwater/x', deep, 'nul\0', 'x'.repeat(2000))),
);
const filter = fc.oneof(
  often(40, fc.constantFrom('fuzz/#', 'fuzz/+', '+/b/c', 'fuzz/a', 'other/x', '#')),
  often(1, fc.constantFrom('', '$SYS/#', 'a/#/b', '+a', deep, '$share/group/fuzz/a', 'x'.repeat(5000))),
);
const qos = fc.integer({ min: 0, max: 2 });
const packetId = fc.oneof(often(80, fc.integer({ min: 1, max: 6 })), often(1, fc.constantFrom(0, 65_535)));
const zeros = (min: number, max: number) => fc.integer({ min, max }).map((bytes) => new Uint8Array(bytes));
const payload = fc.oneof(
  often(300, fc.uint8Array({ maxLength: 60 })),
  often(20, zeros(1_000, 20_000)),
  often(1, zeros(60_000, 400_000)),
);
const will = fc.option(
  fc.record({ topic, payload: fc.string({ maxLength: 20 }), qos, retain: fc.boolean() }),
  {
    nil: undefined,
  },
);
const rarely = fc.constantFrom(false, false, false, true);

const connect = fc
  .record({
    id: clientId,
    clean: fc.boolean(),
    keepAliveSeconds: fc.constantFrom(0, 60),
    level: fc.oneof(often(30, fc.constant(4)), often(1, fc.constantFrom(3, 5))),
    will,
  })
  .map(({ id, will: given, ...options }) =>
    packets.connect(id, given === undefined ? options : { ...options, will: given }),
  );
const publish = fc
  .record({ topic, payload, qos, id: packetId, dup: rarely, retain: rarely })
  .map((made) => packets.publish(made.topic, made.payload, made));
const acknowledgement = fc
  .tuple(fc.constantFrom('puback', 'pubrec', 'pubcomp'), packetId)
  .map(([type, id]) => packets.acknowledgement(type, id));

/** Legal packets, each for itself; in what order they come is another matter. */
const laterPacket = fc.oneof(
  often(40, publish),
  often(15, packetId.map(packets.pubrel)),
  often(9, acknowledgement),
  often(
    6,
    fc.tuple(filter, qos).map(([given, wanted]) => packets.subscribe(given, wanted)),
  ),
  often(3, filter.map(packets.unsubscribe)),
  often(6, fc.constant(packets.pingreq)),
  often(1, fc.constant(packets.disconnect)),
  often(1, connect),
);
const generated = fc
  .tuple(connect, fc.array(laterPacket, { minLength: 1, maxLength: 60, size: 'max' }))
  .map(([first, later]) => [first, ...later]);
const recorded = fc.constantFrom(...recordedSessions.map(packetsIn));

function packetsIn(session: Buffer): readonly Buffer[] {
  const framer = new PacketFramer();
  const found: Buffer[] = [];
  let begin = 0;
  for (let at = 0; at < session.length; ) {
    const step = framer.step(session, at);
    if (step.kind === 'malformed') throw new Error('the recording is damaged');
    at = step.end;
    if (framer.isInPacket) continue;
    found.push(session.subarray(begin, at));
    begin = at;
  }
  return found;
}

interface Mutation {
  readonly kind: 'flip' | 'set' | 'cut' | 'insert' | 'repeat' | 'swap' | 'drop' | 'length' | 'huge length';
  /** Where, as fractions: of the packets or frames, and of the bytes in it. */
  readonly part: number;
  readonly at: number;
  readonly value: number;
}
const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('flip', 'set', 'cut', 'insert', 'repeat', 'swap', 'drop', 'length', 'huge length'),
  part: fraction,
  at: fraction,
  value: byte,
});

function mutate(parts: readonly Buffer[], mutations: readonly Mutation[]): Buffer[] {
  const all = parts.map((part) => Buffer.from(part));
  for (const { kind, part, at, value } of mutations) {
    const index = Math.floor(part * all.length);
    const bytes = all[index];
    if (bytes === undefined) continue;
    const position = Math.floor(at * bytes.length);
    const [before, after] = [bytes.subarray(0, position), bytes.subarray(position)];
    if (kind === 'flip') bytes[position] = (bytes[position] ?? 0) ^ (1 << (value % 8));
    else if (kind === 'set') bytes[position] = value;
    else if (kind === 'cut') all[index] = before;
    else if (kind === 'insert')
      all[index] = Buffer.concat([before, Buffer.alloc(1 + (value % 7), value), after]);
    else if (kind === 'repeat') all.splice(index, 0, bytes);
    else if (kind === 'swap') all.push(...all.splice(index, 1));
    else if (kind === 'drop') all.splice(index, 1);
    else if (kind === 'length') bytes[1] = value;
    else all[index] = Buffer.concat([bytes.subarray(0, 1), Buffer.from([0xff, 0xff, 0xff, 0x7f]), after]);
  }
  return all;
}

/** The bytes in pieces: all at once, cut anywhere, or each alone, if that does not take too long. */
function pieces(bytes: Buffer, cuts: readonly number[] | 'everywhere'): Buffer[] {
  const places =
    cuts === 'everywhere' && bytes.length <= 1_000
      ? Array.from({ length: bytes.length }, (_, index) => index)
      : (cuts === 'everywhere' ? [] : cuts)
          .map((cut) => Math.floor(cut * bytes.length))
          .toSorted((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index]));
}

const cuts = fc.oneof(
  often(6, fc.array(fraction, { maxLength: 6 })),
  often(1, fc.constant('everywhere' as const)),
);

/** The bytes of one connection as WebSocket frames, after the request for it. */
const framed = fc
  .record({
    cuts: fc.array(fraction, { maxLength: 6 }),
    firstBytes: fc.array(fc.oneof(often(8, fc.constant(0x82)), often(1, fc.constantFrom(0x02, 0x80, 0x00))), {
      minLength: 1,
      maxLength: 4,
    }),
    controls: fc.array(fc.tuple(fraction, fc.constantFrom(0x89, 0x8a, 0x89, 0x88)), { maxLength: 2 }),
    mutations: fc.oneof(often(3, fc.constant([])), often(1, fc.array(mutation, { maxLength: 2 }))),
  })
  .map((plan) => (bytes: Buffer): Buffer => {
    const frames = pieces(bytes, plan.cuts).map((piece, index) =>
      frame(plan.firstBytes[index % plan.firstBytes.length] ?? 0x82, piece),
    );
    for (const [at, firstByte] of plan.controls)
      frames.splice(Math.floor(at * frames.length), 0, frame(firstByte, Buffer.from([3, 232])));
    return Buffer.concat([upgrade(), ...mutate(frames, plan.mutations)]);
  });

/** What has to end the connection whatever came before it, which is undamaged: packets that are too large. */
const tooMuch = fc.constantFrom(
  Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 97]),
  Buffer.from([0x82, 0xff, 0xff, 0xff, 0x7f, 0, 1]),
  Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x7f]),
  Buffer.from([0xc0, 0x80, 0x80, 0x80, 0x08]),
);
const cutSession = fc
  .tuple(connect, fc.array(publish, { maxLength: 3 }), tooMuch)
  .map(([first, later, last]) => ({
    parts: [first, ...later, last],
    ending: 'wait' as const,
  }));
const brokenSession = fc
  .record({
    base: fc.oneof(often(4, generated), often(1, recorded)),
    mutations: fc.oneof(
      often(3, fc.array(mutation, { maxLength: 2 })),
      often(1, fc.array(mutation, { maxLength: 9 })),
    ),
    ending: fc.constantFrom('end' as const, 'end' as const, 'reset' as const),
  })
  .map(({ base, mutations, ending }) => {
    const [first = Buffer.alloc(0), ...later] = base;
    // Mostly behind the CONNECT: who is not let in does not get far.
    return {
      parts: mutations.length === 7 ? mutate(base, mutations) : [first, ...mutate(later, mutations)],
      ending,
    };
  });

/** Sessions of legal, misplaced and damaged packets, by TCP and by WebSocket, cut anywhere. */
export const fuzzSession: fc.Arbitrary<FuzzSession> = fc
  .record({
    session: fc.oneof(often(30, brokenSession), often(1, cutSession)),
    webSocket: fc.option(framed, { freq: 3 }),
    cuts,
    readsLate: rarely,
  })
  .map(({ session: { parts, ending }, webSocket, cuts: places, readsLate }) => {
    const bytes = Buffer.concat(parts);
    // A frame may hide what has to end the connection.
    const isFramed = webSocket !== null && ending !== 'wait';
    return {
      kind: isFramed ? 'ws' : 'mqtt',
      chunks: pieces(isFramed ? webSocket(bytes) : bytes, places),
      ending,
      readsLate,
      packets: parts.length,
    };
  });
