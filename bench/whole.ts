import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster } from '../test/kafka/cluster.ts';
import { drained } from '../test/kafka/oracles.ts';
import { type RunningGateway, startGateway } from '../test/support/gateway-process.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { PARTITIONS, READING_BYTES } from './backlog.ts';
import { nextOf, startLoad } from './load-process.ts';
import { durableIn } from './mqtt-servers.ts';
import { cpuSecondsOf } from './process-cpu.ts';
import { rssOfProcess } from './process-memory.ts';
import { publishing } from './publishing.ts';
import { median, type Result, rounded } from './result.ts';

const STEADY_PER_SECOND = 2_000;
/** V8 goes on compiling for so long: the fewer messages a second, the longer. */
const WARM_UP_MS = { steady: 40_000, full: 8_000 };
const MEASURE_MS = 20_000;
/** CPU microseconds from PUBLISH to Kafka. Mosquitto with Telegraf was measured at 44 to 51 at full rate, without ever syncing. */
const GOAL_MICROS = 25;

/** What the gateway spent on so many messages, from the first PUBLISH to the last acknowledgement by Kafka. */
interface Spent {
  readonly messages: number;
  readonly cpuMicros: number;
  /** From PUBLISH to PUBACK. */
  readonly perSecond: number;
  readonly rssMb: number;
}

/**
 * CPU of the whole gateway with a real Kafka behind it, from PUBLISH of QoS 1 to the acknowledgement of its transaction: at 2,000
 * messages a second, and as fast as it takes them.
 */
export async function wholeBenchmark({ repeat }: { readonly repeat: number }): Promise<Result> {
  const cluster = await startCluster({ brokers: 1 });
  const steady: Spent[] = [];
  const full: Spent[] = [];
  try {
    for (let run = 1; run <= repeat; run += 1) {
      steady.push(await measured(cluster, `steady-${run}`, steadily, WARM_UP_MS.steady));
      console.log(`${run}/${repeat} at ${STEADY_PER_SECOND}/s: ${described(steady.at(-1))}`);
      full.push(await measured(cluster, `full-${run}`, atFullRate, WARM_UP_MS.full));
      console.log(`${run}/${repeat} at full rate: ${described(full.at(-1))}`);
    }
  } finally {
    await cluster.close();
  }
  const of = (runs: readonly Spent[], name: keyof Spent): number => median(runs.map((one) => one[name]));
  const figures = (name: string, runs: readonly Spent[]): Record<string, number> => ({
    [`${name}, CPU microseconds per message`]: rounded(of(runs, 'cpuMicros')),
    [`${name}, messages per second`]: Math.round(of(runs, 'perSecond')),
    [`${name}, RSS at the end, MB`]: rounded(of(runs, 'rssMb')),
  });
  return {
    summary:
      `goal ${GOAL_MICROS} µs CPU per message from PUBLISH to Kafka, got ${rounded(of(steady, 'cpuMicros'))} at ` +
      `${STEADY_PER_SECOND}/s and ${rounded(of(full, 'cpuMicros'))} at full rate (${Math.round(of(full, 'perSecond'))}/s)`,
    broken: [],
    figures: { ...figures(`${STEADY_PER_SECOND} a second`, steady), ...figures('full rate', full) },
  };
}

const described = (spent: Spent | undefined): string =>
  spent === undefined
    ? ''
    : `${rounded(spent.cpuMicros)} µs CPU for each of ${spent.messages} messages, ${Math.round(spent.perSecond)}/s`;

type Publishing = (gateway: RunningGateway, ms: number) => Promise<void>;

async function measured(
  cluster: Cluster,
  name: string,
  publish: Publishing,
  warmUpMs: number,
): Promise<Spent> {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({
    dataDir: `${folder.path}/data`,
    set: [
      `forwarder.brokers=[${cluster.bootstrap.join(',')}]`,
      `gateway.name=${name}`,
      `topics.readings.partitions=${PARTITIONS}`,
      // What it adds is told by `bench -- anomaly`; who is compared looks at nothing.
      'anomaly.enabled=false',
    ],
  });
  await publish(gateway, warmUpMs);
  await drained(gateway);
  const before = {
    messages: await durableIn(gateway),
    cpu: cpuSecondsOf(gateway.pid),
    ms: performance.now(),
  };
  await publish(gateway, MEASURE_MS);
  const seconds = (performance.now() - before.ms) / 1000;
  await drained(gateway);
  const messages = (await durableIn(gateway)) - before.messages;
  const cpuMicros = ((cpuSecondsOf(gateway.pid) - before.cpu) / messages) * 1e6;
  return { messages, cpuMicros, perSecond: messages / seconds, rssMb: await rssOfProcess(gateway.pid) };
}

async function steadily(gateway: RunningGateway, ms: number): Promise<void> {
  const sensors = await publishing(gateway.mqtt, STEADY_PER_SECOND);
  await sleep(ms);
  await sensors.stop();
}

async function atFullRate(gateway: RunningGateway, ms: number): Promise<void> {
  const child = startLoad({
    port: Number(gateway.mqtt.split(':')[1]),
    isTls: false,
    qos: 1,
    connections: 10,
    inFlight: 100,
    payloadBytes: READING_BYTES,
    warmUpMs: 0,
    measureMs: ms,
  });
  const exited = once(child, 'exit');
  try {
    await nextOf(child);
    await nextOf(child);
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}
