import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { startGateway } from '../test/support/gateway-process.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import type { Flood } from './flood-load.ts';
import { Latencies } from './latencies.ts';
import { durableIn } from './mqtt-servers.ts';
import { mostRssOfProcess, rssOfProcess } from './process-memory.ts';
import { type Result, rounded } from './result.ts';

const CONNECTIONS = 999;
const PAYLOAD_BYTES = 149;
const FLOOD_MS = 20_000;
const GOAL_MB = 320;
/** Of the other client, between an answer and its next message. */
const PAUSE_MS = 20;

/**
 * Clients that publish with QoS 0 as fast as TCP takes it, as many as the gateway lets in but one: what memory it takes, and how
 * the last one fares, which publishes with QoS 1.
 */
export async function floodBenchmark(): Promise<Result> {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({ dataDir: `${folder.path}/data` });
  const idleMb = await rssOfProcess(gateway.pid);
  const other = await connectAsync(`mqtt://${gateway.mqtt}`);
  const flood: Flood = {
    port: Number(gateway.mqtt.split(':')[1]),
    connections: CONNECTIONS,
    payloadBytes: PAYLOAD_BYTES,
  };
  const child = fork(join(import.meta.dirname, 'flood-load.ts'), [JSON.stringify(flood)]);
  const exited = once(child, 'exit');
  const latencies = new Latencies();
  try {
    await Promise.race([once(child, 'message'), exited.then(() => Promise.reject(new Error('no flood')))]);
    const endMs = performance.now() + FLOOD_MS;
    while (performance.now() < endMs) {
      const sentMs = performance.now();
      await other.publishAsync('other', 'x', { qos: 1 });
      latencies.add(performance.now() - sentMs);
      await sleep(PAUSE_MS);
    }
  } finally {
    child.kill('SIGKILL');
    await exited;
    await other.endAsync(true);
  }
  const mostMb = await mostRssOfProcess(gateway.pid);
  const perSecond = (await durableIn(gateway)) / (FLOOD_MS / 1000);
  const broken = mostMb > GOAL_MB ? [`RSS rose to ${Math.round(mostMb)} MB, ${GOAL_MB} at most`] : [];
  for (const promise of broken) console.error(`BROKEN: ${promise}`);
  const [medianMs, p99Ms] = [latencies.quantile(0.5), latencies.quantile(0.99)];
  return {
    summary:
      `goal RSS at most ${GOAL_MB} MB, got ${Math.round(mostMb)} MB (${Math.round(idleMb)} at first): ${CONNECTIONS} clients of QoS 0, ` +
      `${Math.round(perSecond)} messages/s stored; a client of QoS 1 beside them p50 ${rounded(medianMs)} ms, p99 ${rounded(p99Ms)} ms`,
    broken,
    figures: {
      clients: CONNECTIONS,
      'RSS at first, MB': rounded(idleMb),
      'most RSS, MB': rounded(mostMb),
      'messages stored per second': Math.round(perSecond),
      'client of QoS 1, median latency, ms': rounded(medianMs),
      'client of QoS 1, p99 latency, ms': rounded(p99Ms),
    },
  };
}
