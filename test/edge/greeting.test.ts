import { expect, test } from 'vitest';
import { readConfig } from '../../src/edge/config/read-config.ts';
import { greeting } from '../../src/edge/greeting.ts';

test('a gateway says where it listens, what it shows by TLS, and that nothing is sent yet', () => {
  const result = readConfig({ file: undefined, sets: [], workingDirectory: '/', hostName: 'gw1' });
  if ('problems' in result) throw new Error(result.problems.join());
  const addresses = {
    mqtt: '127.0.0.1:1883',
    mqtts: '0.0.0.0:8883',
    ws: '[::1]:8083',
    wss: null,
    admin: '127.0.0.1:8080',
  };
  const tls = {
    certificateFile: '/data/mqtt-certificate.pem',
    fingerprint: 'AB:CD',
    validToMs: Date.parse('9999-12-31T23:59:59Z'),
    clientCertificates: 'optional' as const,
    problems: [],
  };
  const given = {
    config: result.config,
    addresses,
    dataDir: '/data',
    certificates: tls,
    claimCode: null,
    adminTls: null,
  };
  const lines = greeting(given);
  expect(lines.slice(1)).toEqual([
    'MQTT   127.0.0.1:1883',
    'MQTT   0.0.0.0:8883 by TLS',
    'MQTT   [::1]:8083 by WebSocket',
    'TLS    /data/mqtt-certificate.pem until 9999-12-31, SHA-256 AB:CD; clients may log in by certificates',
    'admin  http://127.0.0.1:8080',
    'data   /data',
    'storing; no cluster is configured: set forwarder.brokers',
  ]);
  const off = greeting({
    ...given,
    addresses: { ...addresses, mqtt: null, mqtts: null, ws: null },
    certificates: null,
  });
  expect(off.slice(1, 3)).toEqual(['MQTT   off', 'admin  http://127.0.0.1:8080']);
  const unusable = greeting({ ...given, certificates: { ...tls, fingerprint: null } });
  expect(unusable.join('\n')).toMatch(/^TLS {4}NO USABLE CERTIFICATE/m);
  expect(greeting({ ...given, claimCode: 'AB-CD' })).toContain(
    'claim  http://127.0.0.1:8080/#claim=AB-CD sets the password of the page',
  );
});
