import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runProgram } from './run-program.ts';

const deployed = (name: string): string =>
  fileURLToPath(new URL(`../../deploy/prometheus/${name}`, import.meta.url));

test('promtool finds nothing wrong in the alert rules, and each speaks when it should and only then', async () => {
  const checked = await runProgram('promtool', ['check', 'rules', deployed('alerts.yaml')]);
  expect(checked).toMatchObject({ code: 0, output: expect.stringContaining('SUCCESS') });
  const tested = await runProgram('promtool', ['test', 'rules', deployed('alerts.test.yaml')]);
  expect(tested, `${tested.output}${tested.errors}`).toMatchObject({ code: 0 });
});

test('promtool can read what a gateway shows', async () => {
  await using folder = await temporaryFolder();
  const set = ['forwarder.brokers=[127.0.0.1:1]', 'mqtt.tls.listen=127.0.0.1:0'];
  await using gateway = await startGateway({ dataDir: join(folder.path, 'data'), set });
  const metrics = await (await gateway.api('/metrics')).text();
  const checked = await runProgram('promtool', ['check', 'metrics'], metrics);
  expect(checked, `${checked.output}${checked.errors}`).toMatchObject({ code: 0, errors: '' });
});
