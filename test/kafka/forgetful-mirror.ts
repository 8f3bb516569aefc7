import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import { Forwarder } from '../../src/forwarder/forwarder.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { nodeRandom } from '../../src/platform/node-random.ts';
import { LogWithLives } from '../support/log-with-lives.ts';

/*
 * `node test/kafka/forgetful-mirror.ts HOST:PORT`, a process of its own so that bugs can be planted into it: the
 * mirror of a gateway with three readings that remembers nothing and so depends on the cluster. It prints how many
 * readings it sent once it has sent all, or once something keeps it from that.
 */
const log = new LogWithLives();
log.createTopic('readings', 1);
log.append(
  'readings',
  0,
  ['0', '1', '2'].map((value) => ({
    key: null,
    value: Buffer.from(value),
    timestampMs: Date.now(),
    headers: [],
  })),
);
const forwarder = new Forwarder({
  log,
  brokers: process.argv.slice(2),
  mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }),
  lingerMs: 0,
  onCheckpointLost: 'resume',
  board: null,
  clock: nodeClock,
  random: nodeRandom,
  logger: silentLogger,
  metrics: noMetrics,
});
forwarder.start();
for (;;) {
  const { state, lagRecords, lastError } = forwarder.status();
  if (lastError !== null || (state === 'idle' && lagRecords === 0)) break;
  await nodeClock.sleep(20);
}
const { recordsAcknowledged } = forwarder.status();
await forwarder.stop();
console.log(`sent ${recordsAcknowledged}`);
