import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runProgram } from './run-program.ts';

const main = fileURLToPath(new URL('../../src/edge/main.ts', import.meta.url));

const headwater = (dataDir: string, words: readonly string[], input = '') =>
  runProgram(process.execPath, [main, ...words, '--set', `data.dir=${dataDir}`], input);

/** What mosquitto_pub ends with; 0 once the message is acknowledged. */
async function published(gateway: RunningGateway, args: readonly string[]): Promise<number> {
  const port = gateway.mqtt.split(':')[1] ?? '';
  return (await runProgram('mosquitto_pub', ['-h', '127.0.0.1', '-p', port, '-q', '1', '-m', 'x', ...args]))
    .code;
}

test('mosquitto_pub logs in with its user and password, and no other way', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  await headwater(dataDir, ['devices', 'add', 'pump', '--publish', 'pumps/%c/#'], 'secret\n');
  await using gateway = await startGateway({ dataDir });
  const right = ['-u', 'pump', '-P', 'secret', '-i', 'p1'];
  expect(await published(gateway, [...right, '-t', 'pumps/p1/x'])).toBe(0);
  expect(await published(gateway, [...right, '-t', 'pumps/p2/x'])).not.toBe(0);
  expect(await published(gateway, ['-u', 'pump', '-P', 'wrong', '-t', 'pumps/p1/x'])).not.toBe(0);
  expect(await published(gateway, ['-t', 'pumps/p1/x'])).not.toBe(0);
  expect((await headwater(dataDir, ['consume', 'readings', '--from-beginning'])).output).toBe('x\n');
});

test.each([[['-H', 'sha512']], [['-H', 'sha512-pbkdf2']], [[]]])(
  'a file of mosquitto_passwd %j is imported, and its users log in as before, also after a restart',
  async (how) => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    const file = join(folder.path, 'passwd');
    expect(
      (await runProgram('mosquitto_passwd', ['-c', '-b', ...how, file, 'alice', 'wonder land'])).code,
    ).toBe(0);
    expect((await runProgram('mosquitto_passwd', ['-b', ...how, file, 'bob', 'builder'])).code).toBe(0);
    expect(await headwater(dataDir, ['devices', 'import', file])).toMatchObject({
      code: 0,
      output: 'added alice, bob\n',
    });
    {
      await using gateway = await startGateway({ dataDir });
      for (let time = 0; time < 2; time++)
        expect(await published(gateway, ['-u', 'alice', '-P', 'wonder land', '-t', 't'])).toBe(0);
      expect(await published(gateway, ['-u', 'alice', '-P', 'builder', '-t', 't'])).not.toBe(0);
      const list = async (): Promise<string> => (await headwater(dataDir, ['devices', 'list'])).output;
      await expect
        .poll(list, { timeout: 20_000 })
        .toBe(
          'user alice: publishes everywhere, subscribes everywhere\n' +
            'user bob (imported; not logged in yet): publishes everywhere, subscribes everywhere\n',
        );
      await gateway.kill('SIGTERM');
    }
    await using gateway = await startGateway({ dataDir });
    expect(await published(gateway, ['-u', 'alice', '-P', 'wonder land', '-t', 't'])).toBe(0);
    expect(await published(gateway, ['-u', 'bob', '-P', 'builder', '-t', 't'])).toBe(0);
  },
);
