import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Addresses, readGatewayFile } from '../../src/edge/gateway-file.ts';
import type { StatusReport } from '../../src/edge/status.ts';
import { startCommand } from './start-command.ts';

/** In tests, whatever the gateway answers is checked. */
const checks =
  process.env['VITEST'] === undefined
    ? []
    : ['--import', fileURLToPath(new URL('./answer-check.ts', import.meta.url))];
const MAIN = fileURLToPath(new URL('../../src/edge/main.ts', import.meta.url));
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 30_000;
const POLL_MS = 20;

export interface GatewayOptions {
  readonly dataDir: string;
  /** Further settings, `name=value`; by default it listens on free ports of 127.0.0.1. */
  readonly set?: readonly string[];
  /** The working directory; default: the data folder's parent. */
  readonly workingDirectory?: string;
  /** The environment; default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** The daemon that is started, without `run`; default: that of this checkout. */
  readonly program?: readonly string[];
  /** A command that runs what is behind it, with the same process id and perhaps with other mounts. */
  readonly runner?: readonly string[];
  /** How long it may take until it accepts readings; 30 s by default. */
  readonly startMsMax?: number;
}

export interface Ended {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A `headwater run` as a child process. Disposing of it kills it. */
export interface GatewayRun extends AsyncDisposable {
  readonly pid: number;
  readonly exited: Promise<Ended>;
  stdout(): string;
  stderr(): string;
  /** Sends the signal and waits for the end. */
  kill(signal: NodeJS.Signals): Promise<Ended>;
}

/** One that accepts readings. */
export interface RunningGateway extends GatewayRun {
  /** Bound addresses, `host:port`. */
  readonly mqtt: string;
  readonly admin: string;
  readonly addresses: Addresses;
  readonly token: string;
  readonly dataDir: string;
  /** A request to the admin API, with the token. */
  api(path: string, init?: RequestInit): Promise<Response>;
}

/** Spawns the real daemon, whether it will start or not. */
export function spawnGateway({
  dataDir,
  set = [],
  workingDirectory,
  env = process.env,
  runner = [],
  program = [process.execPath, ...startCommand.flags, ...checks, MAIN],
}: GatewayOptions): GatewayRun {
  const settings = ['mqtt.listen=127.0.0.1:0', 'admin.listen=127.0.0.1:0', `data.dir=${dataDir}`, ...set];
  const run = [...program, 'run', ...settings.flatMap((setting) => ['--set', setting])];
  const [command = process.execPath, ...args] = [...runner, ...run];
  const child = spawn(command, args, {
    cwd: workingDirectory ?? join(dataDir, '..'),
    env: { ...startCommand.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('the gateway could not be spawned');
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  // `close` comes after the last output.
  const exited = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const kill = async (signal: NodeJS.Signals): Promise<Ended> => {
    child.kill(signal);
    const ended = await within(STOP_MS_MAX, exited);
    if (ended === undefined)
      throw new Error(`the gateway did not end after ${signal}:\n${output}\n${errors}`);
    return ended;
  };
  return {
    pid,
    exited,
    stdout: () => output,
    stderr: () => errors,
    kill,
    [Symbol.asyncDispose]: async () => {
      await kill('SIGKILL');
    },
  };
}

/** Spawns the real daemon and waits until it accepts readings. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const run = spawnGateway(options);
  // What it sees as its data folder, wherever it is mounted.
  const { pid } = run;
  const dataDir = options.runner === undefined ? options.dataDir : `/proc/${pid}/root${options.dataDir}`;
  try {
    const addresses = await started(run, dataDir, options.startMsMax ?? START_MS_MAX);
    const { mqtt, admin } = addresses;
    const token = (await readFile(join(dataDir, 'admin.token'), 'utf8')).trim();
    const api = (path: string, init: RequestInit = {}): Promise<Response> => {
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${token}`);
      return fetch(`http://${admin}${path}`, { ...init, headers });
    };
    return { ...run, mqtt: mqtt ?? 'off', admin, addresses, token, dataDir, api };
  } catch (error) {
    await run[Symbol.asyncDispose]();
    throw error;
  }
}

async function started(run: GatewayRun, dataDir: string, startMsMax: number) {
  const deadlineMs = performance.now() + startMsMax;
  while (performance.now() < deadlineMs) {
    const file = await readGatewayFile(dataDir);
    if (file?.pid === run.pid) return file;
    const ended = await within(POLL_MS, run.exited);
    if (ended !== undefined) {
      throw new Error(
        `the gateway ended with ${ended.code ?? ended.signal} instead of starting:\n${run.stderr()}`,
      );
    }
  }
  throw new Error(`the gateway did not start within ${startMsMax} ms:\n${run.stdout()}\n${run.stderr()}`);
}

/** The value of a promise, or undefined if it takes longer. */
export async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves once the gateway has told in the topic `clock` how its clock is set, which takes commits of its own. */
export async function clockIsTold(gateway: RunningGateway): Promise<void> {
  const isTold = async (): Promise<boolean> => {
    const { topics } = (await (await gateway.api('/api/topics')).json()) as Pick<StatusReport, 'topics'>;
    return topics.some(({ name, partitions }) => name === 'clock' && partitions[0]?.highWatermark === 1);
  };
  const deadline = performance.now() + START_MS_MAX;
  while (!(await isTold())) {
    if (performance.now() > deadline) throw new Error('the gateway has not told how its clock is set');
    await within(POLL_MS, gateway.exited);
  }
}
