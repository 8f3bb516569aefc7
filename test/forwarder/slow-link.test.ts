import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { SimCluster, SimTarget } from '../support/sim-target.ts';
import { simulatedForwarder } from '../support/simulated-forwarder.ts';
import { SlowLink } from '../support/slow-link.ts';
import { seededRandom, until, VirtualClock } from '../support/virtual-time.ts';

const random = seededRandom(7);

const reading = (noteBytes: number): LogRecord => ({
  key: Buffer.from('press-7/temperature'),
  value: Buffer.from(
    `{"value":${random.next()},"unit":"C","note":"${Buffer.from(random.bytes(noteBytes)).toString('base64')}"}`,
  ),
  timestampMs: 1_700_000_000_000,
  headers: [],
});

/** A backlog in segments, and the way to the cluster. */
function world(
  link: { readonly bytesPerSecond: () => number; readonly givesUp?: boolean },
  records = 8_000,
  noteBytes = 9,
) {
  const log = new LogWithLives();
  log.createTopic('readings', 1);
  const values = Array.from({ length: records }, () => reading(noteBytes));
  for (let from = 0; from < records; from += 100) log.append('readings', 0, values.slice(from, from + 100));
  log.seal('readings', 0);
  const cluster = new SimCluster();
  const clock = new VirtualClock();
  const target = new SimTarget({ cluster });
  const slow = new SlowLink({ target, cluster, clock, roundTripMs: 600, givesUp: true, ...link });
  const messages = new Set<string>();
  const targetOf = () => slow;
  const { forwarder } = simulatedForwarder({ log, clock, targetOf }, cluster);
  const drained = async (): Promise<void> => {
    forwarder.start();
    await until('everything has arrived', () => {
      messages.add(forwarder.status().message);
      return forwarder.status().lagRecords === 0 && forwarder.status().state === 'idle';
    });
    await forwarder.stop();
    expect(cluster.values('gw1.readings', 0)).toEqual(
      values.map(({ value }) => `${Buffer.from(value ?? [])}`),
    );
  };
  return { slow, clock, messages, drained };
}

describe('a link of a few kB/s', () => {
  test.each([
    [1_500, true],
    [2_000, true],
    [3_000, true],
    [4_400, true],
    [16_000, true],
    [2_000, false],
    [3_000, false],
    [4_400, false],
  ])('of %i bytes/s is enough for a backlog in segments; gives up in time: %s', async (rate, givesUp) => {
    const { slow, drained } = world({ bytesPerSecond: () => rate, givesUp });
    await drained();
    expect(slow.transactionsMs.slice(0, 5).some((ms) => ms !== null)).toBe(true);
    for (const ms of slow.transactionsMs) expect(ms ?? 0).toBeLessThan(limits.transactionTimeoutMs);
  });

  test('gets on again when it was fast before', async () => {
    let requests = 0;
    const fastRequests = 13;
    const bytesPerSecond = (): number => {
      requests += 1;
      return requests <= fastRequests ? 1_600_000 : 4_000;
    };
    const { slow, drained } = world({ bytesPerSecond, givesUp: false }, 6_000, 450);
    await drained();
    expect(slow.transactionsMs.filter((ms) => ms === null)).toHaveLength(1);
  });

  test('says that it is too slow, and does not suspect another gateway', async () => {
    const { messages, drained } = world({ bytesPerSecond: () => 3_000, givesUp: false });
    await drained();
    expect([...messages].join()).toMatch(/took 6\d s.*the link is too slow for it/);
    expect([...messages].join()).not.toContain(': fenced');
  });
});
