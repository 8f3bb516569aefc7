import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { ModbusBusConfig } from '../../src/edge/config/modbus-section.ts';
import { thisMachine } from '../../src/edge/machine.ts';
import { StartedParts } from '../../src/edge/started-parts.ts';
import { startWiredSources } from '../../src/edge/wired-sources.ts';
import type { PortWish } from '../../src/ingest/wired/port-selection.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { serialPort } from '../support/serial-port-config.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const cabinet = (wish: PortWish): ModbusBusConfig => ({
  name: 'cabinet',
  settings: { kind: 'rtu', wish, baud: 9600, parity: 'none', stopBits: 1 },
  timeoutMs: 100,
  retries: 0,
  units: [{ name: 'air', unit: 1, topic: 'readings', intervalMs: 1000, registers: [] }],
});

test('what is on wires is shown, and stops with the other parts', async () => {
  await using folder = await temporaryFolder();
  const parts = new StartedParts(nodeClock, silentLogger);
  const path = join(folder.path, 'port');
  const wired = startWiredSources({
    config: { serial: [serialPort('wind', path)], modbus: [cabinet({ path: `${path}-2` })] },
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

test('a bus and a serial port never take one device, by whatever names they have it', async () => {
  await using folder = await temporaryFolder();
  const parts = new StartedParts(nodeClock, silentLogger);
  const path = join(folder.path, 'port');
  const usb = { vendor: '0403', product: '6001' };
  const device = { path, links: [], usb: { ...usb, serial: null, maker: null } };
  const wired = startWiredSources({
    config: { serial: [serialPort('wind', path)], modbus: [cabinet({ usb })] },
    machine: { ...thisMachine, serialDevices: () => Promise.resolve([device]) },
    accept: () => Promise.resolve(),
    parts,
    logger: silentLogger,
    metrics: noMetrics,
  });
  await expect
    .poll(() => wired.status().modbus[0]?.lastError?.message)
    .toContain(`usb 0403:6001 stands for ${path}, which is the port wind already`);
  expect(await parts.stop(5_000)).toEqual([]);
});
