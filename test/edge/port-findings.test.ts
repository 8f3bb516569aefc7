import { expect, test } from 'vitest';
import { type PortsExamination, portFindings } from '../../src/edge/port-findings.ts';

test('ports that are there and free are told as such', () => {
  const found = { path: '/dev/ttyUSB0', obstacle: null };
  const findings = portFindings({
    serial: [{ kind: 'serial', name: 'air', found }],
    listeners: [
      { setting: 'mqtt.listen', address: '127.0.0.1:1883', obstacle: null },
      { setting: 'admin.listen', address: '127.0.0.1:8080', obstacle: 'ours' },
    ],
  });
  expect(findings).toEqual([
    { level: 'ok', about: 'serial air', text: 'is /dev/ttyUSB0' },
    { level: 'ok', about: 'mqtt.listen', text: '127.0.0.1:1883 is free' },
    { level: 'ok', about: 'admin.listen', text: 'the gateway listens on 127.0.0.1:8080' },
  ]);
});

test.each<[PortsExamination['serial'][number]['found'], RegExp]>([
  [{ problem: 'there is none. Plug it in' }, /^there is none\. Plug it in$/],
  [{ path: '/dev/ttyS0', obstacle: 'absent' }, /^there is no \/dev\/ttyS0\. Plug the adapter in/],
  [{ path: '/dev/ttyS0', obstacle: 'not-permitted' }, /may not open \/dev\/ttyS0\. .*usermod -aG dialout/],
])('the serial port %j is wrong, with what to do', (found, text) => {
  const [finding] = portFindings({ serial: [{ kind: 'modbus', name: 'bus', found }], listeners: [] });
  expect(finding).toEqual({ level: 'wrong', about: 'modbus bus', text: expect.stringMatching(text) });
});

test.each([
  ['taken', /another program listens on \[::1\]:80: stop that one, or set ws to another one/],
  ['not-permitted', /ports below 1024 are for root, so set ws to another one/],
  ['no-such-address', /wait for its network, or set ws to another one/],
] as const)('where nobody can listen (%s) it is said what to do', (obstacle, text) => {
  const listeners = [{ setting: 'ws', address: '[::1]:80', obstacle }];
  const [finding] = portFindings({ serial: [], listeners });
  expect(finding).toEqual({ level: 'wrong', about: 'ws', text: expect.stringMatching(text) });
});
