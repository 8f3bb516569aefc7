import { describe, expect, test } from 'vitest';
import type { Delivery } from '../../src/forwarder/cluster/target.ts';
import { TopicMapping } from '../../src/forwarder/cluster/topic-mapping.ts';
import { openAccess } from '../../src/forwarder/kafka/cluster-access.ts';
import type { BrokerAddress } from '../../src/forwarder/kafka/kafka-answers.ts';
import { examineKafka } from '../../src/forwarder/kafka/kafka-doctor.ts';
import { findingsOf } from '../../src/forwarder/kafka/kafka-findings.ts';
import { fakeBroker, fakeServer } from './fake-broker.ts';

const TIMEOUT_MS = 300;

/** The lines that a user would see: `WRONG about: text`. */
const report = (...brokers: readonly BrokerAddress[]): Promise<string[]> =>
  reportFor('exactly-once', brokers);

async function reportFor(delivery: Delivery, brokers: readonly BrokerAddress[]): Promise<string[]> {
  const request = {
    brokers,
    mapping: new TopicMapping({ gateway: 'gw1', topics: ['*'] }),
    topics: ['readings'],
    delivery,
    timeoutMs: TIMEOUT_MS,
  };
  const examination = await examineKafka({
    ...request,
    readAccess: openAccess,
    clock: { wallMs: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() },
  });
  return findingsOf(examination).map(
    ({ level, about, text }) => `${level === 'wrong' ? 'WRONG' : level} ${about}: ${text}`,
  );
}

const wrongIn = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith('WRONG'));

const nodeAt = (address: BrokerAddress) => [{ id: 1, address }];

test('asks nothing about transactions where there is no need for them', async () => {
  await using broker = await fakeBroker((own) => ({
    clusterId: 'north',
    nodes: nodeAt(own),
    topics: ['gw1.headwater-checkpoint'],
    settings: { 'cleanup.policy': 'compact' },
    // They would not be granted.
    coordinatorCodes: [53],
  }));
  expect(wrongIn(await report(broker.address))).toHaveLength(1);
  const lines = await reportFor('at-least-once', [broker.address]);
  expect(wrongIn(lines)).toEqual([]);
  expect(lines).toContain(
    'ok transactions: not needed: forwarder.delivery is at-least-once, so records may arrive twice',
  );
});

describe('a cluster where all is well', () => {
  test('is described, and nothing is wrong', async () => {
    await using broker = await fakeBroker((own) => ({
      clusterId: 'north',
      nodes: nodeAt(own),
      topics: ['gw1.readings', 'gw1.headwater-checkpoint', 'gw2.readings'],
      settings: { 'cleanup.policy': 'compact' },
      coordinatorCodes: [15, 14, 0],
    }));
    const { port } = broker.address;
    expect(await report(broker.address)).toEqual([
      `ok 127.0.0.1:${port}: Kafka answers (127.0.0.1)`,
      `ok cluster: north; brokers: 1 at 127.0.0.1:${port}; controller 1; transaction.version 2`,
      `ok broker 1: advertises 127.0.0.1:${port}, and can be reached there`,
      'ok topics: gw1.readings',
      'ok checkpoint: topic gw1.headwater-checkpoint is compacted, and stays small',
      'ok permissions: all topics may be written, or created where they are missing',
      'ok transactions: there is a coordinator for transactional ids such as headwater-doctor-bulk',
    ]);
  });

  test('may be new: topics that are not there yet are nothing wrong', async () => {
    await using broker = await fakeBroker((own) => ({ clusterId: 'north', nodes: nodeAt(own) }));
    const lines = await report(broker.address);
    expect(wrongIn(lines)).toEqual([]);
    expect(lines.join('\n')).toContain('none of this gateway yet');
    expect(lines.join('\n')).toContain('gw1.headwater-checkpoint is not there yet');
  });
});

describe('an address in forwarder.brokers', () => {
  test('where nothing listens, and one whose name is unknown', async () => {
    const gone = await fakeServer(() => undefined);
    await gone[Symbol.asyncDispose]();
    const lines = await report(gone.address, { host: 'kafka.invalid', port: 9092 });
    expect(lines[0]).toMatch(/^WRONG .*refuses connections on this port; start the broker/);
    expect(lines[1]).toMatch(/^WRONG kafka.invalid:9092: no DNS server knows this host name/);
    expect(lines).toHaveLength(2);
  });

  test.each([
    ['is silent', () => undefined, 'nothing answers; a firewall'],
    ['closes without a word', (socket) => socket.once('data', () => socket.end()), 'or one that expects TLS'],
    ['answers with an alert of TLS', answering('\x15\x03\x03\x00\x02\x02\x32'), 'the broker expects TLS'],
    ['is a web server', answering('HTTP/1.1 400 Bad Request\r\n\r\n'), 'something answers that is not Kafka'],
    ['answers with garbage', answering('\0\0\0\x08garbage!'), 'something answers that is not Kafka'],
    ['is an old Kafka', answering('\0\0\0\x06\0\0\0\x01\0\x23'), 'needs version 3.0 or later'],
  ] as const satisfies readonly (readonly [string, Parameters<typeof fakeServer>[0], string])[])(
    'where what listens %s',
    async (_, serve, words) => {
      await using server = await fakeServer(serve);
      const lines = await report(server.address);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^WRONG /);
      expect(lines[0]).toContain(words);
    },
  );

  test('of a broker that wants a login', async () => {
    const versions = '\0\0\0\x0c\0\0\0\x01\0\0\x01\0\0\0\0\0';
    await using server = await fakeServer((socket) => {
      socket.once('data', () => {
        socket.write(Buffer.from(versions, 'latin1'));
        socket.once('data', () => socket.end());
      });
    });
    expect((await report(server.address))[0]).toContain('wants a login; set forwarder.sasl');
  });

  test('of another cluster than the first one', async () => {
    await using north = await fakeBroker((own) => ({ clusterId: 'north', nodes: nodeAt(own) }));
    await using south = await fakeBroker((own) => ({ clusterId: 'south', nodes: nodeAt(own) }));
    const wrong = wrongIn(await report(north.address, south.address));
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toContain('belongs to another cluster (south)');
  });
});

describe('an advertised address', () => {
  test('where nothing listens, on the host where the broker answers: the port is wrong', async () => {
    const gone = await fakeServer(() => undefined);
    await gone[Symbol.asyncDispose]();
    await using broker = await fakeBroker(() => ({ clusterId: 'north', nodes: nodeAt(gone.address) }));
    const wrong = wrongIn(await report(broker.address));
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toContain(
      `nothing listens on port ${gone.address.port} there, while a broker answers on port`,
    );
    expect(wrong[0]).toContain(`Set advertised.listeners of broker 1`);
    expect(wrong[0]).toContain(`PLAINTEXT://127.0.0.1:${broker.address.port}`);
  });

  test('with a name that is unknown here', async () => {
    const nodes = nodeAt({ host: 'broker-1.invalid', port: 9092 });
    await using broker = await fakeBroker(() => ({ clusterId: 'north', nodes }));
    const wrong = wrongIn(await report(broker.address));
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toContain('broker 1: advertises broker-1.invalid:9092, but no DNS server');
    expect(wrong[0]).toContain('advertised.listeners');
  });

  test.each([
    ['silence', () => undefined, 'nothing answers there'],
    ['TLS', answering('\x15\x03\x03\x00\x02\x02\x32'), 'that listener expects TLS'],
    ['no Kafka', answering('SSH-2.0-OpenSSH_9.2\r\n'), 'what answers there is not Kafka'],
  ] as const satisfies readonly (readonly [string, Parameters<typeof fakeServer>[0], string])[])(
    'with %s behind it, while the others are well',
    async (_, serve, words) => {
      await using bad = await fakeServer(serve);
      await using broker = await fakeBroker((own) => ({
        clusterId: 'north',
        nodes: [...nodeAt(own), { id: 2, address: bad.address }],
      }));
      const wrong = wrongIn(await report(broker.address));
      expect(wrong).toHaveLength(1);
      expect(wrong[0]).toContain(`broker 2: advertises 127.0.0.1:${bad.address.port}, but ${words}`);
    },
  );

  test('where a broker of another cluster answers', async () => {
    await using south = await fakeBroker((own) => ({ clusterId: 'south', nodes: nodeAt(own) }));
    await using north = await fakeBroker(() => ({ clusterId: 'north', nodes: nodeAt(south.address) }));
    const wrong = wrongIn(await report(north.address));
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toContain('where another cluster (south) answers');
  });
});

describe('what the cluster allows', () => {
  const operations = { read: 1 << 3, write: 1 << 4 };

  test.each([
    [
      'to write no topic',
      operations.read,
      ['to write topic gw1.headwater-checkpoint: grant Write', 'to write topic gw1.readings: grant Write'],
    ],
    ['not to read the checkpoint', operations.write, ['to read topic gw1.headwater-checkpoint: grant Read']],
    ['all that is needed', operations.read | operations.write, []],
  ])('%s', async (_, allowed, expected) => {
    await using broker = await fakeBroker((own) => ({
      clusterId: 'north',
      nodes: nodeAt(own),
      topics: ['gw1.readings', 'gw1.headwater-checkpoint'],
      settings: { 'cleanup.policy': 'compact' },
      allowed,
    }));
    const wrong = wrongIn(await report(broker.address));
    expect(wrong).toEqual(
      expected.map((words) =>
        expect.stringContaining(`WRONG permissions: the cluster does not allow ${words}`),
      ),
    );
    expect(wrong).toHaveLength(expected.length);
  });

  test('not to create the topics that are missing', async () => {
    await using broker = await fakeBroker((own) => ({
      clusterId: 'north',
      nodes: nodeAt(own),
      createCode: 29,
    }));
    const wrong = wrongIn(await report(broker.address));
    expect(wrong).toHaveLength(2);
    expect(wrong.join()).toContain('when creating topic gw1.readings: grant Create on topics');
    expect(wrong.join()).toContain('when creating topic gw1.headwater-checkpoint: grant Create on topics');
  });
});

describe('things of ours in the cluster', () => {
  test('a checkpoint topic that is not compacted', async () => {
    await using broker = await fakeBroker((own) => ({
      clusterId: 'north',
      nodes: nodeAt(own),
      topics: ['gw1.headwater-checkpoint'],
      settings: { 'cleanup.policy': 'delete' },
    }));
    const wrong = wrongIn(await report(broker.address));
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toContain('--entity-name gw1.headwater-checkpoint --add-config cleanup.policy=compact');
  });

  test('a checkpoint topic that grows large is no more than a warning', async () => {
    await using broker = await fakeBroker((own) => ({
      clusterId: 'north',
      nodes: nodeAt(own),
      topics: ['gw1.headwater-checkpoint'],
      settings: { 'cleanup.policy': 'compact', 'delete.retention.ms': '86400000' },
    }));
    const lines = await report(broker.address);
    expect(wrongIn(lines)).toEqual([]);
    const [line] = lines.filter((one) => one.startsWith('warning checkpoint: '));
    expect(line).toContain('grows large with delete.retention.ms=86400000 instead of 60000');
    expect(line).toContain(
      '--entity-name gw1.headwater-checkpoint --add-config cleanup.policy=compact,segment.ms=',
    );
  });

  test.each([
    [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'],
    [15, 'COORDINATOR_NOT_AVAILABLE'],
  ])('no coordinator for transactions: error %i stays', async (code, words) => {
    await using broker = await fakeBroker((own) => ({
      clusterId: 'north',
      nodes: nodeAt(own),
      coordinatorCodes: [code],
    }));
    const wrong = wrongIn(await report(broker.address));
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toContain(words);
  });
});

/** Serves these bytes (latin1) after the first request, and ends. */
function answering(bytes: string): Parameters<typeof fakeServer>[0] {
  return (socket) => void socket.once('data', () => socket.end(Buffer.from(bytes, 'latin1')));
}
