import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSerialPort, untilReadMs } from '../../../src/ingest/serial/serial-port.ts';
import { nodeClock } from '../../../src/platform/node-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const settings = {
  baud: 9600,
  dataBits: 8,
  parity: 'none',
  stopBits: 1,
  flow: 'none',
  readPauseMs: 20,
} as const;
const nobody = { received: () => {}, lost: () => {} };

const refusalOf = async (path: string): Promise<unknown> => {
  try {
    await openSerialPort(nodeClock, path, settings, nobody);
    return null;
  } catch (error) {
    return error;
  }
};

test('a port that is not there is refused with what to do', async () => {
  expect(await refusalOf('/dev/no-such-port')).toMatchObject({
    code: 'port-unusable',
    message: expect.stringMatching(/there is no \/dev\/no-such-port\. Plug the device in/),
  });
});

test('a file that is no port is refused with what to do', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'file');
  await writeFile(path, 'text');
  expect(await refusalOf(path)).toMatchObject({
    code: 'port-unusable',
    message: expect.stringContaining(`${path} is no serial port`),
  });
});

test('ports are read together, and none twice for one timer that was early', () => {
  const readings = Array.from({ length: 200 }, (_, index) => 1000 + index * 0.77);
  for (const nowMs of readings) {
    const readMs = nowMs + untilReadMs(20, nowMs);
    // Woken in the millisecond after a multiple of the pause.
    expect(readMs % 20).toBeLessThan(2);
    expect(readMs - nowMs).toBeLessThanOrEqual(22);
    // Early by as much as a timer may be, it does not wake again at once.
    expect(untilReadMs(20, readMs - 1)).toBeGreaterThan(15);
  }
  for (const pauseMs of [0, 1, 2]) expect(untilReadMs(pauseMs, 1234.5)).toBe(pauseMs);
});
