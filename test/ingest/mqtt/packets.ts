/** MQTT 3.1.1 packets, written by hand: what a client library would never send can be sent as well. */

export function packet(firstByte: number, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([firstByte]), remainingLength(body.length), body]);
}

export function remainingLength(bytes: number): Buffer {
  const out: number[] = [];
  let left = bytes;
  do {
    const low = left % 128;
    left = Math.floor(left / 128);
    out.push(left > 0 ? low | 0x80 : low);
  } while (left > 0);
  return Buffer.from(out);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

export interface ConnectOptions {
  readonly clean?: boolean;
  readonly level?: number;
  readonly user?: string;
  readonly password?: string;
  readonly keepAliveSeconds?: number;
  readonly will?: {
    readonly topic: string;
    readonly payload: string;
    readonly qos?: number;
    readonly retain?: boolean;
  };
}

export function connect(
  clientId: string,
  { clean = true, level = 4, user, password, keepAliveSeconds = 0, will }: ConnectOptions = {},
): Buffer {
  const flags =
    (clean ? 2 : 0) |
    (will === undefined ? 0 : 4 | ((will.qos ?? 0) << 3) | (will.retain ? 0x20 : 0)) |
    (password === undefined ? 0 : 0x40) |
    (user === undefined ? 0 : 0x80);
  // Level 5 has properties, of which there are none.
  const properties = level === 5 ? [0] : [];
  const texts = [clientId, will?.topic, will?.payload, user, password].filter((given) => given !== undefined);
  return packet(
    0x10,
    Buffer.concat([
      text('MQTT'),
      Buffer.from([level, flags, 0, keepAliveSeconds, ...properties]),
      ...texts.map(text),
    ]),
  );
}

export function publish(
  topic: string,
  payload: Uint8Array | string,
  { qos = 1, id = 1, dup = false, retain = false } = {},
): Buffer {
  const firstByte = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
  const packetId = qos === 0 ? [] : [Buffer.from([id >> 8, id & 0xff])];
  return packet(firstByte, Buffer.concat([text(topic), ...packetId, Buffer.from(payload)]));
}

export function subscribe(filter: string, qos = 0): Buffer {
  return packet(0x82, Buffer.concat([Buffer.from([0, 1]), text(filter), Buffer.from([qos])]));
}

export function unsubscribe(filter: string): Buffer {
  return packet(0xa2, Buffer.concat([Buffer.from([0, 2]), text(filter)]));
}

const withId = (firstByte: number, id: number): Buffer =>
  packet(firstByte, Buffer.from([id >> 8, id & 0xff]));

export const pubrel = (id: number): Buffer => withId(0x62, id);

/** What a subscriber answers: PUBACK, PUBREC or PUBCOMP. */
export const acknowledgement = (type: 'puback' | 'pubrec' | 'pubcomp', id: number): Buffer =>
  withId({ puback: 0x40, pubrec: 0x50, pubcomp: 0x70 }[type], id);

export const pingreq: Buffer = packet(0xc0, Buffer.alloc(0));

export const disconnect: Buffer = packet(0xe0, Buffer.alloc(0));

export const CONNACK_ACCEPTED: readonly number[] = [0x20, 2, 0, 0];

/** The packet ids of the PUBACKs in a stream that holds packets of four bytes only, as CONNACK and PUBACK are. */
export const pubackIds = (received: Buffer): number[] => idsOf(0x40, received);

/** The same for PUBRECs. */
export const pubrecIds = (received: Buffer): number[] => idsOf(0x50, received);

/** The same for PUBCOMPs. */
export const pubcompIds = (received: Buffer): number[] => idsOf(0x70, received);

function idsOf(firstByte: number, received: Buffer): number[] {
  const ids: number[] = [];
  for (let at = 0; at + 4 <= received.length; at += 4) {
    if (received[at] === firstByte) ids.push(received.readUInt16BE(at + 2));
  }
  return ids;
}
