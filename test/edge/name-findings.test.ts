import { expect, test } from 'vitest';
import { readConfig } from '../../src/edge/config/read-config.ts';
import { nameFindings, neededNames } from '../../src/edge/name-findings.ts';

function namesOf(text: string, timeServers: readonly string[] = []) {
  const file = { name: 'headwater.yaml', text };
  const result = readConfig({ file, sets: [], workingDirectory: '/', hostName: 'gw1' });
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return neededNames(result.config, timeServers);
}

const yaml = `
forwarder: { brokers: ['kafka1:9092', '10.0.0.1:9092', '[::1]:9092'] }
mqtt: { sources: [{ name: plant, url: 'mqtt://Kafka1:1883', topics: [a] }] }
modbus: [{ name: b, tcp: 'meter:502', units: [{ name: meter, unit: 1, map: sdm120 }] }]
`;

test('each name that is needed is looked up once, with all that names it; addresses are none', () => {
  expect(namesOf(yaml, ['ntp.lan', '192.0.2.1'])).toEqual([
    { host: 'kafka1', settings: ['forwarder.brokers', 'mqtt.sources.plant.url'], isForTime: false },
    { host: 'meter', settings: ['modbus.tcp'], isForTime: false },
    { host: 'ntp.lan', settings: ['the time servers'], isForTime: true },
  ]);
  expect(namesOf('')).toEqual([]);
});

test.each([
  [['192.0.2.7', '::1'], 'ok', /^kafka1 \(forwarder\.brokers\) is 192\.0\.2\.7, ::1$/],
  ['unknown', 'wrong', /^no DNS server knows kafka1 \(forwarder\.brokers\): correct the name, or add it/],
  ['no-answer', 'wrong', /^no DNS server answers for kafka1 \(forwarder\.brokers\): look at the network/],
] as const)('%j is told with what to do', (answer, level, text) => {
  const kafka = { host: 'kafka1', settings: ['forwarder.brokers'], isForTime: false, answer };
  const finding = { about: 'dns', text: expect.stringMatching(text) };
  expect(nameFindings([kafka])).toEqual([{ ...finding, level }]);
  const timeLevel = level === 'ok' ? 'ok' : 'warning';
  expect(nameFindings([{ ...kafka, isForTime: true }])).toEqual([{ ...finding, level: timeLevel }]);
});
