import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import type { StatusReport } from '../../src/edge/status.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FILE_SYSTEM_MIB = 160;
/** Each fills a part of a journal file that cannot be made smaller. */
const PAYLOAD_BYTES = 200_000;
const READINGS_MAX = 2000;
const CHANGE_MS_MAX = 60_000;

/** Runs a command with a small file system on a folder, which is gone with the last process that sees it. */
const withSmallDisk = (folder: string): readonly string[] => [
  'unshare',
  ...(process.getuid?.() === 0 ? ['--mount'] : ['--map-root-user', '--mount']),
  'sh',
  '-c',
  `mount -t tmpfs -o size=${FILE_SYSTEM_MIB}m none "$0" && mkdir -p "$0/data" && exec "$@"`,
  folder,
];

/** Writes a file until the disk is full to the last block. */
async function fillDisk(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let bytes = 1024 * 1024; bytes >= 4096; ) {
      const isFull = await file.write(Buffer.alloc(bytes, 1)).then(
        ({ bytesWritten }) => bytesWritten < bytes,
        () => true,
      );
      if (isFull) bytes /= 2;
    }
  } finally {
    await file.close();
  }
}

/**
 * Sends readings one after the other, until the gateway closes the connection or `ends` resolves; the names of those that were
 * acknowledged.
 */
async function send(
  gateway: RunningGateway,
  name: string,
  max: number,
  ends: Promise<unknown> = new Promise(() => {}),
): Promise<string[]> {
  const client = await connectAsync(`mqtt://${gateway.mqtt}`, { reconnectPeriod: 0 });
  const over = Promise.race([ends, new Promise<void>((resolve) => client.once('close', () => resolve()))]);
  const acknowledged: string[] = [];
  for (let index = 0; index < max; index += 1) {
    const text = `${name}-${index} ${randomBytes(PAYLOAD_BYTES / 2).toString('hex')}`;
    const isAcknowledged = client.publishAsync('sensors/1', text, { qos: 1 }).then(
      () => true,
      () => false,
    );
    if ((await Promise.race([isAcknowledged, over])) !== true) break;
    acknowledged.push(text.slice(0, text.indexOf(' ')));
  }
  await client.endAsync(true);
  return acknowledged;
}

const statusOf = async (gateway: RunningGateway): Promise<StatusReport> =>
  (await (await gateway.api('/api/status')).json()) as StatusReport;

/** Waits until the gateway says that it is in this state. */
const isIn = async (gateway: RunningGateway, state: StatusReport['state']): Promise<void> =>
  await expect.poll(async () => (await statusOf(gateway)).state, { timeout: CHANGE_MS_MAX }).toBe(state);

/** The names of all readings that the gateway serves. */
async function served(gateway: RunningGateway): Promise<readonly string[]> {
  const lines = (await (await gateway.api('/api/records?topic=readings')).text()).trim().split('\n');
  return lines.map((line) => /[a-z]+-\d+(?= )/.exec(JSON.parse(line).value)?.[0] ?? line.slice(0, 100));
}

test('others fill the disk: nothing false is acknowledged, status says why, and it goes on by itself', async () => {
  await using folder = await temporaryFolder();
  const runner = withSmallDisk(folder.path);
  const dataDir = join(folder.path, 'data');
  const set = ['data.budget=256MiB'];
  await using gateway = await startGateway({ dataDir, set, runner, workingDirectory: '/' }).catch((cause) => {
    throw new Error('this tier needs unshare (apt-get install util-linux) and the right to mount', { cause });
  });
  const before = await send(gateway, 'before', 10);
  expect(before.length).toBe(10);

  const others = join(gateway.dataDir, '../others');
  await fillDisk(others);
  // A reading whose commit failed is neither acknowledged nor refused until it is known what became of that.
  const degraded = isIn(gateway, 'degraded');
  const filling = await send(gateway, 'filling', READINGS_MAX, degraded);
  await degraded;
  expect(filling.length).toBeLessThan(READINGS_MAX);
  expect((await statusOf(gateway)).reasons.join()).toContain('ENOSPC');
  expect((await fetch(`http://${gateway.admin}/readyz`)).status).toBe(503);
  expect(await send(gateway, 'full', 1)).toEqual([]);

  await rm(others);
  await isIn(gateway, 'ready');
  const after = await send(gateway, 'after', 10);
  expect(after.length).toBe(10);

  const found = await served(gateway);
  const acknowledged = new Set([...before, ...filling, ...after]);
  expect(found.filter((one) => acknowledged.has(one))).toEqual([...acknowledged]);
  expect((await gateway.kill('SIGTERM')).code).toBe(0);
});
