import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/edge/config/read-config.ts';

const read = (forwarder: string, sets: readonly string[] = []) =>
  readConfig({
    file: { name: 'hw.yaml', text: `forwarder:\n${forwarder}` },
    sets,
    workingDirectory: '/site',
    hostName: 'gw1',
  });

const forwarderOf = (text: string, sets?: readonly string[]) => {
  const result = read(text, sets);
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.config.forwarder;
};

const problemsOf = (text: string, sets?: readonly string[]): string => {
  const result = read(text, sets);
  return 'problems' in result ? result.problems.join('\n') : '';
};

describe('TLS and login of the forwarder', () => {
  it('are off unless they are there', () => {
    expect(forwarderOf('  lingerMs: 5')).toMatchObject({ tls: undefined, sasl: undefined });
  });

  it.each([
    ['with the CAs of the system', '  tls: {}', {}],
    ['also if all its lines are comments', '  tls:\n    # caFile: x', {}],
    [
      'with a CA of its own, from the working directory on',
      '  tls: { caFile: ca.pem }',
      { caFile: '/site/ca.pem' },
    ],
    [
      'mutual, with another name',
      '  tls: { certFile: /a/gw1.pem, keyFile: gw1.key, serverName: kafka.example.com }',
      { certFile: '/a/gw1.pem', keyFile: '/site/gw1.key', serverName: 'kafka.example.com' },
    ],
  ])('TLS %s', (_, text, tls) => {
    expect(forwarderOf(text).tls).toEqual(tls);
  });

  it.each([
    [
      'PLAIN with a file',
      'mechanism: PLAIN, username: gw1, passwordFile: secret',
      {
        mechanism: 'PLAIN',
        username: 'gw1',
        password: { setting: 'forwarder.sasl.passwordFile', kind: 'file', name: '/site/secret' },
      },
    ],
    [
      'SCRAM with a variable',
      'mechanism: SCRAM-SHA-256, username: gw1, passwordEnv: KAFKA_PASSWORD',
      {
        mechanism: 'SCRAM-SHA-256',
        username: 'gw1',
        password: { setting: 'forwarder.sasl.passwordEnv', kind: 'variable', name: 'KAFKA_PASSWORD' },
      },
    ],
    [
      'OAUTHBEARER with a file',
      'mechanism: OAUTHBEARER, tokenFile: /run/token',
      {
        mechanism: 'OAUTHBEARER',
        token: { setting: 'forwarder.sasl.tokenFile', kind: 'file', name: '/run/token' },
      },
    ],
  ])('a login by %s', (_, text, sasl) => {
    expect(forwarderOf(`  sasl: { ${text} }`).sasl).toEqual(sasl);
  });

  it('can be set on the command line', () => {
    const sets = ['forwarder.tls={}', 'forwarder.sasl={ mechanism: PLAIN, username: gw1, passwordEnv: P }'];
    expect(forwarderOf('', sets)).toMatchObject({ tls: {}, sasl: { username: 'gw1' } });
  });
});

describe('what contradicts itself is refused, with what to write', () => {
  it.each([
    [
      '  tls: true',
      'forwarder.tls: write a mapping of settings here: caFile, certFile, keyFile, serverName; or {} to trust the CAs of the system, not true',
    ],
    ['  tls: { certFile: a }', 'forwarder.tls.keyFile: write the file with the key that belongs to certFile'],
    [
      '  tls: { keyFile: a }',
      'forwarder.tls.certFile: write the file with the certificate that belongs to keyFile, or remove keyFile',
    ],
    [
      '  tls: { ca: a }',
      'forwarder.tls.ca: unknown setting; there are: caFile, certFile, keyFile, serverName',
    ],
    ['  tls: { serverName: "a b" }', 'forwarder.tls.serverName: write the name of a host'],
    [
      '  sasl:',
      'forwarder.sasl.mechanism: is missing; write one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER',
    ],
    [
      '  sasl: { mechanism: GSSAPI }',
      'write one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, not "GSSAPI"',
    ],
    [
      '  sasl: { mechanism: PLAIN, username: gw1 }',
      'forwarder.sasl.passwordFile: write the file that holds the password, or as passwordEnv the environment variable',
    ],
    [
      '  sasl: { mechanism: PLAIN, passwordFile: a }',
      'forwarder.sasl.username: write the user that PLAIN logs in',
    ],
    [
      '  sasl: { mechanism: PLAIN, username: gw1, passwordFile: a, passwordEnv: B }',
      'forwarder.sasl.passwordEnv: write passwordFile or passwordEnv, not both',
    ],
    [
      '  sasl: { mechanism: SCRAM-SHA-512, username: gw1, passwordFile: a, tokenFile: b }',
      'forwarder.sasl.tokenFile: remove it; SCRAM-SHA-512 takes a password',
    ],
    [
      '  sasl: { mechanism: OAUTHBEARER }',
      'forwarder.sasl.tokenFile: write the file that holds the token, or as tokenEnv the environment variable',
    ],
    [
      '  sasl: { mechanism: OAUTHBEARER, tokenFile: a, tokenEnv: B }',
      'forwarder.sasl.tokenEnv: write tokenFile or tokenEnv, not both',
    ],
    [
      '  sasl: { mechanism: OAUTHBEARER, tokenFile: a, username: gw1 }',
      'forwarder.sasl.username: remove it; with OAUTHBEARER the token says who logs in',
    ],
  ])('%s', (text, problem) => {
    expect(problemsOf(text)).toContain(problem);
  });

  it('all of it at once, whatever else is wrong', () => {
    const problems = problemsOf('  lingerMs: -1\n  tls: { keyFile: a }\n  sasl: { mechanism: PLAIN }').split(
      '\n',
    );
    expect(problems.map((line) => line.split(': ')[1])).toEqual([
      'forwarder.lingerMs',
      'forwarder.tls.certFile',
      'forwarder.sasl.username',
      'forwarder.sasl.passwordFile',
    ]);
  });

  it.each([
    [
      '  sasl: { mechanism: PLAIN, username: gw1, password: hunter-2 }',
      'a secret does not stand in the configuration; write it into a file of its own and name that as passwordFile',
    ],
    [
      '  sasl: { mechanism: PLAIN, username: gw1, passwordEnv: hunter-2 }',
      'the name of an environment variable',
    ],
    ['  sasl: { mechanism: PLAIN, username: gw1, passwordFile: [hunter-2] }', 'the path of a file'],
    ['  sasl: { mechanism: OAUTHBEARER, tokenEnv: hunter-2 }', 'the name of an environment variable'],
  ])('without showing a secret that was written in the wrong place: %s', (text, words) => {
    expect(problemsOf(text)).toContain(words);
    expect(problemsOf(text)).not.toContain('hunter-2');
  });
});
