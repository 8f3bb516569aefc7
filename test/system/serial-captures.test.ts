import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusReport } from '../../src/edge/status.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { firstMisfit } from '../support/expected-records.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { PseudoTerminals } from '../support/pseudo-terminals.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type CapturedDevice, capturedDevices, comparable, GAP_MS } from './serial-captures.ts';

interface JsonRecord {
  readonly key: string;
  readonly value?: string;
  readonly valueBase64?: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

const polled = { timeout: 20_000, interval: 100 };

const bytesOf = ({ value, valueBase64 = '' }: JsonRecord): Uint8Array =>
  value === undefined ? Buffer.from(valueBase64, 'base64') : Buffer.from(value);

async function recordsOf(gateway: RunningGateway, topic: string): Promise<ReadonlyMap<string, JsonRecord[]>> {
  const answer = await gateway.api(`/api/records?topic=${topic}&partition=0&offset=0`);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '');
  return Map.groupBy(
    lines.map((line) => JSON.parse(line) as JsonRecord),
    ({ key }) => key,
  );
}

async function readingsOf(
  gateway: RunningGateway,
  devices: readonly CapturedDevice[],
): Promise<ReadonlyMap<CapturedDevice, readonly string[]>> {
  const records = await recordsOf(gateway, 'readings');
  return new Map(
    devices.map((device) => [
      device,
      (records.get(device.name) ?? []).map((record) => comparable(device.decoder, bytesOf(record))),
    ]),
  );
}

/** What is wrong with what there is of a device; null if nothing is. */
function complaint(device: CapturedDevice, records: readonly string[], deadLetters: number): string | null {
  const misfit = firstMisfit(device.expected, records);
  if (misfit !== null) return `${device.name}: ${misfit}`;
  const seen = records.length + deadLetters;
  const isRight = device.isSeenAtLeast ? seen >= device.seen : seen === device.seen;
  return isRight ? null : `${device.name}: ${seen} records and dead letters, ${device.seen} were sent`;
}

/** Sends all; where only a pause ends damage, each burst begins with a good frame, by which it is seen to have been read. */
async function sendAll(gateway: RunningGateway, device: CapturedDevice, terminals: PseudoTerminals) {
  let seen = 0;
  const count = async () => (await recordsOf(gateway, 'readings')).get(device.name)?.length ?? 0;
  for (const [index, burst] of device.bursts.entries()) {
    await terminals.send(burst);
    if (index === device.bursts.length - 1) return;
    await expect.poll(count, polled).toBeGreaterThan(seen);
    await nodeClock.sleep(3 * GAP_MS);
    seen = await count();
  }
}

test('of captures of all kinds of devices, damaged and with noise between them, every undamaged frame is a record', async () => {
  await using folder = await temporaryFolder();
  await using stack = new AsyncDisposableStack();
  const devices = capturedDevices();
  const ports = await Promise.all(
    devices.map(async (device) => {
      const ends = join(folder.path, device.name);
      await mkdir(ends);
      return { device, terminals: stack.use(await PseudoTerminals.start(ends)) };
    }),
  );
  const serial = ports.map(({ device: { name, framing, decoder }, terminals: { path } }) => ({
    ...{ name, framing, decoder, path },
    baud: 115200,
  }));
  await using gateway = await startGateway({
    dataDir: join(folder.path, 'data'),
    set: [`serial=${JSON.stringify(serial)}`],
  });
  const status = async () => ((await (await gateway.api('/api/status')).json()) as StatusReport).serial;
  const areOpen = async () => (await status()).every(({ state }) => state === 'open');
  await expect.poll(areOpen, polled).toBe(true);

  await Promise.all(ports.map(({ device, terminals }) => sendAll(gateway, device, terminals)));
  const complaints = async () => {
    const readings = await readingsOf(gateway, devices);
    const deadLetters = await recordsOf(gateway, 'dead-letters');
    return devices.flatMap((device) => {
      const letters = deadLetters.get(device.name)?.length ?? 0;
      return complaint(device, readings.get(device) ?? [], letters) ?? [];
    });
  };
  await expect.poll(complaints, polled).toEqual([]);

  const readings = await readingsOf(gateway, devices);
  const deadLetters = await recordsOf(gateway, 'dead-letters');
  for (const { name, bad } of devices) {
    const said = deadLetters.get(name)?.map(({ value, headers }) => `${headers[0]?.value}: ${value}`);
    for (const { text, problem } of bad) expect(said).toContain(`${problem}: ${text}`);
  }
  for (const { name, deadLetters: counted, dropped, leftOut } of await status()) {
    const letters = deadLetters.get(name)?.length ?? 0;
    expect(letters, name).toBeGreaterThan(0);
    expect({ name, counted, dropped, leftOut }).toEqual({ name, counted: letters, dropped: 0, leftOut: 0 });
  }
  // Were one record lost, another or there twice, it would have been seen.
  for (const [device, records] of readings) {
    const letters = deadLetters.get(device.name)?.length ?? 0;
    const [last = '', first = ''] = [records.at(-1), records[0]];
    const wrong = [records.slice(1), records.slice(0, -1), records.with(-1, 'wrong'), [...records, last]];
    for (const those of [...wrong, [first, ...records]])
      expect(complaint(device, those, letters), device.name).not.toBeNull();
  }
});
