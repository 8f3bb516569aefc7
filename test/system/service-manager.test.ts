import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runProgram } from './run-program.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const trouble = new URL('../support/trouble-on-request.ts', import.meta.url).href;
/** Of the watchdog: looked at three times in that. */
const watchdogSeconds = 3;
const waitMs = 20_000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let manager: ChildProcess;
/** The messages, each as its lines. */
let heard: string[][];

beforeEach(async () => {
  folder = await temporaryFolder();
  heard = [];
  const path = join(folder.path, 'socket');
  manager = spawn('python3', [here('service_manager.py'), path, String(watchdogSeconds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let rest = '';
  manager.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    heard.push(...lines.map((line) => JSON.parse(line) as string[]));
  });
  await expect.poll(() => heard, { timeout: waitMs }).toEqual([['listening']]);
});

afterEach(async () => {
  const closed = once(manager, 'close');
  manager.kill();
  await closed;
  await folder[Symbol.asyncDispose]();
});

const watchdog = { WATCHDOG_USEC: String(watchdogSeconds * 1_000_000) };
const env = () => ({
  ...process.env,
  ...watchdog,
  HEADWATER_TROUBLE: folder.path,
  NODE_OPTIONS: `--import=${trouble}`,
});

/** A gateway with the socket handed over, as by systemd 253 and later. */
const start = (set: readonly string[] = []): Promise<RunningGateway> =>
  startGateway({
    dataDir: join(folder.path, 'data'),
    set,
    env: env(),
    runner: ['python3', here('hand_over.py'), join(folder.path, 'socket')],
  });

const has =
  (line: string) =>
  (message: readonly string[]): boolean =>
    message.includes(line);
const pings = (): number => heard.filter(has('WATCHDOG=1')).length;
const timeouts = (): number => heard.filter(has('watchdog timeout')).length;
const statuses = (): readonly string[] =>
  heard.flat().flatMap((line) => (line.startsWith('STATUS=') ? line.slice('STATUS='.length) : []));
const isReady = () => expect.poll(() => heard.some(has('READY=1')), { timeout: waitMs }).toBe(true);
/** Waits for so many pings more: they take longer than the watchdog waits. */
async function stayAlive(count = 5): Promise<void> {
  const before = pings();
  await expect.poll(pings, { timeout: waitMs }).toBeGreaterThanOrEqual(before + count);
  expect(timeouts()).toBe(0);
}
const begin = (what: 'hang' | 'full' | 'freeze'): Promise<void> => writeFile(join(folder.path, what), '');
const end = (what: 'hang' | 'full' | 'freeze'): Promise<void> => rm(join(folder.path, what));
const health = async (gateway: RunningGateway) => {
  const answer = await gateway.api('/healthz');
  return {
    status: answer.status,
    ...((await answer.json()) as { healthy: boolean; reasons: readonly string[] }),
  };
};

async function publish(gateway: RunningGateway, count: number): Promise<void> {
  const client = await connectAsync(`mqtt://${gateway.mqtt}`, { reconnectPeriod: 0 });
  for (let number = 0; number < count; number += 1) await client.publishAsync('a', `${number}`, { qos: 1 });
  await client.endAsync();
}

test('ready comes once readings are taken, pings while it is idle, and the stop is told', async () => {
  await using gateway = await start();
  await isReady();
  await publish(gateway, 3);
  expect(statuses()).toEqual(['starting', 'storing; no cluster is configured']);
  await stayAlive();
  expect(await health(gateway)).toEqual({ status: 200, healthy: true, reasons: [] });
  const { code } = await gateway.kill('SIGTERM');
  expect(code).toBe(0);
  await expect
    .poll(() => heard.at(-1))
    .toEqual(['STOPPING=1', 'STATUS=stopping', 'EXTEND_TIMEOUT_USEC=20000000']);
  expect(heard.filter(has('READY=1'))).toHaveLength(1);
});

test('a frozen event loop ends the pings', async () => {
  await using _ = await start();
  await isReady();
  await stayAlive(2);
  await begin('freeze');
  await expect.poll(timeouts, { timeout: waitMs }).toBe(1);
});

test('a commit that hangs ends the pings, and is told; one that completes in time after all is alive again', async () => {
  await using gateway = await start();
  await isReady();
  await stayAlive(2);
  await begin('hang');
  await expect
    .poll(() => health(gateway), { timeout: waitMs })
    .toMatchObject({ status: 503, healthy: false });
  expect(gateway.stderr()).toContain(
    'no commit completes, and nothing is acknowledged: the disk does not answer',
  );
  expect(gateway.stderr()).toContain('the watchdog ends the gateway');
  expect((await gateway.api('/readyz')).status).toBe(503);
  expect(await (await gateway.api('/metrics')).text()).toContain('headwater_healthy 0\n');
  await expect.poll(timeouts, { timeout: waitMs }).toBe(1);
  expect(statuses().at(-1)).toMatch(/^stuck: no commit has completed for \d+ s/);
  await end('hang');
  await expect.poll(() => health(gateway), { timeout: waitMs }).toMatchObject({ status: 200, healthy: true });
  expect(gateway.stderr()).toContain('commits complete again');
});

test('a full disk is no reason to be ended', async () => {
  await using gateway = await start();
  await isReady();
  // The next check meets it.
  await begin('full');
  await expect
    .poll(statuses, { timeout: waitMs })
    .toContainEqual(expect.stringMatching(/^degraded: .*ENOSPC/));
  await stayAlive();
  expect(await health(gateway)).toMatchObject({ status: 200, healthy: true });
  expect((await gateway.api('/readyz')).status).toBe(503);
  await end('full');
  await expect.poll(statuses, { timeout: waitMs }).toContainEqual(expect.stringMatching(/^storing/));
  await stayAlive(2);
  await publish(gateway, 1);
});

test('a cluster that cannot be reached is no reason to be ended', async () => {
  await using gateway = await start(['forwarder.brokers=[127.0.0.1:1]']);
  await isReady();
  await publish(gateway, 3);
  await stayAlive(8);
  expect(await health(gateway)).toEqual({ status: 200, healthy: true, reasons: [] });
  expect(statuses().at(-1)).toMatch(/^storing; /);
});

test('without the handed over socket, as before systemd 253, it is told by systemd-notify', async () => {
  expect(await runProgram('systemd-notify', ['--version'])).toMatchObject({ code: 0 });
  await using gateway = await startGateway({
    dataDir: join(folder.path, 'data'),
    env: { ...env(), NOTIFY_SOCKET: join(folder.path, 'socket') },
  });
  await isReady();
  await stayAlive();
  expect(heard.flat()).toContain(`MAINPID=${gateway.pid}`);
  expect(statuses()).toContain('storing; no cluster is configured');
  await gateway.kill('SIGTERM');
  await expect.poll(() => heard.some(has('STOPPING=1'))).toBe(true);
  expect(gateway.stderr()).not.toContain('systemd cannot be told');
});
