import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { collectGarbage } from '../../support/collect-garbage.ts';
import { Harness, noQos2Log, plainListener, until } from './harness.ts';
import { CONNACK_ACCEPTED, connect, disconnect, pubackIds, publish, subscribe } from './packets.ts';
import { tlsSite } from './tls-site.ts';
import { binary, frame, type UpgradeOptions, upgrade, webSocketClient } from './websocket-client.ts';

const start = (): Promise<Harness> =>
  Harness.start(noQos2Log, { listeners: [{ ...plainListener, kind: 'ws' }] });

/** The payloads of short binary frames. */
const unframed = (received: Buffer): Buffer => {
  const parts: Buffer[] = [];
  for (let at = 0; at < received.length; at += 2 + (received[at + 1] ?? 0))
    if (received[at] === 0x82) parts.push(received.subarray(at + 2, at + 2 + (received[at + 1] ?? 0)));
  return Buffer.concat(parts);
};

test.each(['ws', 'wss'] as const)(
  'MQTT.js publishes and is served over %s, with messages of all sizes',
  async (kind) => {
    await using site = await tlsSite('off', [kind]);
    const { harness, serverCa } = site;
    const client = await harness.client({ protocol: kind, wsOptions: { ca: serverCa.certificate } });
    const echoed: Buffer[] = [];
    client.on('message', (_topic, payload) => echoed.push(payload));
    await client.subscribeAsync('#', { qos: 1 });
    const payloads = [0, 1, 110, 130, 65_500, 65_600, 900_000].map((length) => Buffer.alloc(length, 'x'));
    for (const payload of payloads) await client.publishAsync('t', payload, { qos: 1 });
    await until(() => echoed.length === payloads.length, 'all of them');
    expect(echoed.map(({ length }) => length)).toEqual(payloads.map(({ length }) => length));
    expect(harness.log.offers.map(({ record }) => record.value?.length)).toEqual(
      payloads.map(({ length }) => length),
    );
    expect(harness.connections(kind)).toBe(1);
    await client.endAsync();
    await until(() => harness.connections(kind) === 0, 'the end');
    expect(harness.logger.lines).toEqual([]);
  },
);

test('the WebSocket of Node itself agrees on the subprotocol, and is closed properly', async () => {
  await using harness = await start();
  const socket = new WebSocket(`ws://127.0.0.1:${harness.port('ws')}/mqtt`, ['x', 'mqtt']);
  socket.binaryType = 'arraybuffer';
  const received: number[] = [];
  const closed = new Promise<CloseEvent>((resolve) => void socket.addEventListener('close', resolve));
  socket.addEventListener('message', ({ data }) => received.push(...new Uint8Array(data as ArrayBuffer)));
  await new Promise((resolve) => void socket.addEventListener('open', resolve));
  expect(socket.protocol).toBe('mqtt');
  socket.send(Buffer.concat([connect('browser'), publish('t', 'x', { id: 9 })]));
  await until(() => received.length === 8, 'the answers');
  expect(pubackIds(Buffer.from(received))).toEqual([9]);
  socket.close();
  expect((await closed).code).toBe(1000);
});

test('packets need not begin and end where frames do, and acknowledgements come also after the client has closed', async () => {
  await using harness = await start();
  harness.log.isHolding = true;
  const client = await webSocketClient(harness);
  const bytes = Buffer.concat([
    connect('device'),
    publish('t', 'x', { id: 3 }),
    publish('t', 'y', { id: 4 }),
    disconnect,
  ]);
  for (const byte of bytes) client.send(binary(Buffer.from([byte])));
  client.send(frame(0x88, Buffer.from([3, 232])));
  await until(() => harness.log.offers.length === 2, 'both');
  harness.log.letGo();
  await until(() => client.isClosed, 'the end');
  const answers = unframed(client.received);
  expect([...answers.subarray(0, 4)]).toEqual(CONNACK_ACCEPTED);
  expect(pubackIds(answers)).toEqual([3, 4]);
});

test('what comes with the handshake in one chunk is not lost', async () => {
  await using harness = await start();
  const client = harness.raw('ws');
  client.send(upgrade(), binary(connect('eager')), binary(publish('t', 'x')));
  await until(() => harness.log.offers.length === 1, 'the message');
});

const refusals: [string, UpgradeOptions, RegExp][] = [
  ['another path', { path: '/other' }, /^HTTP\/1\.1 404 .*there is no MQTT at \/other; use the path \/mqtt/s],
  [
    'no subprotocol',
    { headers: { 'Sec-WebSocket-Protocol': undefined } },
    /^HTTP\/1\.1 400 .*subprotocol mqtt/s,
  ],
  [
    'another subprotocol',
    { headers: { 'Sec-WebSocket-Protocol': 'chat, mqttx' } },
    /^HTTP\/1\.1 400 .*subprotocol/s,
  ],
  ['an old version', { headers: { 'Sec-WebSocket-Version': '8' } }, /^HTTP\/1\.1 400 /],
  ['a key that is none', { headers: { 'Sec-WebSocket-Key': 'x' } }, /^HTTP\/1\.1 400 /],
  [
    'no upgrade',
    { headers: { Upgrade: undefined, Connection: undefined } },
    /^HTTP\/1\.1 426 .*no web page/s,
  ],
  ['too much', { headers: { 'X-Long': 'x'.repeat(limits.mqttUpgradeBytesMax) } }, /^HTTP\/1\.1 400 /],
];

test.each(refusals)('a handshake with %s is refused, counted and explained', async (_, options, answer) => {
  await using harness = await start();
  const client = harness.raw('ws');
  client.send(upgrade(options));
  await until(() => client.isClosed, 'the end');
  expect(client.received.toString()).toMatch(answer);
  expect(client.received.toString()).not.toContain(' 101 ');
  expect(harness.refusedConnections('websocket')).toBe(1);
  expect(harness.logger.lines.length).toBe(1);
});

test('plain MQTT on a port for WebSocket is told, and so is TLS', async () => {
  await using harness = await start();
  for (const bytes of [connect('device'), Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3])]) {
    const client = harness.raw('ws');
    client.send(bytes);
    await until(() => client.isClosed, 'the end');
  }
  expect(harness.refusedConnections('websocket')).toBe(2);
  expect(harness.logger.lines.join('\n')).toMatch(/set the client to ws:\/\/ or wss:\/\//);
});

test.each([
  ['text', frame(0x81, connect('device')), 1003],
  ['not masked', frame(0x82, connect('device'), false), 1002],
  ['compressed', frame(0xc2, connect('device')), 1002],
])('a frame that is %s closes the connection with its code', async (_, bytes, code) => {
  await using harness = await start();
  const client = await webSocketClient(harness);
  client.send(bytes);
  await until(() => client.isClosed, 'the end');
  expect([...client.received]).toEqual([0x88, 2, code >> 8, code & 255]);
  expect(harness.refusedConnections('websocket')).toBe(1);
  expect(harness.log.offers).toEqual([]);
});

test('a ping is answered; and of a flood that reads no answers, as many as the socket takes', async () => {
  await using harness = await start();
  const client = await webSocketClient(harness);
  client.send(frame(0x89, Buffer.from('hello')));
  await until(
    () => client.received.equals(Buffer.concat([Buffer.from([0x8a, 5]), Buffer.from('hello')])),
    'the pong',
  );
  const flood = await webSocketClient(harness);
  flood.socket.pause();
  const pings = Buffer.concat(Array.from({ length: 10_000 }, () => frame(0x89, Buffer.alloc(125))));
  collectGarbage();
  const before = process.memoryUsage().external;
  for (let time = 0; time < 100; time++) {
    flood.send(pings);
    await until(() => flood.socket.writableLength < pings.length, 'the socket');
  }
  collectGarbage();
  // 130 MB of pings, of which the answers would be as many.
  expect(process.memoryUsage().external - before).toBeLessThan(64 * 2 ** 20);
});

test('frames of any size that never end cost no memory beyond the budget, and MQTT before a login hardly any', async () => {
  await using harness = await start();
  harness.log.isHolding = true;
  const clients = await Promise.all(Array.from({ length: 16 }, () => webSocketClient(harness)));
  const message = publish('t', Buffer.alloc(900_000));
  // One endless frame each, of 2^40 bytes.
  for (const [index, client] of clients.entries())
    client.send(
      binary(connect(`device ${index}`)),
      Buffer.from([0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
      ...Array.from({ length: 8 }, () => message),
    );
  const { mqttPendingBytesMax } = limits;
  await until(
    () => harness.log.bytes() > mqttPendingBytesMax - 2 * message.length,
    'as many as fit into the common budget',
  );
  await until(() => clients.some(({ socket }) => socket.writableLength > 0), 'back-pressure');
  expect(harness.log.bytes()).toBeLessThanOrEqual(mqttPendingBytesMax);
  const stranger = await webSocketClient(harness);
  stranger.send(Buffer.from([0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]), publish('t', 'no login'));
  await until(() => stranger.isClosed, 'the end');
  harness.log.letGo();
  await until(() => harness.log.offers.length === 128, 'all of them');
});

test('a handshake that is never completed holds no place for ever', async () => {
  await using harness = await start();
  const client = harness.raw('ws');
  client.send(upgrade().subarray(0, 40));
  client.socket.end();
  await until(() => client.isClosed, 'the end');
  await until(
    () => harness.refusedConnections('handshake-aborted') + harness.refusedConnections('websocket') === 1,
    'the count',
  );
});

test('subscribers are served in frames of their own', async () => {
  await using harness = await start();
  const client = await webSocketClient(harness);
  client.send(binary(Buffer.concat([connect('both'), subscribe('#'), publish('t', 'hello', { qos: 0 })])));
  await until(() => client.received.includes('hello'), 'the message');
});
