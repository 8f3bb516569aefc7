import type { FramingConfig } from '../../src/edge/registry.ts';

/** Frames as a device sends them with one framing, and what is to become of each. */
export interface FramingSample {
  readonly name: string;
  readonly framing: FramingConfig;
  /** Each as it is sent, and as it is given. */
  readonly frames: readonly { readonly sent: Uint8Array; readonly given: Uint8Array }[];
  /**
   * Where damage is sure to end: at the next delimiter or header; at a pause only; or at a pause unless what is damaged
   * shows it by itself.
   */
  readonly recovers: 'at the next frame' | 'after a pause';
  /** Whether damage in a frame is noticed, so that no wrong frame is given. */
  readonly isChecked: boolean;
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const hex = (digits: string): Uint8Array => Uint8Array.fromHex(digits.replaceAll(' ', ''));
const whole = (sent: Uint8Array) => ({ sent, given: sent });

/** DSMR P1 by its definition, bit by bit; the product does it by tables. */
export function crc16Arc(bytes: Uint8Array, initial = 0): number {
  let crc = initial;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

function telegram(text: string): FramingSample['frames'][number] {
  const summed = latin1(`${text}!`);
  const crc = crc16Arc(summed).toString(16).toUpperCase().padStart(4, '0');
  const given = Buffer.concat([summed, latin1(crc)]);
  return { sent: Uint8Array.from(Buffer.concat([given, latin1('\r\n')])), given: Uint8Array.from(given) };
}

function modbusLike(data: string): FramingSample['frames'][number] {
  const bytes = hex(data);
  const summed = Uint8Array.of(0x5a, bytes.length, ...bytes);
  const crc = crc16Arc(summed, 0xffff);
  return whole(Uint8Array.of(...summed, crc & 0xff, crc >> 8));
}

/** One for each framing that there is, and more. Captures of sensors are from their data sheets. */
export const framingSamples: readonly FramingSample[] = [
  {
    name: 'line',
    framing: { type: 'line', delimiter: latin1('\n'), lengthMax: 200 },
    frames: ['{"t":21.5}', '{"t":21.6,"h":40}', 'x'].map((text) => ({
      sent: latin1(`${text}\r\n`),
      given: latin1(text),
    })),
    recovers: 'at the next frame',
    isChecked: false,
  },
  {
    name: 'line that ends with several bytes',
    framing: { type: 'line', delimiter: latin1('aab'), lengthMax: 200 },
    frames: ['12;', 'a', 'aa-ab'].map((text) => ({ sent: latin1(`${text}aab`), given: latin1(text) })),
    recovers: 'at the next frame',
    isChecked: false,
  },
  {
    name: 'slip',
    framing: { type: 'slip', lengthMax: 200 },
    frames: [
      { sent: hex('C0 01 02 03 C0'), given: hex('01 02 03') },
      { sent: hex('C0 DB DC 05 DB DD C0'), given: hex('C0 05 DB') },
      { sent: hex('C0 07 08 C0'), given: hex('07 08') },
    ],
    recovers: 'at the next frame',
    isChecked: false,
  },
  {
    // Rows of the examples in the paper and beyond: zeros at the end, alone, and none.
    name: 'cobs',
    framing: { type: 'cobs', lengthMax: 300 },
    frames: [
      { sent: hex('03 11 22 02 33 00'), given: hex('11 22 00 33') },
      { sent: hex('01 01 00'), given: hex('00') },
      { sent: hex('05 11 22 33 44 00'), given: hex('11 22 33 44') },
      { sent: hex('02 11 01 01 01 00'), given: hex('11 00 00 00') },
    ],
    recovers: 'at the next frame',
    isChecked: false,
  },
  {
    name: 'fixed',
    framing: { type: 'fixed', length: 4, gap: 20 },
    frames: ['01 02 03 04', '05 06 07 08', '09 0A 0B 0C'].map((digits) => whole(hex(digits))),
    recovers: 'after a pause',
    isChecked: false,
  },
  {
    name: 'length-prefixed',
    framing: { type: 'length-prefixed', bytes: 2, order: 'little', lengthMax: 64, gap: 20 },
    frames: ['01', '02 03 04 05', '06 07 08'].map((digits) => {
      const given = hex(digits);
      return { sent: Uint8Array.of(given.length, 0, ...given), given };
    }),
    recovers: 'after a pause',
    isChecked: false,
  },
  {
    name: 'header, length field, CRC of Modbus',
    framing: {
      type: 'header',
      header: hex('5A'),
      length: { at: 1, bytes: 1, order: 'big', add: 4 },
      checksum: { kind: 'crc-16/modbus', from: 0 },
      lengthMax: 64,
    },
    // The header is in the data as well, and what follows it could be a length.
    frames: ['5A 05 01', '5A 5A 5A 5A 06', '01'].map(modbusLike),
    recovers: 'at the next frame',
    isChecked: true,
  },
  {
    name: 'header of a fixed length, XOR, tail',
    framing: {
      type: 'header',
      header: hex('55 AA'),
      length: 6,
      checksum: { kind: 'xor-8', from: 2 },
      tail: hex('0D'),
      lengthMax: 64,
    },
    frames: ['55 AA 01 02 03 0D', '55 AA 55 AA FF 0D', '55 AA 10 20 30 0D'].map((digits) =>
      whole(hex(digits)),
    ),
    recovers: 'at the next frame',
    isChecked: true,
  },
  {
    name: 'telegram',
    framing: { type: 'telegram', checksum: 'crc-16/arc', lengthMax: 4000 },
    frames: [
      '/KFM5KAIFA-METER\r\n\r\n1-3:0.2.8(42)\r\n1-0:1.7.0(00.333*kW)\r\n',
      '/KFM5KAIFA-METER\r\n\r\n1-0:1.7.0(00.334*kW)\r\n',
      '/a\r\n\r\n',
    ].map(telegram),
    recovers: 'at the next frame',
    isChecked: true,
  },
  {
    name: 'telegram without CRC',
    framing: { type: 'telegram', checksum: 'none', lengthMax: 4000 },
    frames: ['/ISk5 MT382\r\n\r\n1-0:1.7.0(0000.98*kW)\r\n!', '/ISk5 MT382\r\n\r\n!', '/b!'].map((text) => ({
      sent: latin1(`${text}\r\n`),
      given: latin1(text),
    })),
    recovers: 'at the next frame',
    isChecked: false,
  },
  {
    name: 'sds011',
    framing: { type: 'sds011' },
    frames: [
      'AA C0 D4 04 3A 0A A1 60 1D AB',
      'AA C0 AA C0 AA C0 A1 60 D5 AB',
      'AA C0 17 00 1E 00 A1 60 36 AB',
    ].map((digits) => whole(hex(digits))),
    recovers: 'at the next frame',
    isChecked: true,
  },
  {
    name: 'pms5003',
    framing: { type: 'pms5003' },
    frames: [5, 66, 200].map((first) => {
      const body = hex('42 4D 00 1C').toString().split(',').map(Number);
      for (let index = 0; index < 26; index += 1) body.push((first + index * 7) % 256);
      const sum = body.reduce((total, byte) => total + byte, 0);
      return whole(Uint8Array.of(...body, sum >> 8, sum & 0xff));
    }),
    recovers: 'at the next frame',
    isChecked: true,
  },
  {
    name: 'mh-z19',
    framing: { type: 'mh-z19' },
    frames: ['FF 86 02 60 47 00 00 00 D1', 'FF 86 FF 86 47 00 00 00 AE', 'FF 86 01 90 41 00 00 00 A8'].map(
      (digits) => whole(hex(digits)),
    ),
    recovers: 'at the next frame',
    isChecked: true,
  },
];

/** The samples whose framing has a bound of its own, with one that is too low for their longest frame. */
export const tightSamples: readonly FramingSample[] = framingSamples.flatMap((sample) => {
  const lengthMax = Math.max(...sample.frames.map(({ given }) => given.length)) - 1;
  return boundedSample(sample, lengthMax) ?? [];
});

/** The sample with another `lengthMax`; undefined if its framing has none. */
export function boundedSample(sample: FramingSample, lengthMax: number): FramingSample | undefined {
  const { name, framing } = sample;
  if (!('lengthMax' in framing)) return undefined;
  return { ...sample, name: `${name}, of at most ${lengthMax} bytes`, framing: { ...framing, lengthMax } };
}
