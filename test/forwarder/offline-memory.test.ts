import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import { Forwarder } from '../../src/forwarder/forwarder.ts';
import { collectGarbage } from '../support/collect-garbage.ts';
import { LogWithLives } from '../support/log-with-lives.ts';
import { seededRandom, until, VirtualClock } from '../support/virtual-time.ts';

const KIB = 1024;
const attempts = 400;
/** A client that kept something of every attempt would keep a connection's buffers: tens of kilobytes. */
const growthPerAttemptMax = 4 * KIB;

async function closedPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : '';
}

test('memory does not grow while the cluster is away, however often it is tried', async () => {
  const log = new LogWithLives();
  log.createTopic('readings', 1);
  log.append('readings', 0, [{ key: null, value: Buffer.from('x'), timestampMs: 1, headers: [] }]);
  const clock = new VirtualClock();
  const forwarder = new Forwarder({
    log,
    brokers: [await closedPort(), await closedPort()],
    mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }),
    lingerMs: 0,
    onCheckpointLost: 'resume',
    board: null,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    metrics: noMetrics,
  });
  forwarder.start();
  const heapAfter = async (count: number): Promise<number> => {
    await until(`${count} attempts`, () => clock.sleeps.length >= count);
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = await heapAfter(attempts / 2);
  const after = await heapAfter(attempts / 2 + attempts);
  await forwarder.stop();
  expect((after - before) / attempts).toBeLessThan(growthPerAttemptMax);
  expect(forwarder.status().message).toMatch(/stopped/);
});
