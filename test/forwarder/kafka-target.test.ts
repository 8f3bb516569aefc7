import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import { openAccess } from '../../src/forwarder/kafka/cluster-access.ts';
import { KafkaTarget } from '../../src/forwarder/kafka/kafka-target.ts';
import { SharedLink } from '../../src/forwarder/kafka/link-share.ts';
import { encodeBatch } from '../../src/log/encoding/batch.ts';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { emptySession, readingsTopic } from '../support/empty-session.ts';
import { until } from '../support/virtual-time.ts';
import { fakeBroker } from './fake-broker.ts';

const targetAt = (...brokers: string[]): KafkaTarget => targetOn(nodeClock, ...brokers);

const targetOn = (clock: Clock, ...brokers: string[]): KafkaTarget =>
  new KafkaTarget({
    brokers,
    readAccess: openAccess,
    clock,
    share: new SharedLink(clock, null).shareOf('bulk'),
  });

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** Something that listens but is no broker. */
async function listener(
  onConnection: (socket: Socket) => void,
): Promise<{ server: Server; address: string }> {
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function closedPort(): Promise<string> {
  const { server, address } = await listener(() => {});
  await new Promise((resolve) => servers.splice(servers.indexOf(server), 1)[0]?.close(resolve));
  return address;
}

describe('a Kafka target', () => {
  test('names every broker that it could not reach, and what to check', async () => {
    const first = await closedPort();
    const second = await closedPort();
    const failure = await targetAt(first, second).open(emptySession);
    expect(failure).toMatchObject({ kind: 'unreachable', cause: 'refused' });
    expect(failure?.message).toContain(`${first}: connection refused`);
    expect(failure?.message).toContain(`${second}: connection refused`);
    expect(failure?.message).toContain('Check the link and forwarder.brokers');
  });

  test('counts what went through its sockets, of those that are gone as well', async () => {
    let received = 0;
    const answer = Buffer.from('no Kafka');
    const { address } = await listener((socket) =>
      socket.on('data', (request: Buffer) => {
        received += request.length;
        socket.end(answer);
      }),
    );
    const target = targetAt(address);
    expect(target.linkBytesWritten()).toBe(0);
    await target.open(emptySession);
    const first = received;
    expect(first).toBeGreaterThan(20);
    expect(target.linkBytesWritten()).toBe(first);
    expect(target.linkBytesRead()).toBe(answer.length);
    // Without a close in between the lost connection is replaced.
    await target.open(emptySession);
    expect(target.linkBytesWritten()).toBe(received);
    await target.close();
    await target.open(emptySession);
    expect(received).toBe(3 * first);
    expect(target.linkBytesWritten()).toBe(received);
    expect(target.linkBytesRead()).toBe(3 * answer.length);
  });

  test('turns to the next broker after one that takes connections and does not answer', async () => {
    const { address: mute } = await listener((socket) => socket.once('data', () => socket.destroy()));
    let asked = 0;
    const { address: second } = await listener((socket) => {
      asked += 1;
      socket.destroy();
    });
    const target = targetAt(mute, second);
    expect((await target.open(emptySession))?.message).toContain(mute);
    expect((await target.open(emptySession))?.message).toContain(second);
    expect(asked).toBe(1);
    expect((await target.open(emptySession))?.message).toContain(mute);
    await target.close();
  });

  test('has the kernel find out whether a broker is still there while nothing is sent', async () => {
    const connected = Promise.withResolvers<number>();
    const { address } = await listener((socket) =>
      socket.once('data', () => connected.resolve(socket.remotePort ?? 0)),
    );
    const target = targetAt(address);
    const opening = target.open(emptySession);
    const port = (await connected.promise).toString(16).toUpperCase().padStart(4, '0');
    // proc(5): local address, remote address, state, queues, and then the timer, 2 of which is the keepalive one.
    const keptAlive = new RegExp(`^ *\\d+: 0100007F:${port} 0100007F:\\w+ 01 \\w+:\\w+ 02:`, 'm');
    await until('the request has arrived', () => keptAlive.test(readFileSync('/proc/net/tcp', 'utf8')));
    await target.close();
    await opening;
  });

  test('says that an address is none', async () => {
    const failure = await targetAt('a:b:c').open(emptySession);
    expect(failure?.message).toContain('"a:b:c" is not an address of the form host:port');
  });

  test('can be closed while a broker keeps it waiting, and opened again', async () => {
    let asked = (): void => {};
    const question = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { address } = await listener((socket) => socket.once('data', () => asked()));
    const target = targetAt(address);
    const opening = target.open(emptySession);
    await question;
    await target.close();
    expect((await opening)?.kind).toBe('unreachable');
    const again = target.open(emptySession);
    await target.close();
    expect((await again)?.kind).toBe('unreachable');
  });

  test('takes a lost connection and an answer without sense for a failure', async () => {
    for (const onData of [
      (socket: Socket) => socket.destroy(),
      (socket: Socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(4), () => socket.end()),
      (socket: Socket, request: Buffer) => {
        // The right correlation id, and then nothing that belongs there.
        const answer = Buffer.alloc(40, 0xff);
        answer.writeInt32BE(36, 0);
        request.copy(answer, 4, 8, 12);
        socket.write(answer);
      },
    ]) {
      const { address } = await listener((socket) =>
        socket.on('data', (request: Buffer) => onData(socket, request)),
      );
      const target = targetAt(address);
      expect((await target.open(emptySession))?.kind).toBe('unreachable');
      await target.close();
    }
  });

  test('begins no request of a transaction that the cluster would end before long, and has it aborted', async () => {
    let nowMs = 0;
    let produced = 0;
    let ended = 0;
    const onRequest = (key: number): void => {
      if (key === 0) [nowMs, produced] = [nowMs + 10_000, produced + 1];
      if (key === 26) ended += 1;
    };
    const topics = [emptySession.checkpointTopic, readingsTopic.name];
    await using broker = await fakeBroker((own) => ({
      clusterId: 'c',
      nodes: [{ id: 1, address: own }],
      topics,
      cleanupPolicy: 'compact',
      onRequest,
    }));
    const clock = { ...nodeClock, monotonicMs: () => nowMs };
    const target = targetOn(clock, `127.0.0.1:${broker.address.port}`);
    expect(await target.open({ ...emptySession, topics: [readingsTopic] })).toBeNull();
    const record = { key: null, value: Buffer.alloc(20_000), timestampMs: 0, headers: [] };
    const batch = { bytes: encodeBatch(0, [record]), recordCount: 1 };
    const batches = Array.from({ length: 9 }, () => ({
      topic: readingsTopic.name,
      partition: 0,
      batch,
      source: null,
    }));
    const failure = await target.send(batches);
    expect(failure).toMatchObject({
      kind: 'slow',
      message: expect.stringMatching(/is too slow, or .* after 25 s/),
    });
    expect(produced).toBe(3);
    expect(await target.abort()).toBeNull();
    expect(ended).toBe(1);
    // What takes less time is sent whole.
    expect(await target.send(batches.slice(0, 2))).toBeNull();
    expect(produced).toBe(5);
    await target.close();
  });

  test('finds every partition here that may lead to one without a leader there, unless it is paused', async () => {
    const byKey = {
      name: 'gw1.readings',
      partitions: 1,
      source: 'readings',
      sourcePartitions: 3,
      isIdentified: false,
      isByKey: true,
      paused: new Set([1]),
    };
    const topics = [emptySession.checkpointTopic, byKey.name];
    await using broker = await fakeBroker((own) => ({
      clusterId: 'c',
      nodes: [{ id: 1, address: own }],
      topics,
      leaderless: [byKey.name],
    }));
    const target = targetAt(`127.0.0.1:${broker.address.port}`);
    const failure = await target.open({ ...emptySession, topics: [byKey] });
    await target.close();
    const unwell = { topic: 'readings', verdict: 'unwell', cause: 'LEADER_NOT_AVAILABLE', batch: null };
    expect(failure).toMatchObject({
      kind: 'busy',
      objections: [
        { ...unwell, partition: 0 },
        { ...unwell, partition: 2 },
      ],
    });
  });
});
