import { once } from 'node:events';
import type { Load } from './ingest-load.ts';
import { nextOf, startLoad } from './load-process.ts';
import { type MqttServer, startHeadwater, startMosquitto, startNats } from './mqtt-servers.ts';
import { cpuSecondsOf } from './process-cpu.ts';
import { mostRssOfProcess } from './process-memory.ts';
import { median, type Result, rounded } from './result.ts';

const PAYLOAD_BYTES = 149;
const WARM_UP_MS = 2_000;
/** Above this part of one core the load itself may be what is measured. */
const LOAD_CPU_MAX = 0.9;

const measures = {
  messagesPerSecond: 'messages per second',
  cpuMicros: 'CPU microseconds per message',
  medianMs: 'median latency, ms',
  p99Ms: 'p99 latency, ms',
  rssMb: 'most RSS, MB',
} as const;

type Measured = Readonly<Record<keyof typeof measures, number>>;

const starts = {
  mosquitto: startMosquitto,
  nats: startNats,
  headwater: (options: { readonly isTls: boolean }) => startHeadwater(options, ['data.commitIntervalMs=0']),
  'headwater by default': (options: { readonly isTls: boolean }) => startHeadwater(options, []),
  'headwater, 20 ms more per flush': (options: { readonly isTls: boolean }) =>
    startHeadwater(options, ['data.commitIntervalMs=0'], { isSlow: true }),
} as const;
type ServerName = keyof typeof starts;

interface Case {
  readonly name: string;
  readonly load: Pick<Load, 'qos' | 'connections' | 'inFlight' | 'isTls'>;
  readonly servers: readonly ServerName[];
  /** So many times Mosquitto's messages per second. */
  readonly goal: number | null;
}

const durable = ['headwater', 'headwater, 20 ms more per flush'] as const;
const few = { connections: 10, inFlight: 100, isTls: false };

const cases: readonly Case[] = [
  {
    name: 'QoS 1, 10 x 100',
    load: { qos: 1, ...few },
    servers: ['mosquitto', 'nats', ...durable, 'headwater by default'],
    goal: 1.7,
  },
  {
    name: 'QoS 1, 1000 x 20',
    load: { qos: 1, connections: 1000, inFlight: 20, isTls: false },
    servers: ['mosquitto', 'nats', ...durable],
    goal: 2.5,
  },
  {
    name: 'QoS 1, 100 x 1',
    load: { qos: 1, connections: 100, inFlight: 1, isTls: false },
    servers: ['mosquitto', 'nats', ...durable],
    goal: 0.55,
  },
  // NATS 2.9, which Debian has, knows no QoS 2.
  { name: 'QoS 2, 10 x 100', load: { qos: 2, ...few }, servers: ['mosquitto', ...durable], goal: null },
  {
    name: 'QoS 0, 10 x 100',
    load: { qos: 0, ...few },
    servers: ['mosquitto', 'nats', 'headwater'],
    goal: null,
  },
  {
    name: 'QoS 1 by TLS, 10 x 100',
    load: { qos: 1, ...few, isTls: true },
    servers: ['mosquitto', 'headwater'],
    goal: null,
  },
];

/**
 * Messages per second, CPU, latency and memory beside Mosquitto, which acknowledges from memory, and NATS, which syncs by a timer:
 * durable ones into the gateway, as connections x messages in flight on each.
 */
export async function ingestBenchmark(options: {
  readonly seconds: number;
  readonly repeat: number;
}): Promise<Result> {
  const broken: string[] = [];
  const runs = new Map<string, Measured[]>();
  for (let run = 1; run <= options.repeat; run++)
    for (const one of cases)
      for (const server of one.servers) {
        const measured = await measure(one, server, options.seconds, broken);
        const name = nameOf(one, server);
        runs.set(name, [...(runs.get(name) ?? []), measured]);
        console.log(`${run}/${options.repeat} ${name.padEnd(50)} ${described(measured)}`);
      }
  for (const promise of broken) console.error(`BROKEN: ${promise}`);
  return resultOf(new Map([...runs].map(([name, all]) => [name, mediansOf(all)])), broken);
}

const nameOf = ({ name }: Case, server: ServerName): string => `${name}: ${server}`;

function resultOf(medians: ReadonlyMap<string, Measured>, broken: readonly string[]): Result {
  const figures = [...medians].flatMap(([name, measured]) =>
    Object.entries(measures).map(
      ([measure, unit]) => [`${name}, ${unit}`, rounded(measured[measure as keyof Measured])] as const,
    ),
  );
  const ratios = cases.map((one) => {
    const [ours, theirs] = (['headwater', 'mosquitto'] as const).map(
      (server) => medians.get(nameOf(one, server))?.messagesPerSecond ?? 0,
    );
    return { ...one, ratio: (ours ?? 0) / (theirs ?? 1) };
  });
  const goals = ratios.filter(({ goal }) => goal !== null);
  const got = ratios.map(({ name, ratio }) => `${rounded(ratio)} at ${name}`).join('; ');
  const wanted = goals.map(({ name, goal }) => `${goal} at ${name}`).join(', ');
  return {
    summary: `goal so many times Mosquitto's messages/s: ${wanted}; got ${got}`,
    broken,
    figures: {
      ...Object.fromEntries(figures),
      ...Object.fromEntries(
        ratios.map(({ name, ratio }) => [`${name}, times Mosquitto's messages per second`, rounded(ratio)]),
      ),
    },
  };
}

const described = ({ messagesPerSecond, cpuMicros, medianMs, p99Ms, rssMb }: Measured): string =>
  `${Math.round(messagesPerSecond)} messages/s, ${rounded(cpuMicros)} µs CPU, ` +
  `p50 ${rounded(medianMs)} ms, p99 ${rounded(p99Ms)} ms, ${Math.round(rssMb)} MB`;

function mediansOf(runs: readonly Measured[]): Measured {
  const of = (name: keyof Measured): number => median(runs.map((run) => run[name]));
  return {
    messagesPerSecond: of('messagesPerSecond'),
    cpuMicros: of('cpuMicros'),
    medianMs: of('medianMs'),
    p99Ms: of('p99Ms'),
    rssMb: of('rssMb'),
  };
}

async function measure(one: Case, name: ServerName, seconds: number, broken: string[]): Promise<Measured> {
  await using server = await starts[name](one.load);
  const { acknowledgedInAll, ...measured } = await measureLoad(server, one.load, seconds);
  const stored = one.load.qos === 0 ? null : await server.durable?.();
  if (typeof stored === 'number' && stored < acknowledgedInAll)
    broken.push(`${nameOf(one, name)}: ${acknowledgedInAll} were acknowledged and ${stored} are durable`);
  return measured;
}

async function measureLoad(
  server: MqttServer,
  load: Case['load'],
  seconds: number,
): Promise<Measured & { readonly acknowledgedInAll: number }> {
  const child = startLoad({
    ...load,
    port: server.port,
    payloadBytes: PAYLOAD_BYTES,
    warmUpMs: WARM_UP_MS,
    measureMs: seconds * 1000,
  });
  const exited = once(child, 'exit');
  try {
    await nextOf(child);
    const cpu = (): readonly number[] => [server.pid, child.pid ?? 0].map(cpuSecondsOf);
    const before = { ms: performance.now(), cpu: cpu() };
    const outcome = await nextOf(child);
    if (outcome === 'measuring') throw new Error('the load began twice');
    const took = (performance.now() - before.ms) / 1000;
    const [serverSeconds = 0, loadSeconds = 0] = cpu().map((now, at) => now - (before.cpu[at] ?? 0));
    if (loadSeconds / took > LOAD_CPU_MAX)
      console.log(
        `    the load took ${rounded(loadSeconds / took)} cores and was the bottleneck: read "at least"`,
      );
    return {
      messagesPerSecond: outcome.messages / took,
      cpuMicros: (serverSeconds / outcome.messages) * 1e6,
      medianMs: outcome.medianMs,
      p99Ms: outcome.p99Ms,
      rssMb: await mostRssOfProcess(server.pid),
      acknowledgedInAll: outcome.acknowledgedInAll,
    };
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}
