import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { Harness, until } from '../ingest/mqtt/harness.ts';
import { connect, pubackIds, publish, subscribe } from '../ingest/mqtt/packets.ts';

/* What only real time shows: these wait until a limit of seconds is over. */

test('a subscriber that stops reading holds up its publishers no longer than the limit', async () => {
  await using harness = await Harness.start();
  const frozen = harness.raw();
  frozen.send(connect('frozen'), subscribe('#', 0));
  await until(() => frozen.received.length >= 9, 'the SUBACK');
  frozen.socket.pause();
  const device = harness.raw();
  device.send(connect('device'));
  const count = 300;
  for (let id = 1; id <= count; id++) device.send(publish('t', Buffer.alloc(100_000), { id }));
  await until(() => pubackIds(device.received).length === count, 'all PUBACKs');
  expect(harness.refusedConnections('slow-subscriber')).toBe(1);
}, 30_000);

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
