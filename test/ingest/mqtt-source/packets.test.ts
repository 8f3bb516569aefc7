import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { answerTo, decode, type Packet, PacketSplitter } from '../../../src/ingest/mqtt-source/packets.ts';
import { packet, publish, pubrel } from '../mqtt/packets.ts';

function split(bytes: Buffer, pieceBytes: number): Packet[] {
  const splitter = new PacketSplitter();
  const found: Packet[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    found.push(...(splitter.push(bytes.subarray(at, at + pieceBytes)) ?? []));
  return found;
}

test('packets are found wherever the chunks end', () => {
  const packets = [
    packet(0x20, Buffer.from([0, 0])),
    publish('sensors/ü', 'x'.repeat(300), { qos: 2, id: 513, dup: true }),
    packet(0xd0, Buffer.alloc(0)),
    publish('a', '', { qos: 0 }),
    pubrel(513),
  ];
  const bytes = Buffer.concat(packets);
  for (const pieceBytes of [1, 2, 3, 7, 64, bytes.length])
    expect(split(bytes, pieceBytes).map((found) => found.bytes)).toEqual(packets);
});

test('a PUBLISH is read as it was sent', () => {
  const read = (bytes: Buffer) => split(bytes, bytes.length).map(decode);
  const common = { kind: 'publish', topic: 'sensors/ü', missingBytes: 0 };
  expect(read(publish('sensors/ü', 'é', { qos: 2, id: 513, dup: true }))).toEqual([
    { ...common, payload: Buffer.from('é'), qos: 2, isDuplicate: true, packetId: 513 },
  ]);
  expect(read(publish('sensors/ü', '', { qos: 0, retain: true }))).toEqual([
    { ...common, payload: Buffer.alloc(0), qos: 0, isDuplicate: false, packetId: 0 },
  ]);
  expect(read(pubrel(65_535))).toEqual([{ kind: 'release', packetId: 65_535 }]);
});

test('of a packet that is too long only the beginning is kept, however it is cut, and the next one is found', () => {
  const long = publish('t', Buffer.alloc(limits.mqttPacketBytesMax, 'x'), { qos: 1, id: 7 });
  const bytes = Buffer.concat([long, pubrel(8)]);
  for (const pieceBytes of [65_536, bytes.length]) {
    const [first, second] = split(bytes, pieceBytes);
    expect(first?.bytes.length).toBe(limits.mqttPacketBytesMax);
    expect(first?.missingBytes).toBe(long.length - limits.mqttPacketBytesMax);
    expect(first && decode(first)).toMatchObject({ packetId: 7, topic: 't', qos: 1 });
    expect(second?.bytes).toEqual(pubrel(8));
  }
});

test.each([
  ['no topic', packet(0x30, Buffer.from([0]))],
  ['a topic that ends behind the packet', packet(0x30, Buffer.from([0, 9, 0x61]))],
  ['no packet id', packet(0x32, Buffer.from([0, 1, 0x61, 0]))],
  ['packet id 0', publish('a', 'x', { qos: 1, id: 0 })],
  ['QoS 3', publish('a', 'x', { qos: 3 })],
  ['a PUBREL without a packet id', packet(0x62, Buffer.from([1]))],
])('%s is malformed', (_, bytes) => {
  const [found] = split(bytes, bytes.length);
  expect(found && decode(found)).toBeUndefined();
});

test('a length of five bytes is no MQTT', () => {
  expect(new PacketSplitter().push(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]))).toBeUndefined();
});

test('PUBACK, PUBREC and PUBCOMP carry the packet id; QoS 0 has no answer', () => {
  const content = { kind: 'publish', topic: 't', payload: Buffer.alloc(0) } as const;
  const message = { ...content, isDuplicate: false, missingBytes: 0 };
  expect(answerTo({ ...message, qos: 1, packetId: 258 })).toEqual(Buffer.from([0x40, 2, 1, 2]));
  expect(answerTo({ ...message, qos: 2, packetId: 258 })).toEqual(Buffer.from([0x50, 2, 1, 2]));
  expect(answerTo({ kind: 'release', packetId: 258 })).toEqual(Buffer.from([0x70, 2, 1, 2]));
  expect(answerTo({ ...message, qos: 0, packetId: 0 })).toEqual(Buffer.alloc(0));
});
