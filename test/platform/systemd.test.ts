import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noServiceManager } from '../../src/core/service-manager.ts';
import { systemdService } from '../../src/platform/systemd.ts';
import { listener } from '../support/small-segments.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(() => folder[Symbol.asyncDispose]());

describe('who looks after the process', () => {
  test('nobody, without what systemd puts into the environment, or with what is meant for another process', () => {
    const handedOver = { LISTEN_PID: '7', LISTEN_FDS: '1', LISTEN_FDNAMES: 'notify' };
    for (const env of [
      {},
      { NOTIFY_SOCKET: '' },
      { WATCHDOG_USEC: '1000000' },
      { ...handedOver, LISTEN_PID: '8' },
      { ...handedOver, LISTEN_FDS: '0' },
      { ...handedOver, LISTEN_FDNAMES: 'other' },
      { LISTEN_PID: '7', LISTEN_FDS: '1' },
      // An open file, if it is one at all, that is no socket.
      { LISTEN_PID: '7', LISTEN_FDS: '9999', LISTEN_FDNAMES: `${'x:'.repeat(9_000)}notify` },
    ])
      expect(systemdService(silentLogger, env, 7)).toBe(noServiceManager);
    expect(noServiceManager.watchdogMs).toBeNull();
  });

  test('the watchdog is on if it is meant for this process', () => {
    const watchdogMs = (env: NodeJS.ProcessEnv): number | null =>
      systemdService(silentLogger, { NOTIFY_SOCKET: '/run/systemd/notify', ...env }, 7).watchdogMs;
    expect(watchdogMs({})).toBeNull();
    expect(watchdogMs({ WATCHDOG_USEC: '90000000' })).toBe(90_000);
    expect(watchdogMs({ WATCHDOG_USEC: '90000000', WATCHDOG_PID: '7' })).toBe(90_000);
    expect(watchdogMs({ WATCHDOG_USEC: '90000000', WATCHDOG_PID: '8' })).toBeNull();
    for (const nonsense of ['', '0', '-1', '1.5', 'soon', 'Infinity'])
      expect(watchdogMs({ WATCHDOG_USEC: nonsense }), nonsense).toBeNull();
  });
});

/** A stand-in for `systemd-notify` that writes what it is given into a file, one call a line; `body` is a line of shell before that. */
async function program(body = '') {
  const calls = join(folder.path, 'calls');
  await writeFile(calls, '');
  const path = join(folder.path, 'systemd-notify');
  const install = async (line: string): Promise<void> => {
    await writeFile(path, `#!/bin/sh\n${line}\nprintf '%s|' "$@" >>'${calls}'\necho >>'${calls}'\n`);
    await chmod(path, 0o755);
  };
  await install(body);
  const { logger, reports } = listener();
  const env = { NOTIFY_SOCKET: '/run/systemd/notify', PATH: `${folder.path}:/usr/bin:/bin` };
  return {
    install,
    reports,
    manager: systemdService(logger, env, 7),
    calls: async () => (await readFile(calls, 'utf8')).split('\n').slice(0, -1),
  };
}

describe('by the program systemd-notify', () => {
  test('everything is told, once for each turn, in one line and within its length', async () => {
    const { manager, calls, reports } = await program();
    manager.tell({ status: 'starting' });
    manager.tell({ extendMs: 60_000 });
    await expect.poll(calls).toEqual(['--pid=7|STATUS=starting|EXTEND_TIMEOUT_USEC=60000000|']);
    manager.tell({ ready: true, status: `a\nREADY=1\u0000  b${'x'.repeat(1_000)}` });
    await expect.poll(calls).toHaveLength(2);
    const [pid, ready, status] = (await calls())[1]?.split('|') ?? [];
    expect([pid, ready]).toEqual(['--pid=7', 'READY=1']);
    expect(status).toMatch(/^STATUS=a READY=1 bx{10}/);
    expect(status).toHaveLength('STATUS='.length + limits.serviceStatusLengthMax);
    manager.tell({ alive: true });
    await expect.poll(calls).toHaveLength(3);
    manager.tell({ stopping: true });
    await expect.poll(calls).toHaveLength(4);
    expect((await calls()).slice(2)).toEqual(['--pid=7|WATCHDOG=1|', '--pid=7|STOPPING=1|']);
    expect(reports).toEqual([]);
  });

  test('what fails is in the service log once, and is told later, but not that it was alive', async () => {
    const failures = join(folder.path, 'failures');
    const { manager, calls, reports, install } = await program(`echo failed >>'${failures}'; exit 1`);
    manager.tell({ ready: true, alive: true, status: 'storing' });
    await expect.poll(() => reports).toHaveLength(1);
    expect(reports[0]?.message).toMatch(
      /^systemd cannot be told .* the program systemd-notify and NotifyAccess=all$/,
    );
    manager.tell({ alive: true });
    await expect.poll(() => readFile(failures, 'utf8')).toBe('failed\nfailed\n');
    await install('');
    await expect
      .poll(async () => {
        manager.tell({ status: 'degraded' });
        return await calls();
      })
      .not.toEqual([]);
    expect((await calls())[0]).toBe('--pid=7|READY=1|STATUS=degraded|');
    expect(reports).toHaveLength(1);
  });

  test('a program that is missing harms nothing', async () => {
    const { logger, reports } = listener();
    const env = { NOTIFY_SOCKET: '/run/systemd/notify', PATH: folder.path };
    const manager = systemdService(logger, env, 7);
    manager.tell({ ready: true });
    await expect.poll(() => reports).toHaveLength(1);
    manager.tell({ alive: true });
    manager.tell({ stopping: true });
    expect(JSON.stringify(reports)).toContain('ENOENT');
  });
});

/** A process that tells its service manager something, with a socket as its fourth open file, as `OpenFile=` hands it over. */
function telling(script: string) {
  const module = new URL('../../src/platform/systemd.ts', import.meta.url).href;
  const lines = `
    import { systemdService } from '${module}';
    const report = (fields, message) => console.log(message, fields.cause);
    const manager = systemdService({ error: report });
    ${script}`;
  const run = 'LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=other:notify exec "$@"';
  const child = spawn('sh', ['-c', run, 'sh', process.execPath, '--input-type=module', '--eval', lines], {
    stdio: ['ignore', 'pipe', 'inherit', 'ignore', 'pipe'],
  });
  return { child, socket: child.stdio[4], ended: once(child, 'close') };
}

describe('by the socket that is handed over', () => {
  test('everything is told without a program, in the order of the turns', async () => {
    const { socket, ended } = telling(`
      manager.tell({ ready: true });
      manager.tell({ status: 'storing' });
      setImmediate(() => manager.tell({ alive: true, stopping: true }));`);
    if (!socket || !('readable' in socket)) throw new Error('no socket');
    expect(await text(socket)).toBe('READY=1\nSTATUS=storingSTOPPING=1\nWATCHDOG=1');
    expect(await ended).toEqual([0, null]);
  });

  test('a socket that nobody reads any more is told of once', async () => {
    const { child, socket, ended } = telling(`
      for (let turn = 0; turn < 50; turn += 1) {
        manager.tell({ alive: true });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      process.exit(0);`);
    if (socket && 'destroy' in socket) socket.destroy();
    const { stdout } = child;
    if (stdout === null) throw new Error('no output');
    const said = await text(stdout);
    expect(said.split('systemd cannot be told')).toHaveLength(2);
    expect(said).toContain('EPIPE');
    expect(await ended).toEqual([0, null]);
  });
});
