import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ServiceNews } from '../../src/core/service-manager.ts';
import { readConfig } from '../../src/edge/config/read-config.ts';
import { Gateway } from '../../src/edge/gateway.ts';
import { thisMachine } from '../../src/edge/machine.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A gateway in this process, and what its service manager hears; with each, whether others could find the gateway then. */
function gatewayIn(folder: string, mqttPort: number) {
  const dataDir = join(folder, 'data');
  const sets = [
    'log.level=error',
    'admin.listen=127.0.0.1:0',
    `mqtt.listen=127.0.0.1:${mqttPort}`,
    `data.dir=${dataDir}`,
  ];
  const result = readConfig({ file: undefined, sets, workingDirectory: folder, hostName: 'site' });
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  const { config } = result;
  const heard: (ServiceNews & { readonly isFound: boolean })[] = [];
  const tell = (news: ServiceNews): void =>
    void heard.push({ ...news, isFound: existsSync(join(dataDir, 'gateway.json')) });
  const machine = { ...thisMachine, serviceManager: () => ({ watchdogMs: null, tell }) };
  const { signal } = new AbortController();
  const start = () =>
    Gateway.start(config, () => Promise.resolve(config), { print: () => {} }, signal, machine);
  return { heard, start };
}

test('ready is told when everything listens and the gateway can be found, the stop before anything ends', async () => {
  await using folder = await temporaryFolder();
  const { heard, start } = gatewayIn(folder.path, 0);
  const gateway = await start();
  expect(heard).toEqual([
    { status: 'starting', isFound: false },
    { ready: true, isFound: true },
    { status: 'storing; no cluster is configured', isFound: true },
  ]);
  await gateway.stop();
  expect(heard.slice(3)).toEqual([{ stopping: true, status: 'stopping', extendMs: 20_000, isFound: true }]);
});

test('a start that fails is never told to be ready', async () => {
  await using folder = await temporaryFolder();
  const taken = createServer();
  const port = await new Promise<number>((resolve) => {
    taken.listen(0, '127.0.0.1', () => {
      const address = taken.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const { heard, start } = gatewayIn(folder.path, port);
  await expect(start()).rejects.toMatchObject({ code: 'port-unusable' });
  expect(heard).toMatchObject([{ status: 'starting' }, { stopping: true }]);
  taken.close();
});
