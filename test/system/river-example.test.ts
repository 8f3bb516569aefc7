import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connectAsync } from 'mqtt';
import { beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runProgram } from './run-program.ts';

const example = fileURLToPath(new URL('../../examples/river', import.meta.url));
const INSTALL_MS_MAX = 180_000;

let python = '';

/** A virtual environment with what the example requires. */
beforeAll(async () => {
  const folder = await temporaryFolder();
  const created = await runProgram('python3', ['-m', 'venv', folder.path]);
  expect(created, 'install it with: apt-get install python3-venv').toMatchObject({ code: 0 });
  python = join(folder.path, 'bin/python');
  const requirements = join(example, 'requirements.txt');
  const installed = await runProgram(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements]);
  expect(installed).toMatchObject({ code: 0 });
  return () => folder[Symbol.asyncDispose]();
}, INSTALL_MS_MAX);

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

test('the model of the example says when a series begins to be anomalous, and when it ends', async () => {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data') });
  const subscriber = await connectAsync(`mqtt://${gateway.mqtt}`);
  const verdicts: unknown[] = [];
  subscriber.on('message', (_topic, payload) => verdicts.push(JSON.parse(payload.toString())));
  await subscriber.subscribeAsync('models/river-hst/verdicts', { qos: 1 });
  const model = spawn(python, [join(example, 'river_model.py'), '--mqtt', gateway.mqtt], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(createInterface(model.stdout), 'line');
  expect(await runProgram(python, [join(example, 'sensor.py'), gateway.mqtt])).toMatchObject({ code: 0 });
  await stop(model);
  await subscriber.endAsync();
  const series = 'readings:sensors/kitchen:temperature';
  expect(verdicts).toMatchObject([
    { model: 'river-hst', series, isAnomalous: true },
    { model: 'river-hst', series, isAnomalous: false },
  ]);
});
