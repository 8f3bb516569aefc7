import { expect, test } from 'vitest';
import type { PortEventJson } from '../../../src/edge/admin/port-event-json.ts';
import { portEventRows } from '../../../src/edge/cli/port-event-rows.ts';

const atMs = new Date(2026, 0, 31, 8, 5, 9, 7).getTime();
const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

test.each<[PortEventJson, string]>([
  [{ kind: 'state', atMs, state: 'open', device: '/dev/ttyUSB0' }, 'state      open, /dev/ttyUSB0'],
  [{ kind: 'state', atMs, state: 'opening', device: null }, 'state      opening'],
  [{ kind: 'received', atMs, hex: hexOf('{"t":1}\r\n\xff') }, 'received   {"t":1}\\r\\n\\xFF'],
  [{ kind: 'sent', atMs, hex: hexOf('READ\r') }, 'sent       READ\\r'],
  [{ kind: 'not-sent', atMs, problem: 'the port is closed' }, 'not-sent   the port is closed'],
  [{ kind: 'frame', atMs, hex: hexOf('t 1'), value: '{"t":1}' }, 'frame      {"t":1}'],
  [{ kind: 'frame', atMs, hex: 'ff01', valueHex: 'ff01' }, 'frame      FF 01'],
  [{ kind: 'bad-frame', atMs, hex: hexOf('no\0'), problem: 'not-json' }, 'bad-frame  not-json: no\\0'],
  [{ kind: 'missed', atMs, count: 3 }, 'missed     3 events: they come faster than they can be shown'],
])('%j is one row with its time', (event, row) => {
  expect(portEventRows(event, false)).toEqual([`08:05:09.007  ${row}`]);
});

test('bytes as hex digits have their text beside, 16 in a row', () => {
  expect(portEventRows({ kind: 'received', atMs, hex: hexOf('0123456789abcdefG\n') }, true)).toEqual([
    '08:05:09.007  received   30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  |0123456789abcdef|',
    `                         47 0A${' '.repeat(43)} |G.|`,
  ]);
});
