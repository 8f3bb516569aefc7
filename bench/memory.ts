import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../src/core/logger.ts';
import { noMetrics } from '../src/core/metrics.ts';
import { WorkerSealer } from '../src/edge/worker-sealer.ts';
import { TopicMapping } from '../src/forwarder/cluster/topic-mapping.ts';
import { Forwarder } from '../src/forwarder/forwarder.ts';
import { Log } from '../src/log/log.ts';
import { prepareDataFolder } from '../src/platform/data-folder.ts';
import { NodeDisk } from '../src/platform/node-disk.ts';
import { nodeRandom } from '../src/platform/node-random.ts';
import { statusOf } from '../test/kafka/oracles.ts';
import { freePorts } from '../test/kafka/ports.ts';
import { collectGarbage } from '../test/support/collect-garbage.ts';
import { startGateway } from '../test/support/gateway-process.ts';
import { ManualClock } from '../test/support/manual-clock.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { deviceOf, PARTITIONS, reading } from './backlog.ts';
import { rssOfProcess } from './process-memory.ts';
import { publishing } from './publishing.ts';
import { type Result, rounded } from './result.ts';

const READINGS_PER_SECOND = 2000;
const STEP_MS = 100;
const KEEP_HOUSE_MS = 30_000;
/**
 * In virtual time. Before the hour that is measured, caches that are bounded fill, and sealing works the three times, 14 minutes apart, after which
 * its buffers have found their places.
 */
const WARM_UP_MINUTES = 40;
const MEASURED_MINUTES = 60;
const SAMPLE_MS = 5_000;
const REAL_WARM_UP_SAMPLES = 12;
const REAL_SAMPLES = 60;
const GOAL_MB = 10;

/** RSS over time, MB. */
interface Rss {
  readonly min: number;
  readonly max: number;
}

/**
 * Whether memory stays flat while the cluster is away: an hour with 2,000 readings a second, in virtual time on a real disk, in this process; and
 * the whole gateway for five real minutes, with its retries. RSS after a warm-up must stay within 10 MB of its middle.
 */
export async function memoryBenchmark(): Promise<Result> {
  const hour = await hourOfOutage();
  console.log(`an hour of outage: ${described(hour)}`);
  const real = await minutesOfRetries();
  console.log(`five minutes with retries: ${described(real)}`);
  const broken = [hour, real]
    .filter((rss) => spread(rss) > GOAL_MB)
    .map((rss) => `memory is not flat: ${described(rss)}`);
  for (const promise of broken) console.error(`BROKEN: ${promise}`);
  return {
    summary: `goal ± ${GOAL_MB} MB, got ${described(hour)} in an hour of outage, ${described(real)} in five minutes with retries`,
    broken,
    figures: {
      'an hour of outage, least RSS, MB': rounded(hour.min),
      'an hour of outage, most RSS, MB': rounded(hour.max),
      'five minutes with retries, least RSS, MB': rounded(real.min),
      'five minutes with retries, most RSS, MB': rounded(real.max),
    },
  };
}

const spread = ({ min, max }: Rss): number => (max - min) / 2;
const described = (rss: Rss): string =>
  `± ${rounded(spread(rss))} MB (${Math.round(rss.min)} to ${Math.round(rss.max)} MB)`;

const rssOf = (samples: readonly number[]): Rss => ({ min: Math.min(...samples), max: Math.max(...samples) });

async function hourOfOutage(): Promise<Rss> {
  await using folder = await temporaryFolder();
  const dataDir = await prepareDataFolder(folder.path);
  const clock = new ManualClock();
  const sealer = new WorkerSealer(dataDir, noMetrics);
  const shared = { clock, random: nodeRandom, logger: silentLogger, metrics: noMetrics };
  const log = await Log.open({
    ...shared,
    disk: new NodeDisk(dataDir),
    sealer,
    version: 'bench',
    commitIntervalMs: 0,
  });
  await log.createTopic('readings', PARTITIONS);
  const forwarder = new Forwarder({
    ...shared,
    log,
    brokers: (await freePorts(2)).map((port) => `127.0.0.1:${port}`),
    mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }),
    lingerMs: 1000,
    onCheckpointLost: 'resume',
    board: null,
  });
  forwarder.start();
  try {
    return rssOf(await playHour(log, clock));
  } finally {
    await forwarder.stop();
    await log.close();
    await sealer.stop();
  }
}

/**
 * RSS after each minute of virtual time, MB, without those of the warm-up. The garbage of a minute is collected at its end: it comes sixty
 * times as fast here, so that the collector would let far more of it lie than in real time.
 */
async function playHour(log: Log, clock: ManualClock): Promise<readonly number[]> {
  const samples: number[] = [];
  const perStep = (READINGS_PER_SECOND * STEP_MS) / 1000;
  for (let ms = 0; ms < (WARM_UP_MINUTES + MEASURED_MINUTES) * 60_000; ms += STEP_MS) {
    const first = (ms / STEP_MS) * perStep;
    await log.append(
      Array.from({ length: perStep }, (_, at) => ({
        topic: 'readings',
        key: Buffer.from(deviceOf(first + at)),
        value: Buffer.from(reading(first + at)),
        receivedMs: clock.monotonicMs(),
        headers: [],
      })),
    );
    clock.pass(STEP_MS);
    if (ms % KEEP_HOUSE_MS === 0) log.keepHouse();
    await setImmediate();
    if (ms % 60_000 !== 0) continue;
    collectGarbage();
    const megabytes = process.memoryUsage().rss / 1e6;
    if (ms >= WARM_UP_MINUTES * 60_000) samples.push(megabytes);
    if (ms % 600_000 === 0) console.log(`minute ${ms / 60_000}: ${Math.round(megabytes)} MB`);
  }
  return samples;
}

async function minutesOfRetries(): Promise<Rss> {
  await using folder = await temporaryFolder();
  const [port = 0] = await freePorts(1);
  await using gateway = await startGateway({
    dataDir: `${folder.path}/data`,
    set: [`forwarder.brokers=[127.0.0.1:${port}]`, `topics.readings.partitions=${PARTITIONS}`],
  });
  const sensors = await publishing(gateway.mqtt, READINGS_PER_SECOND);
  const samples: number[] = [];
  try {
    for (let count = 0; count < REAL_WARM_UP_SAMPLES + REAL_SAMPLES; count += 1) {
      await sleep(SAMPLE_MS);
      if (count >= REAL_WARM_UP_SAMPLES) samples.push(await rssOfProcess(gateway.pid));
    }
    const { forwarder } = await statusOf(gateway);
    console.log(`${forwarder?.lagRecords} readings wait, ${forwarder?.retries[0]?.count} retries`);
  } finally {
    await sensors.stop();
  }
  return rssOf(samples);
}
