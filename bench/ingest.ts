import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StatusReport } from '../src/edge/status.ts';
import { freePorts, isOpen } from '../test/kafka/ports.ts';
import { until } from '../test/kafka/until.ts';
import { startGateway } from '../test/support/gateway-process.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import type { Load } from './ingest-load.ts';
import { nextOf, startLoad } from './load-process.ts';
import { cpuSecondsOf } from './process-cpu.ts';
import { median, type Result, rounded } from './result.ts';

const CONNECTIONS = 10;
const IN_FLIGHT = 100;
const PAYLOAD_BYTES = 149;
const WARM_UP_MS = 1_000;
const START_MS_MAX = 10_000;
/** Above this part of one core the load itself may be what is measured. */
const LOAD_CPU_MAX = 0.9;

interface Measured {
  readonly messagesPerSecond: number;
  readonly cpuMicrosPerMessage: number;
  /** Part of one core that the load used. */
  readonly loadCpu: number;
  readonly acknowledgedInAll: number;
}

/**
 * QoS 1 messages per second and CPU per message at 10 connections × 100 in flight: durable ones into the gateway, with
 * a commit interval of 0 and the default, and into Mosquitto, which acknowledges from memory.
 */
export async function ingestBenchmark(options: {
  readonly seconds: number;
  readonly repeat: number;
}): Promise<Result> {
  const broken: string[] = [];
  const servers = {
    'mosquitto in memory': () => measureMosquitto(options.seconds),
    'headwater interval 0': () => measureGateway(options.seconds, ['data.commitIntervalMs=0'], broken),
    'headwater default': () => measureGateway(options.seconds, [], broken),
  };
  const names = Object.keys(servers) as (keyof typeof servers)[];
  const runs = new Map<string, Measured[]>(names.map((name) => [name, []]));
  for (let run = 1; run <= options.repeat; run++) {
    for (const name of names) {
      const measured = await servers[name]();
      runs.get(name)?.push(measured);
      console.log(`${run}/${options.repeat} ${name.padEnd(20)} ${described(measured)}`);
      if (measured.loadCpu > LOAD_CPU_MAX) console.log('    the load was the bottleneck: read "at least"');
    }
  }
  const medians = names.map((name) => [name, mediansOf(runs.get(name) ?? [])] as const);
  const figures = medians.flatMap(([name, { messagesPerSecond, cpuMicrosPerMessage }]) => [
    [`${name}, messages per second`, Math.round(messagesPerSecond)] as const,
    [`${name}, CPU microseconds per message`, rounded(cpuMicrosPerMessage)] as const,
  ]);
  const got = medians.map(([name, measured]) => `${name} ${described(measured)}`).join('; ');
  for (const promise of broken) console.error(`BROKEN: ${promise}`);
  return { summary: `goal -, got ${got}`, broken, figures: Object.fromEntries(figures) };
}

const described = ({ messagesPerSecond, cpuMicrosPerMessage, loadCpu }: Measured): string =>
  `${Math.round(messagesPerSecond)} messages/s at ${rounded(cpuMicrosPerMessage)} µs CPU each ` +
  `(load ${Math.round(loadCpu * 100)} % of a core)`;

function mediansOf(runs: readonly Measured[]): Measured {
  const of = (name: keyof Measured): number => median(runs.map((run) => run[name]));
  return {
    messagesPerSecond: of('messagesPerSecond'),
    cpuMicrosPerMessage: of('cpuMicrosPerMessage'),
    loadCpu: of('loadCpu'),
    acknowledgedInAll: of('acknowledgedInAll'),
  };
}

async function measureGateway(seconds: number, set: readonly string[], broken: string[]): Promise<Measured> {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({ dataDir: `${folder.path}/data`, set });
  const measured = await measure(gateway.pid, Number(gateway.mqtt.split(':')[1]), seconds);
  const { topics } = (await (await gateway.api('/api/status')).json()) as StatusReport;
  const stored = topics
    .flatMap(({ partitions }) => partitions)
    .reduce((sum, one) => sum + one.highWatermark, 0);
  if (stored < measured.acknowledgedInAll)
    broken.push(`${measured.acknowledgedInAll} messages were acknowledged and ${stored} are durable`);
  return measured;
}

async function measureMosquitto(seconds: number): Promise<Measured> {
  await using folder = await temporaryFolder();
  const [port = 0] = await freePorts(1);
  const file = join(folder.path, 'mosquitto.conf');
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'log_dest none'];
  await writeFile(file, [...lines, 'max_inflight_messages 0', 'max_queued_messages 0', ''].join('\n'));
  const child = spawn('/usr/sbin/mosquitto', ['-c', file], { stdio: 'ignore' });
  // Without Mosquitto the process never starts, which the wait for its port tells.
  child.on('error', () => undefined);
  try {
    await until(
      'Mosquitto listens (Debian: apt install mosquitto)',
      START_MS_MAX,
      async () => (await isOpen(port)) || undefined,
    );
    return await measure(pidOf(child), port, seconds);
  } finally {
    child.kill('SIGKILL');
  }
}

async function measure(serverPid: number, port: number, seconds: number): Promise<Measured> {
  const load: Load = {
    port,
    connections: CONNECTIONS,
    inFlight: IN_FLIGHT,
    payloadBytes: PAYLOAD_BYTES,
    warmUpMs: WARM_UP_MS,
    measureMs: seconds * 1000,
  };
  const child = startLoad(load);
  const exited = once(child, 'exit');
  try {
    await nextOf(child);
    const before = {
      ms: performance.now(),
      server: cpuSecondsOf(serverPid),
      load: cpuSecondsOf(pidOf(child)),
    };
    const outcome = await nextOf(child);
    if (outcome === 'measuring') throw new Error('the load began twice');
    const tookSeconds = (performance.now() - before.ms) / 1000;
    const serverSeconds = cpuSecondsOf(serverPid) - before.server;
    const loadSeconds = cpuSecondsOf(pidOf(child)) - before.load;
    return {
      messagesPerSecond: outcome.messages / tookSeconds,
      cpuMicrosPerMessage: (serverSeconds / outcome.messages) * 1e6,
      loadCpu: loadSeconds / tookSeconds,
      acknowledgedInAll: outcome.acknowledgedInAll,
    };
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process could not be started');
  return child.pid;
}
