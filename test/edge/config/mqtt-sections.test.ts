import { describe, expect, it } from 'vitest';
import { configuredListeners } from '../../../src/edge/config/mqtt-sections.ts';
import { readConfig } from '../../../src/edge/config/read-config.ts';

const read = (mqtt: string) =>
  readConfig({
    file: { name: 'hw.yaml', text: `mqtt:\n${mqtt}` },
    sets: [],
    workingDirectory: '/site',
    hostName: 'gw1',
  });

const mqttOf = (text: string) => {
  const result = read(text);
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.config.mqtt;
};

const problemsOf = (text: string): string => {
  const result = read(text);
  return 'problems' in result ? result.problems.join('\n') : '';
};

const listening = (text: string): readonly string[] =>
  configuredListeners(mqttOf(text)).map(
    ({ kind, setting, listen }) => `${kind} ${setting} ${listen.host}:${listen.port}`,
  );

describe('where MQTT listens', () => {
  it.each([
    ['', ['mqtt mqtt.listen 127.0.0.1:1883']],
    ['  tls: {}', ['mqtt mqtt.listen 127.0.0.1:1883', 'mqtts mqtt.tls.listen 127.0.0.1:8883']],
    ['  listen: off\n  tls: { listen: "0.0.0.0:8883" }', ['mqtts mqtt.tls.listen 0.0.0.0:8883']],
    ['  listen: off', []],
    [
      '  listen: off\n  ws: {}\n  wss: {}',
      ['ws mqtt.ws.listen 127.0.0.1:8083', 'wss mqtt.wss.listen 127.0.0.1:8084'],
    ],
    ['  tls: { listen: off }', ['mqtt mqtt.listen 127.0.0.1:1883']],
  ])('is as %j says', (text, expected) => {
    expect(listening(text)).toEqual(expected);
  });

  it('takes files from the working directory on', () => {
    expect(mqttOf('  tls: { certFile: a.pem, keyFile: /k.pem, clientCaFile: ca.pem }').tls).toMatchObject({
      certFile: '/site/a.pem',
      keyFile: '/k.pem',
      clientCaFile: '/site/ca.pem',
    });
  });

  it.each([
    ['  listen: 1883', /mqtt\.listen: write host:port, such as 127\.0\.0\.1:1883 .*, or off/],
    ['  tls: { listen: none }', /mqtt\.tls\.listen: write host:port, such as 127\.0\.0\.1:8883/],
    ['  tls: { certFile: a }', /mqtt\.tls\.keyFile: write the file with the key/],
    ['  tls: { keyFile: a }', /mqtt\.tls\.certFile: write the file with the certificate/],
    ['  tls: { clientCertificates: required }', /mqtt\.tls\.clientCaFile: write the file with the CAs/],
    ['  tls: { clientCaFile: a, clientCertificates: maybe }', /write one of optional, required/],
    [
      '  tls: { listen: "127.0.0.1:1883" }',
      /mqtt\.tls\.listen: write another port than that of mqtt\.listen/,
    ],
    [
      '  tls: { listen: "127.0.0.1:8080" }',
      /admin\.listen: write another port than that of mqtt\.tls\.listen/,
    ],
    ['  tls: { caFile: a }', /mqtt\.tls\.caFile: unknown setting; did you mean/],
  ])('refuses %j', (text, message) => {
    expect(problemsOf(text)).toMatch(message);
  });
});
