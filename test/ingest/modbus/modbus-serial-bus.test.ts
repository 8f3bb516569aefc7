import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { Bus } from '../../../src/ingest/modbus/bus.ts';
import { openModbusBus } from '../../../src/ingest/modbus/modbus-serial-bus.ts';
import { nodeClock } from '../../../src/platform/node-clock.ts';

const unwanted = new AbortController();

/** A server of Modbus TCP that answers each request with what the test makes of it: the bytes after the unit's number; null for nothing. */
async function serve(answerOf: (pdu: Buffer, socket: Socket) => readonly number[] | null) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (request: Buffer) => {
      const answer = answerOf(request.subarray(7), socket);
      if (answer === null) return;
      const head = Buffer.from([...request.subarray(0, 4), 0, answer.length + 1, request[6] ?? 0]);
      socket.write(Buffer.concat([head, Buffer.from(answer)]));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const open = (port: number, timeoutMs: number): Promise<Bus> =>
  openModbusBus(nodeClock, { kind: 'tcp', host: '127.0.0.1', port }, timeoutMs, unwanted.signal);

test('reads the four tables, each by its function of Modbus', async () => {
  await using server = await serve((pdu) => {
    const count = pdu.readUInt16BE(3);
    const isBits = (pdu[0] ?? 0) <= 2;
    const bytes = isBits ? Math.ceil(count / 8) : count * 2;
    return [pdu[0] ?? 0, bytes, ...Array.from({ length: bytes }, (_, at) => (pdu[0] ?? 0) * 16 + at)];
  });
  const bus = await open(server.port, 1000);
  const read = (kind: 'holding' | 'input' | 'coil' | 'discrete', count: number) =>
    bus.read({ unit: 3, kind, address: 7, count });
  expect(await read('coil', 9)).toMatchObject({ data: Buffer.from([16, 17]) });
  expect(await read('discrete', 1)).toMatchObject({ data: Buffer.from([32]) });
  expect(await read('holding', 2)).toMatchObject({ data: Buffer.from([48, 49, 50, 51]) });
  expect(await read('input', 1)).toMatchObject({ data: Buffer.from([64, 65]) });
  await bus.close();
});

test('tells an exception, silence, and what is no answer', async () => {
  const answers: (readonly number[] | null)[] = [[0x83, 2], null, [3, 2, 1]];
  await using server = await serve(() => answers.shift() ?? null);
  const bus = await open(server.port, 40);
  const read = () => bus.read({ unit: 1, kind: 'holding', address: 0, count: 1 });
  expect(await read()).toEqual({ problem: { kind: 'exception', code: 2 } });
  expect(await read()).toEqual({ problem: { kind: 'timeout' } });
  expect(await read()).toMatchObject({ problem: { kind: 'garbled' } });
  await bus.close();
});

test('tells that the other side has closed or reset the connection', async () => {
  await using server = await serve((pdu, socket) => {
    if (pdu[2] === 1) socket.resetAndDestroy();
    else socket.destroy();
    return null;
  });
  const closed = await open(server.port, 200);
  void closed.read({ unit: 1, kind: 'holding', address: 0, count: 1 });
  expect(await closed.lost).toBe('it was closed');
  await closed.close();
  const reset = await open(server.port, 50);
  expect(await reset.read({ unit: 1, kind: 'holding', address: 1, count: 1 })).toMatchObject({
    lost: expect.any(String),
  });
  await reset.close();
});

test('a close ends a request that is under way, and closing twice is closing once', async () => {
  await using server = await serve(() => null);
  const bus = await open(server.port, 10_000);
  const answer = bus.read({ unit: 1, kind: 'holding', address: 0, count: 1 });
  await Promise.all([bus.close(), bus.close()]);
  expect(await answer).toEqual({ lost: 'it is closed' });
});

test('says what to do about a port that is not there, and a server that does not listen', async () => {
  const rtu = { kind: 'rtu', path: '/dev/no-such-bus', baud: 9600, parity: 'even', stopBits: 1 } as const;
  await expect(openModbusBus(nodeClock, rtu, 100, unwanted.signal)).rejects.toMatchObject({
    code: 'port-unusable',
    message: expect.stringContaining('there is no /dev/no-such-bus'),
  });
  const { port } = await serve(() => null).then(async (server) => {
    await server[Symbol.asyncDispose]();
    return server;
  });
  await expect(open(port, 100)).rejects.toMatchObject({
    code: 'port-unusable',
    message: expect.stringContaining(`127.0.0.1:${port} does not take a connection`),
  });
});

test('an attempt that is no longer wanted ends at once', async () => {
  const stopping = new AbortController();
  // An address of a documentation network: nobody answers.
  const opening = openModbusBus(
    nodeClock,
    { kind: 'tcp', host: '192.0.2.1', port: 502 },
    100,
    stopping.signal,
  );
  stopping.abort();
  await expect(opening).rejects.toMatchObject({ code: 'port-unusable' });
});
