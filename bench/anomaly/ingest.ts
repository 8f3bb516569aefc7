import { setTimeout as sleep } from 'node:timers/promises';
import { statusOf } from '../../test/kafka/oracles.ts';
import { startGateway } from '../../test/support/gateway-process.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { durableIn } from '../mqtt-servers.ts';
import { cpuSecondsOf } from '../process-cpu.ts';
import { rssOfProcess } from '../process-memory.ts';
import { publishing } from '../publishing.ts';

const WARM_UP_MS = 5_000;
const MEASURE_MS = 15_000;
const DEVICES = 300;

/** How a gateway fares under a steady load. */
export interface Ingested {
  /** Readings that became durable, a second. */
  readonly perSecond: number;
  /** Of one core. */
  readonly cpuPercent: number;
  /** Durable readings that were not judged yet at the end; 0 without detection. */
  readonly waiting: number;
  readonly rssMb: number;
}

const topicOf = (index: number): string => `sensors/${index % DEVICES}`;
/** One number that wanders, with the noise of a sensor. */
const payloadOf = (index: number): string =>
  JSON.stringify({
    temperature: Number((20 + 5 * Math.sin(index / 7000) + ((index * 7919) % 997) / 997).toFixed(2)),
  });

/** Publishes so many readings a second, of 300 series and with QoS 1, to a gateway with or without detection. */
export async function ingestedAt(readingsPerSecond: number, isDetecting: boolean): Promise<Ingested> {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({
    dataDir: `${folder.path}/data`,
    set: [`anomaly.enabled=${isDetecting}`],
  });
  const sensors = await publishing(gateway.mqtt, readingsPerSecond, { topicOf, payloadOf });
  await sleep(WARM_UP_MS);
  const before = { ms: performance.now(), cpu: cpuSecondsOf(gateway.pid), durable: await durableIn(gateway) };
  await sleep(MEASURE_MS);
  const durable = (await durableIn(gateway)) - before.durable;
  const seconds = (performance.now() - before.ms) / 1000;
  const cpuPercent = (100 * (cpuSecondsOf(gateway.pid) - before.cpu)) / seconds;
  const waiting = (await statusOf(gateway)).anomaly?.lagRecords ?? 0;
  const rssMb = await rssOfProcess(gateway.pid);
  await sensors.stop();
  return { perSecond: durable / seconds, cpuPercent, waiting, rssMb };
}
