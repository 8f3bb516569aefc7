import { describe, expect, test } from 'vitest';
import type { Dial, DialTrouble, Examination } from '../../src/forwarder/kafka/kafka-doctor.ts';
import { findingsOf } from '../../src/forwarder/kafka/kafka-findings.ts';

const kafka1 = { host: 'kafka1', port: 9092 };
const localhost = { host: 'localhost', port: 9092 };

function answered(clusterId: string, nodes = [{ id: 1, address: kafka1 }]): Dial {
  const answer = { clusterId, controllerId: 1, transactionVersion: 2, nodes };
  return { address: kafka1, resolved: ['10.0.0.5'], answer };
}

function examined(advertised: Dial, bootstrap = answered('north')): Examination {
  return {
    accessProblems: [],
    bootstrap: [bootstrap],
    advertised: [{ nodeId: 1, dial: advertised }],
    survey: null,
  };
}

const wrongIn = (examination: Examination): string[] =>
  findingsOf(examination)
    .filter(({ level }) => level === 'wrong')
    .map(({ about, text }) => `${about} ${text}`);

describe('a remote broker that advertises localhost', () => {
  const resolved = ['127.0.0.1', '::1'];
  const words =
    'broker 1 advertises localhost:9092, which for this device is the device itself, not the broker. Set ' +
    'advertised.listeners of broker 1 to an address that works from this device, such as PLAINTEXT://kafka1:9092, ' +
    'and restart it';

  test('is told so, when nothing listens on this device', () => {
    expect(wrongIn(examined({ address: localhost, resolved, answer: 'refused' }))).toEqual([words]);
  });

  test('is told so, when a Kafka of this device answers instead', () => {
    const own = { ...answered('own'), address: localhost, resolved };
    expect(wrongIn(examined(own))).toEqual([words]);
  });

  test('is right when the broker runs on this device too', () => {
    const here = { ...answered('north'), address: localhost, resolved };
    expect(wrongIn(examined(here, here))).toEqual([]);
  });

  test('is right through a tunnel that ends at the same cluster', () => {
    expect(wrongIn(examined({ ...answered('north'), address: localhost, resolved }))).toEqual([]);
  });
});

test('each trouble has a sentence of its own, for configured and for advertised addresses', () => {
  const troubles: readonly DialTrouble[] = [
    ...(['unknown-host', 'no-route', 'refused', 'timeout', 'closed', 'needs-tls'] as const),
    ...(['unintelligible', 'too-old', 'wants-login'] as const),
  ];
  const sentences = troubles.flatMap((answer) => {
    const dial = { address: { host: 'kafka2', port: 9092 }, resolved: ['10.0.0.6'], answer };
    return [
      ...wrongIn(examined(dial)),
      ...wrongIn({ accessProblems: [], bootstrap: [dial], advertised: [], survey: null }),
    ];
  });
  expect(sentences).toHaveLength(18);
  expect(new Set(sentences).size).toBe(18);
});

test('with several brokers, the example keeps the port that the broker advertises', () => {
  const nodes = [1, 2, 3].map((id) => ({ id, address: { host: `inner${id}`, port: 9090 + id } }));
  const dial: Dial = { address: { host: 'inner2', port: 9092 }, resolved: [], answer: 'unknown-host' };
  const [sentence] = wrongIn({
    accessProblems: [],
    bootstrap: [answered('north', nodes)],
    advertised: [{ nodeId: 2, dial }],
    survey: null,
  });
  expect(sentence).toContain('such as PLAINTEXT://kafka1:9092');
});

test('a broker that stops answering in the middle is something wrong', () => {
  const wrong = wrongIn({ ...examined(answered('north')), survey: 'kafka1:9092: Connection closed' });
  expect(wrong).toEqual([
    'cluster the broker that answered has stopped answering: kafka1:9092: Connection closed; try again',
  ]);
});

test('settings that may not be seen are trusted, and said so', () => {
  const findings = findingsOf({
    ...examined(answered('north')),
    survey: {
      topics: ['gw1.headwater-checkpoint'],
      checkpointTopic: 'gw1.headwater-checkpoint',
      checkpointSettings: null,
      permissions: [],
      transactionalId: 'headwater-doctor-bulk',
      transactionFailure: null,
    },
  });
  const checkpoint = findings.find(({ about }) => about === 'checkpoint');
  expect(checkpoint?.level).toBe('ok');
  expect(checkpoint?.text).toContain('be sure that it has cleanup.policy=compact, segment.ms=300000');
});
