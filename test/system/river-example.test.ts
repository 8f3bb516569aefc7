import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { until } from '../kafka/until.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { INSTALL_MS_MAX, pythonEnvironment } from './python-environment.ts';
import { runProgram } from './run-program.ts';

const example = fileURLToPath(new URL('../../examples/river', import.meta.url));
const ALERT_MS_MAX = 10_000;

let python = '';

beforeAll(async () => {
  const environment = await pythonEnvironment(join(example, 'requirements.txt'));
  python = environment.python;
  return () => environment.remove();
}, INSTALL_MS_MAX);

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

interface Told {
  readonly event: string;
  readonly series: string;
  readonly kind: string;
  readonly model: string | null;
}

/** What the gateway has told of alerts so far. */
async function told(gateway: RunningGateway): Promise<readonly Told[]> {
  const answer = await gateway.api('/api/records?topic=anomalies&partition=0&offset=0');
  const lines = answer.ok ? (await answer.text()).trimEnd().split('\n') : [];
  return lines.filter((line) => line !== '').map((line) => JSON.parse(JSON.parse(line).value) as Told);
}

test('the model of the example raises an alert and clears it', async () => {
  await using folder = await temporaryFolder();
  await using gateway = await startGateway({
    dataDir: join(folder.path, 'data'),
    set: ["mqtt.routes=[{ match: 'models/+/verdicts', topic: verdicts }]", 'anomaly.verdicts=verdicts'],
  });
  const model = spawn(python, [join(example, 'river_model.py'), '--mqtt', gateway.mqtt], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(createInterface(model.stdout), 'line');
  expect(await runProgram(python, [join(example, 'sensor.py'), gateway.mqtt])).toMatchObject({ code: 0 });
  const alerts = await until('the alert is cleared', ALERT_MS_MAX, async () => {
    const ofModel = (await told(gateway)).filter(({ kind }) => kind === 'model');
    return ofModel.length >= 2 ? ofModel : undefined;
  });
  await stop(model);
  const alert = { kind: 'model', model: 'river-hst', series: 'readings:sensors/kitchen:temperature' };
  expect(alerts).toMatchObject([
    { ...alert, event: 'raised' },
    { ...alert, event: 'cleared' },
  ]);
});
