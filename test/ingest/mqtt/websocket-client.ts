import type { ListenerKind } from '../../../src/ingest/mqtt/listener.ts';
import type { Harness, RawClient } from './harness.ts';
import { until } from './harness.ts';

const mask = Buffer.from([0xa1, 0x02, 0xf3, 0x44]);

/** A frame as a client sends it, with whatever first byte; without `isMasked` against the protocol. */
export function frame(firstByte: number, payload: Uint8Array, isMasked = true): Buffer {
  const { length } = payload;
  const lengths =
    length < 126
      ? [length]
      : length < 65_536
        ? [126, length >> 8, length & 255]
        : [127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255];
  const header = Buffer.from([firstByte, ...lengths]);
  if (!isMasked) return Buffer.concat([header, payload]);
  header[1] = (header[1] ?? 0) | 0x80;
  return Buffer.concat([header, mask, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}

export const binary = (payload: Uint8Array): Buffer => frame(0x82, payload);

export interface UpgradeOptions {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** The request that begins a WebSocket, with what the test wants otherwise; undefined leaves a header out. */
export function upgrade({ path = '/mqtt', headers = {} }: UpgradeOptions = {}): Buffer {
  const all: Record<string, string | undefined> = {
    Host: 'gateway',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': 'mqtt',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return Buffer.from(`${[`GET ${path} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`);
}

/** A client whose WebSocket is open; what it has received begins after the handshake. */
export async function webSocketClient(harness: Harness, kind: ListenerKind = 'ws'): Promise<RawClient> {
  const client = harness.raw(kind);
  client.send(upgrade());
  await until(() => client.received.includes('\r\n\r\n'), 'the handshake');
  client.received = client.received.subarray(client.received.indexOf('\r\n\r\n') + 4);
  return client;
}
