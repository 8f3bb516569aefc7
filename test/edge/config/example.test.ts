import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { withExamples } from '../../../src/edge/config/example-comments.ts';
import { type ConfigResult, readConfig } from '../../../src/edge/config/read-config.ts';
import { settingPaths } from '../../../src/edge/config/schema.ts';

const text = readFileSync(new URL('../../../headwater.example.yaml', import.meta.url), 'utf8');

const read = (yaml: string): ConfigResult =>
  readConfig({
    file: { name: 'headwater.example.yaml', text: yaml },
    sets: [],
    workingDirectory: '/',
    hostName: 'h',
  });

const switchedOn = withExamples(text);

describe('headwater.example.yaml', () => {
  it('says the defaults', () => {
    expect(read(text)).toEqual(read(''));
  });

  it('has examples that are legal, and differ from the defaults', () => {
    expect(read(switchedOn)).toMatchObject({
      config: {
        gateway: { name: 'gw1' },
        serial: [
          {
            name: 'weather',
            baud: 9600,
            framing: { type: 'line' },
            decoder: { type: 'json' },
            stalledAfter: 60_000,
          },
          { decoder: { type: 'csv', columns: ['temperature', 'humidity'], separator: ';' } },
          { decoder: { type: 'key-value', pairSeparator: '|', keySeparator: '=' } },
          { decoder: { type: 'regex', pattern: { source: '^WS (?<wind_speed>[0-9.]+) m/s' } } },
          { decoder: { type: 'number', name: 'weight' } },
          { framing: { type: 'line', delimiter: Uint8Array.of(0x0d), lengthMax: 200 } },
          { framing: { type: 'fixed', length: 8, gap: 100 } },
          { framing: { type: 'length-prefixed', bytes: 2, order: 'big', add: 2, lengthMax: 1024, gap: 100 } },
          {
            framing: {
              type: 'header',
              header: Uint8Array.of(0xaa, 0xc0),
              length: { at: 2, bytes: 1, order: 'big', add: 3 },
              checksum: { kind: 'sum-8', from: 2 },
              tail: Uint8Array.of(0xab),
              lengthMax: 64,
            },
          },
          {
            framing: { type: 'telegram', checksum: 'crc-16/arc', lengthMax: 65536 },
            decoder: { type: 'dsmr' },
          },
          { name: 'co2', wish: { usb: { vendor: '0403' } }, commands: { everyMs: 10_000, pauseMs: 100 } },
        ],
        modbus: [
          {
            name: 'cabinet',
            settings: { kind: 'rtu', baud: 9600 },
            units: [
              { name: 'meter', intervalMs: 10_000, topic: 'energy' },
              { name: 'solar', registers: [{ name: 'flow' }, { name: 'pump' }, { name: 'model' }] },
            ],
          },
          { name: 'cellar', settings: { kind: 'rtu', wish: { usb: { vendor: '1a86' } }, baud: 19_200 } },
          { name: 'roof', settings: { kind: 'tcp', host: '192.168.1.20', port: 502 } },
        ],
        data: { budget: 4 * 1024 ** 3, endurance: 30e12 },
        topics: {
          temperature: {
            partitions: 2,
            settings: {
              retention: { bytes: 1024 ** 3, ageMs: 30 * 24 * 3600 * 1000 },
              dropUnforwarded: false,
              segmentBytes: 8 * 1024 ** 2,
              compression: 'zstd',
              priority: 5,
              lane: 'bulk',
              centralPartitions: 6,
            },
          },
        },
        mqtt: {
          sources: [
            { name: 'plant', qos: 1, clientId: 'gw1-plant', tls: { caFile: '/etc/headwater/plant-ca.pem' } },
          ],
          tls: {
            listen: { host: '0.0.0.0', port: 8883 },
            certFile: '/etc/headwater/mqtt.pem',
            keyFile: '/etc/headwater/mqtt.key',
            clientCaFile: '/etc/headwater/devices-ca.pem',
            clientCertificates: 'optional',
          },
          ws: { listen: { host: '0.0.0.0', port: 8083 } },
          wss: { listen: { host: '0.0.0.0', port: 8084 } },
        },
        anomaly: {
          series: [
            { match: 'readings:sensors/*:temperature', min: -40, max: 85, unit: '°C', interval: 10_000 },
          ],
          verdicts: 'verdicts',
        },
        forwarder: {
          brokers: [{ host: 'kafka1' }, { host: 'kafka2' }],
          tls: {
            caFile: '/etc/headwater/kafka-ca.pem',
            certFile: '/etc/headwater/gw1.pem',
            keyFile: '/etc/headwater/gw1.key',
            serverName: 'kafka.example.com',
          },
          sasl: { mechanism: 'SCRAM-SHA-512', username: 'gw1', password: { kind: 'file' } },
        },
      },
    });
  });

  it.each(settingPaths().map((path) => path.join('.')))('shows %s', (path) => {
    const lines = switchedOn.split('\n');
    const names = path.split('.').filter((name) => name !== '*');
    const at = names.reduce(
      (after, name) =>
        after === -1
          ? -1
          : lines.findIndex(
              (line, index) =>
                index > after &&
                line
                  .trim()
                  .replace(/^(?:- |#\s+# or )/, '')
                  .startsWith(`${name}:`),
            ),
      lines.findIndex((line) => line.startsWith(`${names[0]}:`)) - 1,
    );
    expect(at).toBeGreaterThan(-1);
  });
});
