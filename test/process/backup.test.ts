import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import type { StatusReport } from '../../src/edge/status.ts';
import { type Session, session } from '../edge/cli/fake-gateway.ts';
import { headwaterProcess } from '../support/command-process.ts';
import { type RunningGateway, spawnGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const password = 'correct horse';

const publish = async ({ addresses }: RunningGateway, ca: string, payload: string): Promise<void> => {
  const client = await connectAsync(
    `mqtts://${addresses.mqtts}`,
    { ca, username: 'pump', password: 'secret', reconnectPeriod: 0 },
    false,
  );
  await client.publishAsync('t', payload, { qos: 1 });
  await client.endAsync();
};

/** What the gateway answers to a login by the password. */
const login = async ({ admin }: RunningGateway, given: string): Promise<number> => {
  const headers = { 'content-type': 'application/json', origin: `http://${admin}` };
  const body = JSON.stringify({ password: given });
  return (await fetch(`http://${admin}/api/session`, { method: 'POST', headers, body })).status;
};

const status = async (gateway: RunningGateway): Promise<StatusReport> =>
  (await (await gateway.api('/api/status')).json()) as StatusReport;

const stored = async (dataDir: string): Promise<string> =>
  (await headwaterProcess(dataDir, ['consume', 'readings', '--from-beginning'])).output;

const config = 'gateway: { name: north }\nmqtt: { tls: { listen: "127.0.0.1:0" } }\n';

test('a running gateway is backed up, and restored on another device: users, certificate and password, no readings, a log of its own', async () => {
  await using folder = await temporaryFolder();
  const oldHome = join(folder.path, 'old');
  const newHome = join(folder.path, 'new');
  await Promise.all([mkdir(oldHome), mkdir(newHome)]);
  await writeFile(join(oldHome, 'headwater.yaml'), config);
  const oldDir = join(oldHome, 'data');
  const newDir = join(newHome, 'data');
  const at = (workingDirectory: string, ...words: string[]): Promise<Session> =>
    session(words, { workingDirectory });
  await headwaterProcess(oldDir, ['devices', 'add', 'pump'], 'secret\n');
  await using old = await startGateway({ dataDir: oldDir });
  expect((await headwaterProcess(oldDir, ['admin', 'passwd'], `${password}\n`)).code).toBe(0);
  const { output: ca } = await headwaterProcess(oldDir, ['certificate']);
  await publish(old, ca, 'an old reading');
  const { logId } = await status(old);
  expect(await at(oldHome, 'backup', '../north.json')).toMatchObject({ code: 0, errors: '' });
  const document = await readFile(join(folder.path, 'north.json'), 'utf8');
  expect(JSON.parse(document)).toMatchObject({ gateway: 'north', parentLogId: logId });
  for (const secret of [logId, 'an old reading'])
    for (const { content } of JSON.parse(document).files)
      expect(Buffer.from(content, 'base64').toString()).not.toContain(secret);

  // A gateway that runs is not restored under its feet.
  expect(await at(oldHome, 'restore', '../north.json', '--force')).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/works on the data folder .*; stop it first/),
  });
  const restored = await at(newHome, 'restore', '../north.json');
  expect(restored).toMatchObject({ code: 0, errors: '' });
  expect(restored.output).toContain(`which names log ${logId} of the backup as its parent`);
  expect((await stat(join(newDir, 'mqtt-key.pem'))).mode & 0o777).toBe(0o600);

  await using restoredGateway = await startGateway({ dataDir: newDir });
  await publish(restoredGateway, ca, 'a new reading');
  expect(await stored(newDir)).toBe('a new reading\n');
  expect(await login(restoredGateway, 'a wrong one')).toBe(401);
  expect(await login(restoredGateway, password)).toBe(200);
  expect(restoredGateway.token).toBe(old.token);
  const report = await status(restoredGateway);
  expect(report.gateway).toBe('north');
  expect(report.logId).not.toBe(logId);
  expect(report.parentLog).toMatchObject({ logId, gateway: 'north' });
  expect((await status(old)).parentLog).toBeNull();
  expect(await readdir(newDir)).not.toContain('claim-code');
});

test('no gateway starts in a folder whose restore was broken off, and one does once it is done again', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const at = (...words: string[]) => session(words, { workingDirectory: folder.path });
  await headwaterProcess(dataDir, ['devices', 'add', 'pump'], 'secret\n');
  expect((await at('backup', 'b.json')).code).toBe(0);
  await writeFile(join(dataDir, 'restore.pending'), 'another one\n');
  await using refused = spawnGateway({ dataDir });
  expect(await refused.exited).toMatchObject({ code: 2 });
  expect(refused.stderr()).toMatch(/a restore of .* was broken off.*run headwater restore with the same/);
  expect((await at('restore', 'b.json', '--force')).code).toBe(0);
  await using gateway = await startGateway({ dataDir });
  expect((await status(gateway)).users.count).toBe(1);
});
