import { expect, test } from 'vitest';
import { OperatingError } from '../../../src/core/errors.ts';
import { ConnectedClients } from '../../../src/ingest/mqtt/connected-clients.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { Harness, until } from './harness.ts';

test('who is connected is known, with what has come from it; who is refused or gone is not', async () => {
  await using harness = await Harness.start();
  harness.access.set('pump', { password: 'secret' });
  const startedMs = Date.now();
  const pump = await harness.client({ clientId: 'pump-1', username: 'pump', password: 'secret' });
  await harness.client({ clientId: 'idle' });
  harness.unconnectedClient({ clientId: 'stranger', username: 'pump', password: 'wrong' });
  await until(() => harness.refusedConnections('bad-login') === 1, 'the refusal');
  await pump.publishAsync('t', 'one', { qos: 1 });
  await pump.publishAsync('t', 'two', { qos: 1 });

  const [idle, busy, ...others] = harness.ingest.clients();
  expect(others).toEqual([]);
  expect(idle).toMatchObject({ id: 'idle', user: null, messages: 0, lastMessageMs: null, dropped: 0 });
  expect(busy).toMatchObject({ id: 'pump-1', user: 'pump', listener: 'mqtt', messages: 2, lastDrop: null });
  expect(busy?.address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(busy?.connectedMs).toBeGreaterThanOrEqual(startedMs);
  expect(busy?.lastMessageMs).toBeGreaterThanOrEqual(busy?.connectedMs ?? Number.POSITIVE_INFINITY);

  await pump.endAsync();
  await until(() => harness.ingest.clients().length === 1, 'its end');
  expect(harness.ingest.clients()).toMatchObject([{ id: 'idle' }]);
});

test('a message counts once it is durable; one that is dropped says why', async () => {
  await using harness = await Harness.start();
  harness.access.set('', { publish: ['mine/#'] });
  const client = await harness.client({ clientId: 'device' });
  const counts = () => harness.ingest.clients().map(({ messages, dropped }) => [messages, dropped]);
  client.publish('elsewhere', 'not allowed', { qos: 0 });
  await until(() => counts()[0]?.[1] === 1, 'the drop');
  expect(harness.ingest.clients()[0]?.lastDrop?.message).toMatch(
    /may not publish to elsewhere; if it should, see headwater devices set/,
  );

  harness.log.isHolding = true;
  const sent = client.publishAsync('mine/a', 'held', { qos: 1 });
  await until(() => harness.log.offers.length === 1, 'the offer');
  expect(counts()).toEqual([[0, 1]]);
  harness.log.letGo();
  await sent;
  expect(counts()).toEqual([[1, 1]]);

  harness.log.failWith = new OperatingError('log-unavailable', 'the disk is full');
  client.publish('mine/a', 'not taken', { qos: 0 });
  await until(() => counts()[0]?.[1] === 2, 'the second drop');
  expect(harness.ingest.clients()[0]?.lastDrop?.message).toBe('the disk is full');
});

test('a client that takes the place of another one counts anew', async () => {
  await using harness = await Harness.start();
  const before = await harness.client({ clientId: 'device' });
  await before.publishAsync('t', 'x', { qos: 1 });
  await harness.client({ clientId: 'device' });
  await until(() => !before.connected && harness.ingest.clients().length === 1, 'the change');
  expect(harness.ingest.clients()).toMatchObject([{ id: 'device', messages: 0 }]);
});

test('times are by the clock as it is now, also if it was wrong when the client came', () => {
  const clock = new ManualClock();
  const clients = new ConnectedClients(clock);
  const client = {};
  clients.connected(client, { id: 'a', user: null, address: '192.0.2.1:1024', listener: 'mqtt' });
  clients.stored(client);
  clients.dropped(client, 'the disk is full');
  const dayMs = 24 * 3600 * 1000;
  clock.setWallBy(3 * dayMs);
  const nowMs = clock.wallMs();
  expect(clients.list()).toMatchObject([
    { connectedMs: nowMs, lastMessageMs: nowMs, lastDrop: { message: 'the disk is full', atMs: nowMs } },
  ]);
});
