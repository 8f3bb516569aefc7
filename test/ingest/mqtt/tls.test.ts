import { connect as connectTcp } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { certificateAuthority } from '../../support/certificates.ts';
import { Harness, noQos2Log, plainListener, until } from './harness.ts';
import { CONNACK_ACCEPTED, connect, disconnect, pubackIds, publish, subscribe } from './packets.ts';
import { TestTls, tlsSite } from './tls-site.ts';

test('MQTT.js publishes with each QoS over mqtts, and its connection is counted', async () => {
  await using site = await tlsSite();
  const { harness, serverCa } = site;
  const client = await harness.client({ protocol: 'mqtts', ca: serverCa.certificate });
  await client.publishAsync('t', 'zero', { qos: 0 });
  await client.publishAsync('t', 'one', { qos: 1 });
  await until(() => harness.log.offers.length === 2, 'both');
  expect(harness.log.values()).toEqual(['zero', 'one']);
  expect(harness.connections('mqtts')).toBe(1);
  await client.endAsync();
  await until(() => harness.connections('mqtts') === 0, 'the end');
});

test('a device that has sent all and closed its side still gets its acknowledgements by TLS', async () => {
  await using site = await tlsSite();
  site.harness.log.isHolding = true;
  const socket = await site.dial({ allowHalfOpen: true } as ConnectionOptions);
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  socket.end(Buffer.concat([connect('device'), publish('t', 'x', { id: 7 }), disconnect]));
  await until(() => site.harness.log.offers.length === 1, 'the offer');
  site.harness.log.letGo();
  await until(() => received.length === 8, 'the answers');
  expect([...received.subarray(0, 4)]).toEqual(CONNACK_ACCEPTED);
  expect(pubackIds(received)).toEqual([7]);
});

test('a publisher faster than the log, and a subscriber that does not read, are held back through TLS', async () => {
  await using site = await tlsSite();
  const { harness } = site;
  harness.log.isHolding = true;
  const socket = await site.dial();
  socket.write(connect('device'));
  const message = publish('t', Buffer.alloc(100_000));
  for (let sent = 0; sent < 200; sent++) socket.write(message);
  await until(
    () => harness.log.bytes() > limits.mqttClientPendingBytesMax - 2 * message.length,
    'its budget',
  );
  await until(() => socket.writableLength > 0 && socket.writableNeedDrain, 'back-pressure');
  expect(harness.log.bytes()).toBeLessThanOrEqual(limits.mqttClientPendingBytesMax);
  harness.log.letGo();
  await until(() => harness.log.offers.length === 200, 'all of them');
});

test.each([
  ['plain MQTT', connect('device'), 'no-tls'],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'no-tls'],
  ['garbage', Buffer.alloc(3000, 0x41), 'no-tls'],
  [
    'a record that is too long',
    Buffer.concat([Buffer.from([22, 3, 1, 255, 255]), Buffer.alloc(70_000)]),
    'no-tls',
  ],
])('%s on a port with TLS is refused, counted and explained', async (_, bytes, reason) => {
  await using site = await tlsSite();
  const client = site.harness.raw('mqtts');
  client.send(bytes);
  await until(() => client.isClosed, 'the end');
  expect(site.harness.refusedConnections(reason)).toBe(1);
  expect(site.harness.logger.lines.join('\n')).toMatch(/does not speak TLS; turn TLS on .*127\.0\.0\.1:\d+/);
});

test('a client that goes away during the handshake is counted as such', async () => {
  await using site = await tlsSite();
  const socket = connectTcp(site.harness.port('mqtts'), '127.0.0.1');
  socket.end(Buffer.from([22, 3, 1, 2, 0, 1]));
  await until(() => site.harness.refusedConnections('handshake-aborted') === 1, 'the count');
  await expect(site.dial({ ca: [certificateAuthority('other').certificate] })).rejects.toThrow(/certificate/);
  await until(() => site.harness.refusedConnections('handshake-aborted') === 2, 'the count');
});

test('TLS 1.1 and ciphers without ECDHE are refused', async () => {
  await using site = await tlsSite();
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  await expect(site.dial(old)).rejects.toThrow();
  await expect(site.dial({ maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' })).rejects.toThrow();
  expect(site.harness.refusedConnections('tls-version')).toBe(2);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await site.dial({ minVersion: version, maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
  }
});

test('another certificate counts for connections to come, and those that are there stay', async () => {
  await using site = await tlsSite();
  const before = await site.harness.client({ protocol: 'mqtts', ca: site.serverCa.certificate });
  const renewed = certificateAuthority('renewed CA');
  const { certificate, key } = renewed.issue({ name: 'gw1', hosts: ['127.0.0.1'] });
  site.tls.change({ cert: certificate, key });
  await expect(site.dial()).rejects.toThrow(/certificate/);
  await site.dial({ ca: renewed.certificate });
  await before.publishAsync('t', 'still here', { qos: 1 });
});

test('without a certificate nobody gets in, and with one that comes later everybody', async () => {
  const tls = new TestTls(null);
  await using harness = await Harness.start(noQos2Log, {
    listeners: [{ ...plainListener, kind: 'mqtts', tls }],
  });
  const early = harness.raw('mqtts');
  await until(() => early.isClosed, 'the end');
  expect(harness.refusedConnections('tls')).toBe(1);
  const { certificate, key } = certificateAuthority('late').issue({ name: 'gw1', hosts: ['127.0.0.1'] });
  tls.change({ cert: certificate, key });
  const client = await harness.client({ protocol: 'mqtts', rejectUnauthorized: false });
  await client.publishAsync('t', 'x', { qos: 1 });
});

test('connections count from their first packet on, and all listeners together have one bound', async () => {
  const credentials = certificateAuthority('ca').issue({ name: 'gw1' });
  const tls = new TestTls({ cert: credentials.certificate, key: credentials.key });
  await using harness = await Harness.start(noQos2Log, {
    listeners: [plainListener, { ...plainListener, kind: 'mqtts', tls }],
  });
  const half = limits.mqttConnectionsMax / 2;
  const waiting = Array.from({ length: half }, () => [harness.raw(), harness.raw('mqtts')]).flat();
  const taken = (): number => waiting.filter(({ socket }) => socket.readyState === 'open').length;
  await until(() => taken() === limits.mqttConnectionsMax, 'all of them');
  for (const kind of ['mqtt', 'mqtts'] as const) {
    const late = harness.raw(kind);
    await until(() => late.isClosed, 'the refusal');
  }
  expect(harness.refusedConnections('too-many-connections')).toBe(2);
  const stopped = harness.ingest.stop();
  await until(() => waiting.every(({ isClosed }) => isClosed), 'their ends');
  await stopped;
  // A stop is nobody's fault.
  expect(harness.refusedConnections('handshake-aborted')).toBe(0);
});

test('a flood of bad handshakes costs few lines of the log, and keeps nobody from publishing', async () => {
  await using site = await tlsSite();
  const { harness } = site;
  const client = await harness.client({ protocol: 'mqtts', ca: site.serverCa.certificate });
  const bad = Array.from({ length: 300 }, () => harness.raw('mqtts'));
  for (const one of bad) one.send(publish('t', 'not TLS'));
  await client.publishAsync('t', 'meanwhile', { qos: 1 });
  await until(() => bad.every(({ isClosed }) => isClosed), 'their ends');
  expect(harness.refusedConnections('no-tls')).toBe(300);
  expect(harness.logger.lines.length).toBeLessThanOrEqual(limits.mqttRefusalLinesMax);
  await client.subscribeAsync('x');
});

test('subscribers are served through TLS', async () => {
  await using site = await tlsSite();
  const socket = await site.dial();
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  socket.write(
    Buffer.concat([connect('both'), subscribe('#'), publish('t', 'x'.repeat(100_000), { qos: 0 })]),
  );
  await until(() => received.length > 100_000, 'the message');
});
