import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { limits } from '../src/core/limits.ts';
import { startGateway } from '../test/support/gateway-process.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { median, type Result, rounded } from './result.ts';

/** Below what waits for one subscriber at most, so that each of these messages is queued. */
const MESSAGES = Math.floor(limits.mqttSessionQueuedMax * 0.9);
const PAYLOAD_BYTES = 149;
const cases = ['nobody', 'absent', 'absent with a full queue'] as const;

interface Latency {
  readonly medianMs: number;
  readonly p99Ms: number;
}

/**
 * Milliseconds from a PUBLISH at QoS 1 to its PUBACK, one message at a time, with a commit interval of 0: with no
 * subscriber, with one on `#` with a lasting session that is away, and with one for whom no more is queued.
 */
export async function absentBenchmark({ repeat }: { readonly repeat: number }): Promise<Result> {
  const found = new Map<(typeof cases)[number], Latency[]>(cases.map((name) => [name, []]));
  for (let run = 1; run <= repeat; run += 1) {
    for (const name of cases) {
      const latency = await measured(name);
      found.get(name)?.push(latency);
      console.log(
        `${run}/${repeat} ${name.padEnd(26)} median ${rounded(latency.medianMs)} ms, p99 ${rounded(latency.p99Ms)} ms`,
      );
    }
  }
  const of = (name: (typeof cases)[number], key: keyof Latency): number =>
    rounded(median((found.get(name) ?? []).map((latency) => latency[key])));
  const texts = cases.map((name) => `${name} ${of(name, 'medianMs')} (p99 ${of(name, 'p99Ms')})`);
  return {
    summary: `goal the same, got PUBACK after, in ms: ${texts.join(', ')}`,
    broken: [],
    figures: Object.fromEntries(
      cases.flatMap((name) => [
        [`${name} median ms`, of(name, 'medianMs')],
        [`${name} p99 ms`, of(name, 'p99Ms')],
      ]),
    ),
  };
}

async function measured(name: (typeof cases)[number]): Promise<Latency> {
  await using folder = await temporaryFolder();
  const set = ['data.commitIntervalMs=0'];
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data'), set });
  const address = `mqtt://${gateway.mqtt}`;
  if (name !== 'nobody') {
    const subscriber = await connectAsync(address, { clientId: 'absent', clean: false });
    await subscriber.subscribeAsync('#', { qos: 1 });
    await subscriber.endAsync();
  }
  const device = await connectAsync(address);
  // Warm in any case, and with the queue full where that is asked for.
  const first = name === 'absent with a full queue' ? limits.mqttSessionQueuedMax : 50;
  await latencies(device, first);
  const all = (await latencies(device, MESSAGES)).toSorted((one, other) => one - other);
  await device.endAsync();
  return { medianMs: median(all), p99Ms: all[Math.floor(all.length * 0.99)] ?? Number.NaN };
}

async function latencies(device: MqttClient, count: number): Promise<number[]> {
  const payload = Buffer.alloc(PAYLOAD_BYTES, 'x');
  const found: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const sentMs = performance.now();
    await device.publishAsync(`sensors/${index % 20}`, payload, { qos: 1 });
    found.push(performance.now() - sentMs);
  }
  return found;
}
