import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { BrokerAddress } from '../../src/forwarder/kafka-answers.ts';

/** What a fake broker says. */
export interface Script {
  readonly clusterId: string;
  readonly nodes: readonly { readonly id: number; readonly address: BrokerAddress }[];
  readonly topics?: readonly string[];
  readonly cleanupPolicy?: string;
  /** One code for each time that a coordinator is asked for; the last one stays. */
  readonly coordinatorCodes?: readonly number[];
}

export interface FakeServer extends AsyncDisposable {
  readonly address: BrokerAddress;
}

/** A server on a free port of 127.0.0.1 that does this with each connection. */
export async function fakeServer(serve: (socket: Socket) => void): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
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
export function fakeBroker(script: (own: BrokerAddress) => Script): Promise<FakeServer> {
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
        const body = answer(request.readInt16BE(0), script(own), codes);
        const frame = Buffer.concat([request.subarray(4, 8), body]);
        socket.write(Buffer.concat([int32(frame.length), frame]));
      }
    });
  });
}

function answer(key: number, script: Script, codes: number[]): Buffer {
  if (key === 18) return apiVersions();
  const noTags = Buffer.from([0]);
  if (key === 3) return Buffer.concat([noTags, metadata(script)]);
  if (key === 32) return Buffer.concat([noTags, describedConfigs(script.cleanupPolicy)]);
  const [code = 0, ...later] = codes.length > 0 ? codes : (script.coordinatorCodes ?? []);
  codes.splice(0, codes.length, ...(later.length > 0 ? later : [code]));
  return Buffer.concat([noTags, coordinator(code)]);
}

const apiVersions = (): Buffer => {
  const features = list([[text('transaction.version'), int16(2), int16(2), tags]]);
  return Buffer.concat([int16(0), list([]), int32(0), Buffer.from([1, 2, features.length]), features]);
};

const metadata = ({ clusterId, nodes, topics = [] }: Script): Buffer =>
  Buffer.concat([
    int32(0),
    list(nodes.map(({ id, address }) => [int32(id), text(address.host), int32(address.port), nothing, tags])),
    text(clusterId),
    int32(1),
    list(topics.map((name) => [int16(0), text(name), Buffer.alloc(17), list([]), int32(0), tags])),
    tags,
  ]);

const describedConfigs = (policy: string | undefined): Buffer => {
  const setting = (value: string): Buffer[] => [
    ...[
      text('cleanup.policy'),
      text(value),
      Buffer.from([0, 1, 0]),
      list([]),
      Buffer.from([2]),
      nothing,
      tags,
    ],
  ];
  const code = int16(policy === undefined ? 3 : 0);
  const configs = list(policy === undefined ? [] : [setting(policy)]);
  return Buffer.concat([int32(0), list([[code, nothing, Buffer.from([2]), text('t'), configs, tags]]), tags]);
};

const coordinator = (code: number): Buffer => {
  const entry = [text('id'), int32(1), text('127.0.0.1'), int32(1), int16(code), nothing, tags];
  return Buffer.concat([int32(0), list([entry]), tags]);
};

const tags = Buffer.from([0]);

const nothing = Buffer.from([0]);

const text = (value: string): Buffer => Buffer.from(`${String.fromCharCode(value.length + 1)}${value}`);

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
