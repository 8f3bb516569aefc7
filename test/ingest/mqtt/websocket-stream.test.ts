import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocketStream } from '../../../src/ingest/mqtt/websocket-stream.ts';
import { RawClient, until } from './harness.ts';
import { binary } from './websocket-client.ts';

/** Both ends of a connection, past the handshake. */
async function pair() {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const client = new RawClient(address.port);
  const [socket]: unknown[] = await once(server, 'connection');
  if (!(socket instanceof Socket)) throw new Error('no socket');
  const stream = new WebSocketStream(socket, () => undefined);
  return {
    client,
    socket,
    stream,
    [Symbol.dispose]: () => {
      stream.destroy();
      client.socket.destroy();
      server.close();
    },
  };
}

const MIB = 2 ** 20;

test('what nobody reads stays in the socket, and all of it comes when somebody does', async () => {
  using connection = await pair();
  const { client, socket, stream } = connection;
  stream.once('readable', () => {});
  client.send(binary(Buffer.alloc(20 * MIB, 'x')));
  await until(() => stream.readableLength >= stream.readableHighWaterMark, 'what it takes ahead');
  await until(() => socket.readableLength > 0, 'what is left in the socket');
  expect(stream.readableLength).toBeLessThan(MIB / 4);
  let read = 0;
  stream.on('data', (chunk: Buffer) => {
    read += chunk.length;
  });
  await until(() => read === 20 * MIB, 'all of it');
});

test('what is written is done when the client reads it, and not before', async () => {
  using connection = await pair();
  const { client, stream } = connection;
  client.socket.pause();
  let done = 0;
  for (let index = 0; index < 20; index++) stream.write(Buffer.alloc(MIB), () => done++);
  await until(() => stream.writableNeedDrain && stream.writableLength > 10 * MIB, 'back-pressure');
  expect(done).toBeLessThan(15);
  client.socket.resume();
  await until(() => done === 20, 'all of it');
});
