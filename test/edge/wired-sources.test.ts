import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { thisMachine } from '../../src/edge/machine.ts';
import { StartedParts } from '../../src/edge/started-parts.ts';
import { startWiredSources } from '../../src/edge/wired-sources.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { serialPort } from '../support/serial-port-config.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('what is on wires is shown, and stops with the other parts', async () => {
  await using folder = await temporaryFolder();
  const parts = new StartedParts(nodeClock, silentLogger);
  const path = join(folder.path, 'port');
  const wired = startWiredSources({
    config: {
      serial: [serialPort('wind', path)],
      modbus: [
        {
          name: 'cabinet',
          settings: { kind: 'rtu', path: `${path}-2`, baud: 9600, parity: 'none', stopBits: 1 },
          timeoutMs: 100,
          retries: 0,
          units: [{ name: 'air', unit: 1, topic: 'readings', intervalMs: 1000, registers: [] }],
        },
      ],
    },
    machine: thisMachine,
    accept: () => Promise.resolve(),
    parts,
    logger: silentLogger,
    metrics: noMetrics,
  });
  expect(wired.status()).toMatchObject({
    serial: [{ name: 'wind', state: 'opening' }],
    modbus: [{ name: 'cabinet', state: 'opening' }],
  });
  expect(await parts.stop(5_000)).toEqual([]);
});
