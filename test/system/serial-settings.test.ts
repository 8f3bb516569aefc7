import { expect, test } from 'vitest';
import type { PortSettings } from '../../src/ingest/serial/port.ts';
import { openSerialPort } from '../../src/ingest/serial/serial-port.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { PseudoTerminals } from '../support/pseudo-terminals.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runProgram } from './run-program.ts';

const usual: PortSettings = {
  baud: 9600,
  dataBits: 8,
  parity: 'none',
  stopBits: 1,
  flow: 'none',
  readPauseMs: 20,
};
const nobody = { received: () => {}, lost: () => {} };

// A pseudo-terminal keeps neither parity nor data bits: those need hardware.
test.each<[Partial<PortSettings>, readonly string[]]>([
  [{}, ['speed 9600 baud', '-cstopb', '-crtscts', '-ixon', '-ixoff']],
  [{ baud: 115_200, stopBits: 2, flow: 'rtscts' }, ['speed 115200 baud', ' cstopb', ' crtscts', '-ixon']],
  [{ flow: 'xonxoff', parity: 'even', dataBits: 7 }, [' ixon', ' ixoff', '-crtscts']],
])('the system is told how the port speaks: %j', async (changed, expected) => {
  await using folder = await temporaryFolder();
  await using terminals = await PseudoTerminals.start(folder.path);
  const port = await openSerialPort(nodeClock, terminals.path, { ...usual, ...changed }, nobody);
  const { output } = await runProgram('stty', ['-F', terminals.path, '-a']);
  for (const flag of expected) expect(output).toContain(flag);
  await port.close();
});

test('a device holds its line back with XOFF, and a write that waits for it ends with the port', async () => {
  await using folder = await temporaryFolder();
  await using terminals = await PseudoTerminals.start(folder.path);
  let heard = '';
  const received = (chunk: Uint8Array): void => {
    heard += Buffer.from(chunk).toString();
  };
  const port = await openSerialPort(
    nodeClock,
    terminals.path,
    { ...usual, flow: 'xonxoff' },
    { ...nobody, received },
  );
  // What is sent before a letter has been heard when the letter is; flow control itself is no data.
  const isHeard = (text: string) => expect.poll(() => heard, { timeout: 10_000, interval: 10 }).toBe(text);
  await terminals.send('\x13a');
  await isHeard('a');
  const written = port.write(Buffer.from('held'));
  await terminals.send('\x11b');
  expect(await terminals.received(4)).toBe('held');
  await written;
  await isHeard('ab');

  await terminals.send('\x13c');
  await isHeard('abc');
  const refused = expect(port.write(Buffer.from('held'))).rejects.toMatchObject({ code: 'port-unusable' });
  await port.close();
  await refused;
});

test('bytes that come one by one are collected, and none is lost or late for long', async () => {
  await using folder = await temporaryFolder();
  await using terminals = await PseudoTerminals.start(folder.path);
  const chunks: number[] = [];
  let heard = '';
  const received = (chunk: Uint8Array): void => {
    chunks.push(performance.now());
    heard += Buffer.from(chunk).toString();
  };
  const port = await openSerialPort(nodeClock, terminals.path, usual, { ...nobody, received });
  const sent = Array.from({ length: 200 }, (_, index) => String.fromCharCode(65 + (index % 26))).join('');
  for (const letter of sent) await terminals.send(letter);
  await expect.poll(() => heard, { timeout: 10_000, interval: 5 }).toBe(sent);
  const tookMs = (chunks.at(-1) ?? 0) - (chunks[0] ?? 0);
  // The first at once, then one at each multiple of the pause.
  expect(chunks.length).toBeLessThanOrEqual(2 + Math.ceil(tookMs / usual.readPauseMs));
  await port.close();
});
