import { connect as connectTcp } from 'node:net';
import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { Harness, noQos2Log, plainListener, until } from '../ingest/mqtt/harness.ts';
import { connect, pubackIds, publish, subscribe } from '../ingest/mqtt/packets.ts';
import { tlsSite } from '../ingest/mqtt/tls-site.ts';
import { binary, webSocketClient } from '../ingest/mqtt/websocket-client.ts';

/* What only real time shows: these wait until a limit of seconds is over, those of 20 s side by side. */

test.each(['mqtt', 'ws'] as const)(
  'a subscriber by %s that stops reading holds up its publishers no longer than the limit',
  async (kind) => {
    await using harness = await Harness.start(noQos2Log, {
      listeners: [plainListener, { ...plainListener, kind: 'ws' }],
    });
    const frozen = kind === 'ws' ? await webSocketClient(harness) : harness.raw();
    const wrapped = kind === 'ws' ? binary : (packet: Buffer): Buffer => packet;
    const before = frozen.received.length;
    const acknowledged = before + 9 + (kind === 'ws' ? 4 : 0);
    frozen.send(wrapped(connect('frozen')), wrapped(subscribe('#', 0)));
    await until(() => frozen.received.length >= acknowledged, 'the SUBACK');
    frozen.socket.pause();
    const device = harness.raw();
    device.send(connect('device'));
    const count = 300;
    for (let id = 1; id <= count; id++) device.send(publish('t', Buffer.alloc(100_000), { id }));
    await until(() => pubackIds(device.received).length === count, 'all PUBACKs');
    expect(harness.refusedConnections('slow-subscriber')).toBe(1);
  },
  30_000,
);

test('a stop is bounded although the log never answers; the client gets no acknowledgement', async () => {
  await using harness = await Harness.start();
  harness.log.isHolding = true;
  const device = harness.raw();
  device.send(connect('device'), publish('t', 'x'));
  await until(() => harness.log.offers.length === 1, 'the offer');
  const startMs = nodeClock.monotonicMs();
  await harness.ingest.stop();
  expect(nodeClock.monotonicMs() - startMs).toBeLessThan(2 * limits.mqttStopMs + 1000);
  await until(() => device.isClosed, 'the end');
  expect(pubackIds(device.received)).toEqual([]);
});

test.concurrent.each(['mqtts', 'ws', 'wss'] as const)(
  'who begins a handshake for %s and does not complete it is cut off in time, and told apart from others',
  async (kind) => {
    await using site = await tlsSite('off', [kind]);
    const { harness } = site;
    const startMs = nodeClock.monotonicMs();
    const silent = harness.raw(kind);
    const slow = harness.raw(kind);
    slow.send(kind === 'ws' ? Buffer.from('GET / HT') : Buffer.from([22, 3, 1, 2, 0, 1]));
    const endMs = startMs + limits.mqttHandshakeTimeoutMs + 5_000;
    while (!(silent.isClosed && slow.isClosed) && nodeClock.monotonicMs() < endMs) await nodeClock.sleep(50);
    expect([silent.isClosed, slow.isClosed]).toEqual([true, true]);
    expect(nodeClock.monotonicMs() - startMs).toBeGreaterThan(limits.mqttHandshakeTimeoutMs - 1_500);
    expect(harness.refusedConnections('handshake-timeout')).toBe(2);
  },
  40_000,
);

test.concurrent('who is refused by WebSocket and does not close its side gives its place free all the same', async () => {
  await using harness = await Harness.start(noQos2Log, {
    listeners: [plainListener, { ...plainListener, kind: 'ws' }],
  });
  const stubborn = Array.from({ length: limits.mqttConnectionsMax }, () => {
    const socket = connectTcp({ host: '127.0.0.1', port: harness.port('ws'), allowHalfOpen: true });
    socket.on('error', () => {}).resume();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    return socket;
  });
  try {
    await until(() => harness.refusedConnections('websocket') === stubborn.length, 'their refusals');
    const early = harness.raw();
    await until(() => early.isClosed, 'the bound');
    expect(harness.refusedConnections('too-many-connections')).toBe(1);
    const endMs = nodeClock.monotonicMs() + limits.mqttHandshakeTimeoutMs + 5_000;
    let isIn = false;
    while (!isIn && nodeClock.monotonicMs() < endMs) {
      const late = harness.raw();
      late.send(connect('late'));
      await until(() => late.isClosed || late.received.length > 0, 'a decision');
      isIn = late.received.length > 0;
      await nodeClock.sleep(500);
    }
    expect(isIn).toBe(true);
    expect(harness.refusedConnections('handshake-timeout')).toBe(0);
  } finally {
    for (const socket of stubborn) socket.destroy();
  }
}, 60_000);
