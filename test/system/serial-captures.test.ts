import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { StatusReport } from '../../src/edge/status.ts';
import { type ExpectedRecord, firstMisfit } from '../support/expected-records.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { PseudoTerminals } from '../support/pseudo-terminals.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { HeardDevice } from './heard-device.ts';
import { type CapturedDevice, capturedDevices, comparable } from './serial-captures.ts';

interface JsonRecord {
  readonly key: string;
  readonly value?: string;
  readonly valueBase64?: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** All that a device has sent, and what has come of it. */
interface Outcome {
  readonly device: CapturedDevice;
  readonly expected: readonly ExpectedRecord[];
  readonly records: readonly string[];
  /** Those that were only counted included. */
  readonly deadLetters: number;
}

const TEST_MS_MAX = 240_000;
const polled = { timeout: 20_000, interval: 500 };

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

const statusOf = async (gateway: RunningGateway): Promise<StatusReport['serial']> =>
  ((await (await gateway.api('/api/status')).json()) as StatusReport).serial;

/** Starts a gateway that reads all of them, each at the other end of two pseudo-terminals. */
async function startedWith(devices: readonly CapturedDevice[], folder: string, stack: AsyncDisposableStack) {
  const ports = await Promise.all(
    devices.map(async (device) => {
      const ends = join(folder, device.name);
      await mkdir(ends);
      return { device, terminals: stack.use(await PseudoTerminals.start(ends)) };
    }),
  );
  const serial = ports.map(({ device: { name, framing, decoder }, terminals: { path } }) => ({
    ...{ name, framing, decoder, path },
    baud: 115200,
  }));
  const dataDir = join(folder, 'data');
  const gateway = stack.use(await startGateway({ dataDir, set: [`serial=${JSON.stringify(serial)}`] }));
  const areOpen = async () => (await statusOf(gateway)).every(({ state }) => state === 'open');
  await expect.poll(areOpen, polled).toBe(true);
  return { gateway, ports };
}

/** Sends all steps of a device; gives what is expected of it. */
async function sendAll(gateway: RunningGateway, device: CapturedDevice, terminals: PseudoTerminals) {
  await using heard = await HeardDevice.watch(gateway, device.name, terminals);
  const expected: ExpectedRecord[] = [];
  for (const step of device.steps) expected.push(...(await heard.send(step)));
  return { device, expected };
}

async function outcomesOf(
  gateway: RunningGateway,
  sent: readonly Pick<Outcome, 'device' | 'expected'>[],
): Promise<readonly Outcome[]> {
  const readings = await recordsOf(gateway, 'readings');
  const status = await statusOf(gateway);
  return sent.map(({ device, expected }) => ({
    device,
    expected,
    records: (readings.get(device.name) ?? []).map((record) => comparable(device.decoder, bytesOf(record))),
    deadLetters: status.find(({ name }) => name === device.name)?.deadLetters ?? 0,
  }));
}

/** What is wrong with what there is of a device; null if nothing is. */
function complaint({ device, expected, records, deadLetters }: Outcome): string | null {
  const misfit = firstMisfit(expected, records);
  if (misfit !== null) return `${device.name}: ${misfit}`;
  const wanted = device.steps.reduce((sum, { seen }) => sum + seen, 0);
  const seen = records.length + deadLetters;
  const isRight = device.isInPieces ? seen >= wanted : seen === wanted;
  return isRight ? null : `${device.name}: ${seen} records and dead letters, ${wanted} were sent`;
}

const all = capturedDevices();

test.each([
  { which: 'as many as a gateway may have', devices: all.slice(0, limits.serialPortsMax) },
  { which: 'the others', devices: all.slice(limits.serialPortsMax) },
])(
  'of captures of all kinds of devices, with each byte lost, cut off after each and with noise between them, every undamaged frame is a record: $which',
  { timeout: TEST_MS_MAX },
  async ({ devices }) => {
    await using folder = await temporaryFolder();
    await using stack = new AsyncDisposableStack();
    const { gateway, ports } = await startedWith(devices, folder.path, stack);
    const sent = await Promise.all(ports.map(({ device, terminals }) => sendAll(gateway, device, terminals)));
    const complaints = async () =>
      (await outcomesOf(gateway, sent)).flatMap((outcome) => complaint(outcome) ?? []);
    await expect.poll(complaints, polled).toEqual([]);

    const deadLetters = await recordsOf(gateway, 'dead-letters');
    for (const { name, bad } of devices) {
      const said = deadLetters.get(name)?.map(({ value, headers }) => `${headers[0]?.value}: ${value}`);
      for (const { text, problem } of bad) expect(said).toContain(`${problem}: ${text}`);
    }
    for (const { name, deadLetters: counted, dropped, leftOut } of await statusOf(gateway)) {
      const letters = deadLetters.get(name)?.length ?? 0;
      expect(letters, name).toBe(Math.min(counted, limits.serialDeadLettersPerHourMax));
      expect({ name, dropped, leftOut }).toEqual({ name, dropped: 0, leftOut: counted - letters });
    }
    // Were one record lost, another or there twice, it would have been seen.
    for (const outcome of await outcomesOf(gateway, sent)) {
      const { device, records } = outcome;
      const [last = '', first = ''] = [records.at(-1), records[0]];
      const wrong = [records.slice(1), records.slice(0, -1), records.with(-1, 'wrong'), [...records, last]];
      for (const those of [...wrong, [first, ...records]])
        expect(complaint({ ...outcome, records: those }), device.name).not.toBeNull();
    }
  },
);
