import { once } from 'node:events';
import { createServer, type Server, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { Guard } from '../../../src/ingest/mqtt/guard.ts';
import { defaultMqttLimits } from '../../../src/ingest/mqtt/mqtt-limits.ts';
import { PendingBytes } from '../../../src/ingest/mqtt/pending-bytes.ts';
import { RawClient, until } from './harness.ts';
import { connect, disconnect, publish, subscribe } from './packets.ts';

const peer = { host: '127.0.0.1', address: '127.0.0.1:1', certificateName: null, origin: null };

let server: Server;
let client: RawClient;
let socket: Socket;
let guard: Guard;
let budget: PendingBytes;
let cuts: string[];
let passed: Buffer;
let hasEnded: boolean;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  client = new RawClient(address.port);
  const [accepted]: unknown[] = await once(server, 'connection');
  if (!(accepted instanceof Socket)) throw new Error('no socket');
  socket = accepted;
  budget = new PendingBytes(limits.mqttPendingBytesMax);
  cuts = [];
  passed = Buffer.alloc(0);
  hasEnded = false;
  guard = new Guard({
    stream: socket,
    peer,
    limits: defaultMqttLimits,
    budget,
    onCut: (reason) => cuts.push(reason),
    onSlowed() {},
  });
  guard.on('data', (chunk: Buffer) => {
    passed = Buffer.concat([passed, chunk]);
  });
  guard.on('end', () => {
    hasEnded = true;
  });
});

afterEach(() => {
  guard.destroy();
  client.socket.destroy();
  server.close();
});

const ping = Buffer.from([0xc0, 0]);
const MIB = 1024 * 1024;

/** Sends bytes, and waits until the gateway's socket has them, whether they passed the guard or not. */
async function deliver(...packets: readonly Uint8Array[]): Promise<void> {
  const bytes = packets.reduce((sum, part) => sum + part.length, socket.bytesRead);
  client.send(...packets);
  await until(() => socket.bytesRead >= bytes, 'the bytes');
}

async function deliverConnect(): Promise<void> {
  await deliver(connect('device'));
  guard.connected();
}

/** The "remaining length" of a PUBLISH with a topic of one letter and a packet id. */
const bodyBytes = (payloadBytes: number): number => 2 + 1 + 2 + payloadBytes;
const weightOf = (payloadBytes: number): number => bodyBytes(payloadBytes) + limits.mqttPublishOverheadBytes;

test('what follows a CONNECT passes once the broker has accepted that', async () => {
  await deliver(connect('device'), publish('t', 'x'), ping);
  await until(() => passed.length > 0, 'the CONNECT');
  // All but the last byte of the next header: no packet for the broker yet.
  expect(passed.length).toBe(connect('device').length + 1);
  guard.connected();
  await until(() => passed.equals(Buffer.concat([connect('device'), publish('t', 'x'), ping])), 'the rest');
});

test('one read takes all that has passed, however many chunks it came in', async () => {
  await deliverConnect();
  await until(() => passed.length > 0, 'the CONNECT');
  guard.pause();
  for (let index = 0; index < 5; index++) await deliver(publish('t', 'x'));
  await until(() => guard.readableLength === 5 * publish('t', 'x').length, 'all of them');
  expect(guard.read()?.length).toBe(5 * publish('t', 'x').length);
});

test('bytes pass unchanged although each comes alone', async () => {
  await deliverConnect();
  const session = Buffer.concat([subscribe('a/#'), publish('t', 'x'.repeat(200)), ping, publish('t', '')]);
  for (const byte of session) await deliver(Buffer.from([byte]));
  await until(() => passed.length === connect('device').length + session.length, 'all bytes');
  expect(passed.subarray(connect('device').length)).toEqual(session);
});

test('a DISCONNECT and the end of the stream pass after the messages before them are answered', async () => {
  await deliverConnect();
  await deliver(publish('t', 'x'), disconnect);
  client.socket.end();
  await until(() => guard.pendingBytes > 0, 'the PUBLISH');
  await until(() => socket.readableLength === 0, 'the rest of the bytes');
  // With the first byte of the DISCONNECT, which tells the broker nothing yet.
  expect(passed.length).toBeLessThanOrEqual(connect('device').length + publish('t', 'x').length + 1);
  expect(hasEnded).toBe(false);
  guard.answered(bodyBytes(1));
  await until(() => hasEnded, 'the end');
  expect(passed.subarray(-2)).toEqual(disconnect);
});

test('a client that ends in the midst of a PUBLISH is not waited for, once what it sent before is answered', async () => {
  await deliverConnect();
  await deliver(publish('t', 'x'), publish('t', 'x'.repeat(100)).subarray(0, 20));
  client.socket.end();
  await until(() => guard.pendingBytes === weightOf(1) + weightOf(100), 'both');
  await until(() => socket.readableEnded, 'the end of the stream');
  expect(hasEnded).toBe(false);
  guard.answered(bodyBytes(1));
  await until(() => hasEnded, 'the end');
});

test('no more passes than a client may have pending; the rest when that is answered', async () => {
  await deliverConnect();
  const payloadBytes = MIB - 2 * limits.mqttPublishOverheadBytes;
  const message = publish('t', Buffer.alloc(payloadBytes));
  client.send(message, message, message, message);
  await until(() => guard.pendingBytes > 2 * payloadBytes, 'two messages');
  await until(() => passed.length > 2 * payloadBytes, 'two messages');
  expect(guard.pendingBytes).toBeLessThanOrEqual(limits.mqttClientPendingBytesMax);
  expect(passed.length).toBeLessThan(2 * message.length + 100);
  guard.answered(bodyBytes(payloadBytes));
  await until(() => passed.length > 3 * payloadBytes, 'the third');
  guard.answered(bodyBytes(payloadBytes));
  await until(() => passed.length > 4 * payloadBytes, 'the fourth');
});

test('small messages weigh more than their bytes, so that their number is bounded too', async () => {
  await deliverConnect();
  const messages = Array.from({ length: 10_000 }, () => publish('t', ''));
  client.send(...messages);
  const most = Math.floor(
    limits.mqttClientPendingBytesMax / (bodyBytes(0) + limits.mqttPublishOverheadBytes),
  );
  const [message = Buffer.alloc(0)] = messages;
  await until(() => passed.length >= connect('device').length + most * message.length, 'as many as may pass');
  expect(passed.length).toBeLessThan(connect('device').length + (most + 1) * message.length);
});

test('a client waits for the common budget, and gives its share back when it goes', async () => {
  budget.reserve(limits.mqttPendingBytesMax - 100, limits.mqttPendingBytesMax - 100, () => {});
  await deliverConnect();
  await deliver(publish('t', 'x'));
  await until(() => passed.length > connect('device').length, 'the first byte of the header');
  expect(guard.pendingBytes).toBe(0);
  budget.release(limits.mqttPendingBytesMax - 100);
  await until(() => guard.pendingBytes > 0, 'its turn');
  expect(budget.used).toBe(guard.pendingBytes);
  guard.destroy();
  await until(() => budget.used === 0, 'its share');
});

test('who waits for the common budget holds nothing of it but what is pending: or all could wait for each other', async () => {
  const others = limits.mqttPendingBytesMax - 3 * limits.mqttPublishOverheadBytes;
  budget.reserve(others, others, () => {});
  await deliverConnect();
  const large = publish('t', Buffer.alloc(2 * limits.mqttPublishOverheadBytes));
  client.send(publish('t', 'x'), large);
  await until(() => passed.length > connect('device').length + publish('t', 'x').length, 'the small one');
  expect(guard.pendingBytes).toBe(weightOf(1));
  expect(budget.used).toBe(others + guard.pendingBytes);
  budget.release(others);
  await until(
    () => passed.length >= connect('device').length + publish('t', 'x').length + large.length,
    'its turn',
  );
  expect(budget.used).toBe(guard.pendingBytes);
});

test('a client that goes away while it waits for the common budget is not granted anything', async () => {
  budget.reserve(limits.mqttPendingBytesMax, limits.mqttPendingBytesMax, () => {});
  await deliverConnect();
  await deliver(publish('t', 'x'));
  await until(() => passed.length > connect('device').length, 'the first byte of the header');
  client.socket.destroy();
  guard.destroy();
  await until(() => guard.closed, 'the end');
  budget.release(limits.mqttPendingBytesMax);
  expect(budget.used).toBe(0);
});

test('a client that breaks off before its CONNECT is accepted leaves nothing reserved', async () => {
  await deliver(connect('device'), publish('t', 'x'));
  await until(() => passed.length > connect('device').length, 'the first byte of the header');
  guard.destroy();
  guard.connected();
  expect(budget.used).toBe(0);
});

test.each([
  ['a CONNECT that is too large', Buffer.from([0x10, 0xff, 0xff, 0x7f]), 'packet-too-large'],
  ['a PUBLISH before CONNECT', publish('t', 'x'), 'protocol'],
  ['the request of a web browser', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'protocol'],
  ['a length in five bytes', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 1]), 'malformed-packet'],
])('%s is cut, and nothing of it passes', async (_name, bytes, reason) => {
  client.send(bytes);
  await until(() => client.isClosed, 'the cut');
  expect(cuts).toEqual([reason]);
  expect(passed.length).toBe(0);
});

test.each([
  ['PUBLISH', 0x30, limits.mqttPacketBytesMax],
  ['SUBSCRIBE', 0x82, limits.mqttControlPacketBytesMax],
])('a %s one byte too large is cut at its length, one byte less passes', async (_name, first, bytesMax) => {
  const header = (bytes: number): Buffer =>
    Buffer.from([first, (bytes & 0x7f) | 0x80, ((bytes >> 7) & 0x7f) | 0x80, (bytes >> 14) & 0x7f]);
  await deliverConnect();
  client.send(header(bytesMax), Buffer.alloc(bytesMax));
  await until(() => passed.length === connect('device').length + 4 + bytesMax, 'the whole packet');
  client.send(header(bytesMax + 1));
  await until(() => client.isClosed, 'the cut');
  expect(cuts).toEqual(['packet-too-large']);
});

test('a client that does not complete its CONNECT in time is cut', async () => {
  await deliver(connect('device').subarray(0, 5));
  guard.sweep(limits.mqttConnectTimeoutMs - 1);
  expect(cuts).toEqual([]);
  guard.sweep(1);
  expect(cuts).toEqual(['connect-timeout']);
});

test('a client that begins a packet and does not complete it in time is cut, an idle one is not', async () => {
  await deliverConnect();
  guard.sweep(limits.mqttPacketTimeoutMs);
  await deliver(publish('t', 'x').subarray(0, 4));
  await until(() => guard.pendingBytes > 0, 'the header');
  guard.sweep(limits.mqttPacketTimeoutMs - 1);
  expect(cuts).toEqual([]);
  guard.sweep(1);
  expect(cuts).toEqual(['packet-timeout']);
});

test('a client that the gateway holds back is not late', async () => {
  budget.reserve(limits.mqttPendingBytesMax, limits.mqttPendingBytesMax, () => {});
  await deliverConnect();
  await deliver(publish('t', 'x'));
  await until(() => passed.length > connect('device').length, 'the first byte of the header');
  guard.sweep(limits.mqttPacketTimeoutMs);
  expect(cuts).toEqual([]);
});
