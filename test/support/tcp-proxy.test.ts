import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { until } from '../kafka/until.ts';
import { BUFFERED_BYTES_MAX, type ProxyOptions, startProxy, type TcpProxy } from './tcp-proxy.ts';

const WAIT_MS_MAX = 10_000;
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** A proxy before a server that does this with each connection. */
async function proxied(
  serve: (socket: Socket) => void,
  options: Omit<ProxyOptions, 'target'> = {},
): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const proxy = await startProxy({ ...options, target: `127.0.0.1:${port}` });
  cleanups.push(() => proxy.close());
  return proxy;
}

const echo = (socket: Socket): void => void socket.pipe(socket);

interface Client {
  readonly socket: Socket;
  received(): string;
  /** The code of the error that ended it; `closed` after an end without error. */
  readonly ended: Promise<string>;
}

function dial(proxy: TcpProxy): Client {
  const socket = connect(Number(proxy.address.split(':')[1]), '127.0.0.1');
  cleanups.push(() => socket.destroy());
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  const ended = new Promise<string>((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('close', () => resolve('closed'));
  });
  return { socket, received: () => received, ended };
}

const hasCome = (client: Client, text: string): Promise<true> =>
  until(`${text} comes back`, WAIT_MS_MAX, () => Promise.resolve(client.received() === text || undefined));

test('a perfect link hands on every byte in order, counts them, and passes on the end of each side', async () => {
  const proxy = await proxied(echo);
  const client = dial(proxy);
  const sent = Array.from({ length: 50_000 }, (_, index) => `${index};`).join('');
  client.socket.end(sent);
  await client.ended;
  expect(client.received()).toBe(sent);
  expect(proxy.bytes).toEqual({ toTarget: sent.length, toClient: sent.length });
  expect(proxy.heldBytesPeak).toBeLessThanOrEqual(BUFFERED_BYTES_MAX);
  await until('the connection is forgotten', WAIT_MS_MAX, () =>
    Promise.resolve(proxy.connections === 0 || undefined),
  );
});

test('a delayed link delays each way', async () => {
  const proxy = await proxied(echo);
  proxy.delay(60);
  const client = dial(proxy);
  await once(client.socket, 'connect');
  const since = performance.now();
  client.socket.write('ping');
  await hasCome(client, 'ping');
  const took = performance.now() - since;
  expect(took).toBeGreaterThanOrEqual(119);
  expect(took).toBeLessThan(2_000);
});

test('a throttled link carries its rate, all connections together, each its fair part, and holds 64 KiB', async () => {
  const arrived = new Map<Socket, number>();
  const proxy = await proxied((socket) => {
    arrived.set(socket, 0);
    socket.on('data', (bytes) => arrived.set(socket, (arrived.get(socket) ?? 0) + bytes.length));
  });
  const rate = 400_000;
  proxy.throttle(rate);
  const since = performance.now();
  // The first one has a great start and writes in great pieces.
  for (const pieceBytes of [1024 * 1024, 4096, 4096]) {
    const { socket } = dial(proxy);
    await once(socket, 'connect');
    const more = (): void => {
      while (socket.write(Buffer.alloc(pieceBytes)));
    };
    socket.on('drain', more);
    more();
  }
  const total = (): number => [...arrived.values()].reduce((sum, bytes) => sum + bytes, 0);
  await until('300 kB have passed', WAIT_MS_MAX, () => Promise.resolve(total() >= 300_000 || undefined));
  const seconds = (performance.now() - since) / 1000;
  expect(total() / seconds).toBeLessThan(rate * 1.1);
  expect(total() / seconds).toBeGreaterThan(rate / 4);
  expect(arrived.size).toBe(3);
  for (const bytes of arrived.values()) {
    expect(bytes).toBeGreaterThan(total() / 3 - 30_000);
    expect(bytes).toBeLessThan(total() / 3 + 30_000);
  }
  expect(proxy.heldBytesPeak).toBeLessThanOrEqual(BUFFERED_BYTES_MAX);
  expect(proxy.heldBytesPeak).toBeGreaterThan(BUFFERED_BYTES_MAX / 8);
});

test.each([
  [false, false],
  [true, true],
])(
  'in one queue (%s) a byte waits for what another connection has sent before: %s',
  async (isOneQueue, waits) => {
    const bulkBytes = 200_000;
    let ofBulk = 0;
    const before: number[] = [];
    const proxy = await proxied(
      (socket) =>
        socket.on('data', (bytes) => {
          if (bytes.includes('!')) before.push(ofBulk);
          else ofBulk += bytes.length;
        }),
      { isOneQueue, bufferedBytesMax: 4 * 1024 * 1024 },
    );
    const [bulk, alarm] = [dial(proxy), dial(proxy)];
    await Promise.all([once(bulk.socket, 'connect'), once(alarm.socket, 'connect')]);
    proxy.throttle(200_000);
    bulk.socket.write(Buffer.alloc(bulkBytes));
    await until('the proxy has most of it', WAIT_MS_MAX, () =>
      Promise.resolve(proxy.heldBytesPeak > bulkBytes * 0.8 || undefined),
    );
    alarm.socket.write('!');
    await until('the byte has come', WAIT_MS_MAX, () => Promise.resolve(before.length > 0 || undefined));
    expect((before[0] ?? 0) > bulkBytes * 0.7).toBe(waits);
  },
);

test('a black hole takes connections and hands on nothing, not even an end, until it is healed', async () => {
  const proxy = await proxied(echo);
  const before = dial(proxy);
  before.socket.write('a');
  await hasCome(before, 'a');
  proxy.blackHole();
  before.socket.end('b');
  const during = dial(proxy);
  await once(during.socket, 'connect');
  during.socket.write('c');
  // A link that let anything through would have done so by the time another one has carried a byte there and back.
  const other = await proxied(echo);
  other.delay(50);
  const witness = dial(other);
  witness.socket.write('w');
  await hasCome(witness, 'w');
  expect([before.received(), during.received()]).toEqual(['a', '']);
  expect(before.socket.readableEnded).toBe(false);
  proxy.heal();
  await before.ended;
  expect(before.received()).toBe('ab');
  await hasCome(during, 'c');
});

test('a cut resets both sides of every connection, and the next connection works', async () => {
  const ends: Promise<string>[] = [];
  const proxy = await proxied((socket) => {
    ends.push(
      new Promise((resolve) => socket.once('close', (hadError) => resolve(hadError ? 'reset' : 'end'))),
    );
    echo(socket);
  });
  const client = dial(proxy);
  client.socket.write('a');
  await hasCome(client, 'a');
  proxy.cut();
  expect(await client.ended).toBe('ECONNRESET');
  expect(await ends[0]).toBe('reset');
  const next = dial(proxy);
  next.socket.write('b');
  await hasCome(next, 'b');
});

test('what a cut connection still had takes no room from the next ones', async () => {
  const proxy = await proxied(echo);
  const other = await proxied(echo);
  other.delay(50);
  const witness = dial(other);
  for (let cut = 1; cut <= 10; cut += 1) {
    // So many that the part of each is less than what its sockets have.
    const clients = Array.from({ length: 8 }, () => dial(proxy));
    for (const client of clients) client.socket.write('a');
    await Promise.all(clients.map((client) => hasCome(client, 'a')));
    proxy.blackHole();
    for (const { socket } of clients) socket.write(Buffer.alloc(BUFFERED_BYTES_MAX));
    // By the time another link has carried a byte there and back, the sockets of this one have what they can take.
    witness.socket.write('w');
    await hasCome(witness, 'w'.repeat(cut));
    // Cut in the middle of its work: it has handed on something, and would read more at once.
    proxy.heal();
    proxy.cut();
    await Promise.all(clients.map(({ ended }) => ended));
  }
  const next = dial(proxy);
  next.socket.write('b');
  await hasCome(next, 'b');
});

test('while it refuses, nothing listens, and connections that are there go on', async () => {
  const proxy = await proxied(echo);
  const before = dial(proxy);
  before.socket.write('a');
  await hasCome(before, 'a');
  proxy.refuse();
  expect(await dial(proxy).ended).toBe('ECONNREFUSED');
  before.socket.write('b');
  await hasCome(before, 'ab');
  await proxy.accept();
  const after = dial(proxy);
  after.socket.write('c');
  await hasCome(after, 'c');
});

test('a reset by one side reaches the other, and a target that is not there resets the client', async () => {
  const closed = Promise.withResolvers<boolean>();
  const proxy = await proxied((socket) => {
    socket.once('close', closed.resolve);
    echo(socket);
  });
  const client = dial(proxy);
  client.socket.write('a');
  await hasCome(client, 'a');
  client.socket.resetAndDestroy();
  expect(await closed.promise).toBe(true);

  const nowhere = await startProxy({ target: '127.0.0.1:1' });
  cleanups.push(() => nowhere.close());
  expect(await dial(nowhere).ended).toBe('ECONNRESET');
});
