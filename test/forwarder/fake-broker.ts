import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { BrokerAddress } from '../../src/forwarder/kafka/kafka-answers.ts';

const ALL_OPERATIONS = 0xff8;

/** What a fake broker says to a login. */
export interface LoginScript {
  readonly mechanisms: readonly string[];
  /** To the bytes that it gets. */
  answer(bytes: Buffer): { readonly code?: number; readonly detail?: string; readonly bytes?: string };
  readonly sessionMs?: number;
}

/** What a fake broker says. */
export interface Script {
  readonly clusterId: string;
  readonly nodes: readonly { readonly id: number; readonly address: BrokerAddress }[];
  readonly topics?: readonly string[];
  /** Those of them of which the only partition has no leader. */
  readonly leaderless?: readonly string[];
  /** Of every topic; without them, it knows no topic to tell of. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Operations on these topics that are allowed, a bit for each; all if it is not said. */
  readonly allowed?: number;
  /** What it answers to whoever would create a topic. */
  readonly createCode?: number;
  /** What it says to a login; without it, it knows none. */
  readonly login?: LoginScript;
  /** Hears of each request, by the number of its call, before it is answered. */
  readonly onRequest?: (key: number) => void;
  /** One code for each time that a coordinator is asked for; the last one stays. */
  readonly coordinatorCodes?: readonly number[];
}

export interface FakeServer extends AsyncDisposable {
  readonly address: BrokerAddress;
}

/** A server on a free port of 127.0.0.1, with TLS if it is told how, that does this with each connection. */
export async function fakeServer(serve: (socket: Socket) => void, tls?: TlsOptions): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const take = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  };
  const accept = (socket: Socket): void => {
    take(socket);
    serve(socket);
  };
  const server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
  // Also those that never get through the handshake.
  if (tls !== undefined) server.on('connection', take).on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Speaks as much of Kafka's protocol as an examination needs; written down here byte by byte. */
export function fakeBroker(script: (own: BrokerAddress) => Script, tls?: TlsOptions): Promise<FakeServer> {
  const codes: number[] = [];
  return fakeServer((socket) => {
    const own = { host: '127.0.0.1', port: socket.localPort ?? 0 };
    let received: Buffer = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const end = 4 + received.readInt32BE(0);
        const request = received.subarray(4, end);
        received = received.subarray(end);
        const body = answer(request, own, script(own), codes);
        const frame = Buffer.concat([request.subarray(4, 8), body]);
        socket.write(Buffer.concat([int32(frame.length), frame]));
      }
    });
  }, tls);
}

function answer(request: Buffer, own: BrokerAddress, script: Script, codes: number[]): Buffer {
  const key = request.readInt16BE(0);
  script.onRequest?.(key);
  if (key === 18) return apiVersions();
  if (key === 17) return saslHandshake(script.login, request);
  const noTags = Buffer.from([0]);
  if (key === 36) return Buffer.concat([noTags, saslAuthenticate(script.login, request)]);
  if (key === 19) return Buffer.concat([noTags, createdTopic(script.createCode ?? 0)]);
  if (key === 3) return Buffer.concat([noTags, metadata(script)]);
  // Whatever a Produce brings is taken.
  if (key === 0) return Buffer.concat([noTags, list([]), int32(0), tags]);
  if (key === 22 || key === 26) return Buffer.concat([noTags, int32(0), int16(0), Buffer.alloc(10), tags]);
  if (key === 32) return Buffer.concat([noTags, describedConfigs(script.settings)]);
  const [code = 0, ...later] = codes.length > 0 ? codes : (script.coordinatorCodes ?? []);
  codes.splice(0, codes.length, ...(later.length > 0 ? later : [code]));
  return Buffer.concat([noTags, coordinator(code, own)]);
}

const apiVersions = (): Buffer => {
  const features = list([[text('transaction.version'), int16(2), int16(2), tags]]);
  return Buffer.concat([int16(0), list([]), int32(0), Buffer.from([1, 2, features.length]), features]);
};

const metadata = ({
  clusterId,
  nodes,
  topics = [],
  leaderless = [],
  allowed = ALL_OPERATIONS,
}: Script): Buffer =>
  Buffer.concat([
    int32(0),
    list(nodes.map(({ id, address }) => [int32(id), text(address.host), int32(address.port), nothing, tags])),
    text(clusterId),
    int32(1),
    list(
      topics.map((name) => [
        int16(0),
        text(name),
        Buffer.alloc(17),
        onePartition(leaderless.includes(name) ? -1 : 1),
        int32(allowed),
        tags,
      ]),
    ),
    tags,
  ]);

const saslHandshake = (login: LoginScript | undefined, request: Buffer): Buffer => {
  // Behind the header: the length of our client id, and the id.
  const wanted = request.subarray(10 + request.readInt16BE(8) + 2).toString();
  const { mechanisms = [] } = login ?? {};
  const code = login === undefined ? 34 : mechanisms.includes(wanted) ? 0 : 33;
  const names = mechanisms.map((name) => Buffer.concat([int16(name.length), Buffer.from(name)]));
  return Buffer.concat([int16(code), int32(mechanisms.length), ...names]);
};

const saslAuthenticate = (login: LoginScript | undefined, request: Buffer): Buffer => {
  // Behind the header and its tags: the length plus one as a varint, the bytes, and tags.
  const start = 10 + request.readInt16BE(8) + 1;
  const begin = start + ((request[start] ?? 0) < 0x80 ? 1 : 2);
  const { code = 0, detail = '', bytes = '' } = login?.answer(request.subarray(begin, -1)) ?? {};
  const session = Buffer.alloc(8);
  session.writeBigInt64BE(BigInt(login?.sessionMs ?? 0));
  return Buffer.concat([int16(code), text(detail), text(bytes), session, tags]);
};

const createdTopic = (code: number): Buffer => {
  const counts = Buffer.concat([int32(1), int16(1)]);
  const topic = [text('t'), Buffer.alloc(16), int16(code), nothing, counts, list([]), tags];
  return Buffer.concat([int32(0), list([topic]), tags]);
};

const describedConfigs = (settings: Script['settings']): Buffer => {
  const setting = ([name, value]: [string, string]): Buffer[] => [
    ...[text(name), text(value), Buffer.from([0, 1, 0]), list([]), Buffer.from([2]), nothing, tags],
  ];
  const code = int16(settings === undefined ? 3 : 0);
  const configs = list(Object.entries(settings ?? {}).map(setting));
  return Buffer.concat([int32(0), list([[code, nothing, Buffer.from([2]), text('t'), configs, tags]]), tags]);
};

const coordinator = (code: number, own: BrokerAddress): Buffer => {
  const entry = [text('id'), int32(1), text(own.host), int32(own.port), int16(code), nothing, tags];
  return Buffer.concat([int32(0), list([entry]), tags]);
};

const tags = Buffer.from([0]);

const nothing = Buffer.from([0]);

/** With its length plus one as a varint; shorter than 16 KiB. */
const text = (value: string): Buffer => {
  const length = value.length + 1;
  const prefix = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  return Buffer.concat([Buffer.from(prefix), Buffer.from(value, 'latin1')]);
};

const list = (entries: readonly Buffer[][]): Buffer =>
  Buffer.concat([Buffer.from([entries.length + 1]), ...entries.flat()]);

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** Partition 0 of a topic, led by this node; -1 for none. */
const onePartition = (leader: number): Buffer =>
  list([[int16(0), int32(0), int32(leader), int32(0), list([]), list([]), list([]), tags]]);
