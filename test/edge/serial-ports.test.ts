import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { SerialPortConfig } from '../../src/edge/config/serial-section.ts';
import { thisMachine } from '../../src/edge/machine.ts';
import { portWishes } from '../../src/edge/port-wishes.ts';
import { SerialPorts } from '../../src/edge/serial-ports.ts';
import { portLocator } from '../../src/ingest/wired/port-selection.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { serialPort } from '../support/serial-port-config.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const start = (ports: readonly SerialPortConfig[]): SerialPorts =>
  SerialPorts.start({
    ports,
    locate: portLocator(portWishes({ serial: ports, modbus: [] }), thisMachine.serialDevices),
    open: thisMachine.openPort,
    accept: () => Promise.resolve(),
    clock: nodeClock,
    logger: silentLogger,
    metrics: noMetrics,
  });

test('without ports there is nothing to show and nothing to stop', async () => {
  const ports = start([]);
  expect(ports.status()).toEqual([]);
  await ports.stop();
});

test('ports start whether they are there or not, are shown in the order of the configuration, and stop', async () => {
  await using folder = await temporaryFolder();
  const config = ['wind', 'rain'].map((name) => {
    return serialPort(name, join(folder.path, name));
  });
  const ports = start(config);
  expect(ports.status().map(({ name, state }) => [name, state])).toEqual([
    ['wind', 'opening'],
    ['rain', 'opening'],
  ]);
  await expect.poll(() => ports.status()[1]?.lastError?.message).toContain(`there is no ${folder.path}/rain`);
  await ports.stop();
});
