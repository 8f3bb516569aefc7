import { once } from 'node:events';
import { connect } from 'node:net';
import * as packets from '../test/ingest/mqtt/packets.ts';
import { until } from '../test/kafka/until.ts';
import { type RunningGateway, startGateway } from '../test/support/gateway-process.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { nextOf, startLoad } from './load-process.ts';
import { durableIn } from './mqtt-servers.ts';
import { rssOfProcess } from './process-memory.ts';
import { median, type Result, rounded } from './result.ts';

const CONNECTING_AT_ONCE = 200;
const ROUNDS = 20;
const LOAD_MS = 10_000;
const LOAD = {
  qos: 1,
  isTls: false,
  connections: 10,
  inFlight: 100,
  payloadBytes: 149,
  warmUpMs: 0,
  measureMs: LOAD_MS,
} as const;
/** Reached early, so that most of the soak shows the disk kept within its budget. */
const BUDGET = '512MiB';
const SAMPLE_MS = 250;
/**
 * Heap and caches grow to their sizes first, and through messages also what it takes to keep the disk within its budget, once that is
 * reached; what is shorter than twice that is not judged.
 */
const WARM_UP_MS = { connections: 20_000, messages: 150_000 };
const GONE_MS_MAX = 10_000;
const GOAL_MB = 25;

/** RSS over one part of the soak, in MB. */
interface Part {
  /** Medians of the first and last third of what comes after the warm-up; 0 if that is too short. */
  readonly early: number;
  readonly late: number;
  readonly most: number;
  readonly seconds: number;
}

/**
 * Connections that come and go, one in two of them by a break, and QoS 1 messages as fast as they are acknowledged, to the real
 * gateway: whether its connection count and its RSS stay flat.
 */
export async function soakBenchmark(size: {
  readonly connections: number;
  readonly messages: number;
}): Promise<Result> {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({
    dataDir: `${folder.path}/data`,
    set: [`data.budget=${BUDGET}`],
  });
  const broken: string[] = [];
  const connections = await sampled(
    gateway,
    WARM_UP_MS.connections,
    async () => await comeAndGo(gateway, size.connections),
  );
  broken.push(...(await leftConnections(gateway)));
  console.log(`${size.connections} connections: ${described(connections)}`);
  let acknowledged = 0;
  const messages = await sampled(gateway, WARM_UP_MS.messages, async () => {
    while (acknowledged < size.messages) {
      acknowledged += await publish(gateway);
      broken.push(...(await leftConnections(gateway)));
      console.log(`${acknowledged} messages, RSS ${Math.round(await rssOfProcess(gateway.pid))} MB`);
    }
  });
  console.log(`${acknowledged} messages: ${described(messages)}`);
  const stored = await durableIn(gateway);
  if (stored < acknowledged)
    broken.push(`${acknowledged} messages were acknowledged and ${stored} are durable`);
  for (const part of [connections, messages])
    if (part.late - part.early > GOAL_MB) broken.push(`memory is not flat: ${described(part)}`);
  for (const promise of broken) console.error(`BROKEN: ${promise}`);
  return {
    summary: `goal 0 connections left, RSS at most ${GOAL_MB} MB up, got ${size.connections} connections with ${described(connections)}; ${acknowledged} messages with ${described(messages)}`,
    broken,
    figures: {
      connections: size.connections,
      messages: acknowledged,
      ...figures('connections', connections),
      ...figures('messages', messages),
    },
  };
}

const described = ({ early, late, most, seconds }: Part): string =>
  (early === 0
    ? 'too short to tell whether RSS is flat, '
    : `RSS ${Math.round(early)} MB early, ${Math.round(late)} MB late, `) +
  `${Math.round(most)} MB at most, in ${Math.round(seconds)} s`;

const figures = (name: string, { early, late, most, seconds }: Part): Record<string, number> => ({
  [`${name}, RSS of the first third after the warm-up, MB`]: rounded(early),
  [`${name}, RSS of the last third, MB`]: rounded(late),
  [`${name}, most RSS, MB`]: rounded(most),
  [`${name}, seconds`]: Math.round(seconds),
});

/** RSS of the gateway while something goes on. */
async function sampled(gateway: RunningGateway, warmUpMs: number, doing: () => Promise<void>): Promise<Part> {
  const startedMs = performance.now();
  const samples: Promise<number>[] = [];
  const timer = setInterval(() => samples.push(rssOfProcess(gateway.pid)), SAMPLE_MS);
  await doing().finally(() => clearInterval(timer));
  const all = await Promise.all(samples);
  const settled = all.slice(warmUpMs / SAMPLE_MS);
  const isLongEnough = settled.length >= warmUpMs / SAMPLE_MS;
  const third = Math.floor(settled.length / 3);
  return {
    early: isLongEnough ? median(settled.slice(0, third)) : 0,
    late: isLongEnough ? median(settled.slice(-third)) : 0,
    most: Math.max(...all),
    seconds: (performance.now() - startedMs) / 1000,
  };
}

async function comeAndGo(gateway: RunningGateway, count: number): Promise<void> {
  const port = Number(gateway.mqtt.split(':')[1]);
  let begun = 0;
  const client = async (index: number): Promise<void> => {
    while (begun < count) {
      begun += 1;
      if (begun % Math.ceil(count / ROUNDS) === 0) console.log(`${begun} connections`);
      await connection(port, `soak-${index}`, begun % 2 === 0);
    }
  };
  await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, (_, index) => client(index)));
}

/** CONNECT, CONNACK, a PUBLISH with its PUBACK, and the end, by DISCONNECT or by a break. */
async function connection(port: number, clientId: string, breaks: boolean): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const answers = [packets.CONNACK_ACCEPTED.length, 2 * packets.CONNACK_ACCEPTED.length];
  let received = 0;
  socket.on('data', (bytes: Buffer) => {
    received += bytes.length;
    if (received === answers[0]) socket.write(packets.publish(`soak/${clientId}`, 'x'));
    if (received !== answers[1]) return;
    if (breaks) socket.resetAndDestroy();
    else socket.end(packets.disconnect);
  });
  socket.write(packets.connect(clientId));
  await once(socket, 'close');
  if (received !== answers[1]) throw new Error(`${clientId} got ${received} bytes of answers`);
}

async function publish(gateway: RunningGateway): Promise<number> {
  const child = startLoad({ ...LOAD, port: Number(gateway.mqtt.split(':')[1]) });
  const exited = once(child, 'exit');
  try {
    for (;;) {
      const told = await nextOf(child);
      if (told !== 'measuring') return told.acknowledgedInAll;
    }
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

/** What is wrong with the count of connections once all clients have gone. */
async function leftConnections(gateway: RunningGateway): Promise<string[]> {
  const count = async (): Promise<number> => {
    const metrics = await (await gateway.api('/metrics')).text();
    return Number(/^headwater_mqtt_connections\{listener="mqtt"\} (\d+)$/m.exec(metrics)?.[1]);
  };
  await until('no connection is left', GONE_MS_MAX, async () => (await count()) === 0 || undefined).catch(
    () => undefined,
  );
  const left = await count();
  return left === 0 ? [] : [`${left} connections are counted after all have gone`];
}
