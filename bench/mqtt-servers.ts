import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StatusReport } from '../src/edge/status.ts';
import { freePorts, isOpen } from '../test/kafka/ports.ts';
import { until } from '../test/kafka/until.ts';
import { certificateAuthority } from '../test/support/certificates.ts';
import { type RunningGateway, startGateway } from '../test/support/gateway-process.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';

const START_MS_MAX = 10_000;
const slowFlush = new URL('./slow-flush-hook.ts', import.meta.url).href;

/** An MQTT broker as a process of its own. Disposing of it ends it. */
export interface MqttServer extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** How many messages are durable; null where nobody promises it. */
  readonly durable: (() => Promise<number>) | null;
}

interface ServerOptions {
  /** MQTT by TLS, instead of without. */
  readonly isTls: boolean;
}

/** The gateway. With `isSlow` each flush takes 20 ms longer. */
export async function startHeadwater(
  { isTls }: ServerOptions,
  settings: readonly string[],
  { isSlow } = { isSlow: false },
): Promise<MqttServer> {
  const folder = await temporaryFolder();
  const tls = isTls ? ['mqtt.tls.listen=127.0.0.1:0'] : [];
  const env = isSlow ? { ...process.env, NODE_OPTIONS: `--import=${slowFlush}` } : process.env;
  const gateway = await startGateway({
    dataDir: `${folder.path}/data`,
    // The others look at nothing, either; `bench -- anomaly` has what it costs.
    set: [...settings, ...tls, 'anomaly.enabled=false'],
    env,
  }).catch(async (error: unknown) => {
    await folder[Symbol.asyncDispose]();
    throw error;
  });
  const listener = isTls ? gateway.addresses.mqtts : gateway.mqtt;
  return {
    pid: gateway.pid,
    port: Number(listener?.split(':')[1]),
    durable: () => durableIn(gateway),
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** How many readings are durable in a gateway. */
export async function durableIn(gateway: RunningGateway): Promise<number> {
  const { topics } = (await (await gateway.api('/api/status')).json()) as StatusReport;
  return topics
    .filter(({ name }) => name === 'readings')
    .flatMap(({ partitions }) => partitions)
    .reduce((sum, { highWatermark }) => sum + highWatermark, 0);
}

/** Mosquitto, which acknowledges from memory, and keeps nothing that nobody has subscribed to. */
export async function startMosquitto({ isTls }: ServerOptions): Promise<MqttServer> {
  const folder = await temporaryFolder();
  const [port = 0] = await freePorts(1);
  const { certificate, key } = certificateAuthority('bench').issue({
    name: 'localhost',
    hosts: ['127.0.0.1'],
  });
  const [certFile, keyFile] = [join(folder.path, 'cert.pem'), join(folder.path, 'key.pem')];
  await writeFile(certFile, certificate);
  await writeFile(keyFile, key);
  const tls = isTls ? [`certfile ${certFile}`, `keyfile ${keyFile}`] : [];
  const lines = [`listener ${port} 127.0.0.1`, ...tls, 'allow_anonymous true', 'log_dest none'];
  const file = join(folder.path, 'mosquitto.conf');
  // As root it would become another user, who cannot read its files.
  await writeFile(
    file,
    [...lines, 'user root', 'max_inflight_messages 0', 'max_queued_messages 0', ''].join('\n'),
  );
  return await started(
    folder,
    port,
    spawn('/usr/sbin/mosquitto', ['-c', file], { stdio: 'ignore' }),
    'Mosquitto listens (Debian: apt install mosquitto)',
  );
}

/** NATS with JetStream and MQTT, which stores before it acknowledges only what somebody has subscribed to, and syncs by a timer. */
export async function startNats(): Promise<MqttServer> {
  const folder = await temporaryFolder();
  const [port = 0, clients = 0] = await freePorts(2);
  const file = join(folder.path, 'nats.conf');
  const lines = [
    'server_name: bench',
    `listen: 127.0.0.1:${clients}`,
    `jetstream { store_dir: "${folder.path}/store" }`,
    `mqtt { listen: "127.0.0.1:${port}", max_ack_pending: 65535 }`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return await started(
    folder,
    port,
    spawn('nats-server', ['-c', file], { stdio: 'ignore' }),
    'NATS listens (Debian: apt install nats-server)',
  );
}

async function started(
  folder: AsyncDisposable,
  port: number,
  child: ChildProcess,
  what: string,
): Promise<MqttServer> {
  const exited = once(child, 'exit');
  // One that is not installed never starts, which the wait for its port tells.
  child.on('error', () => undefined);
  exited.catch(() => undefined);
  const end = async (): Promise<void> => {
    if (child.pid !== undefined && child.kill('SIGKILL')) await exited;
    await folder[Symbol.asyncDispose]();
  };
  try {
    await until(what, START_MS_MAX, async () => (await isOpen(port)) || undefined);
    return { pid: child.pid ?? 0, port, durable: null, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}
