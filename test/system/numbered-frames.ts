import { crc16Arc } from '../support/framing-samples.ts';

/** A frame as a device sends it, and the record that it becomes. */
export interface Frame {
  readonly sent: Uint8Array;
  /** Comparable; null for a capture that is no reading. */
  readonly value: string | null;
}

/** Gives a good frame that has the number in it, up to 16383, so that no two have the same record. */
export type Numbered = (number: number) => Frame;

/** The same text for the same object, whatever the order of its fields. */
export const sorted = (value: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(value, Object.keys(value).sort());

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const sumOf = (bytes: readonly number[]): number => bytes.reduce((sum, byte) => sum + byte, 0);
const xorOf = (bytes: Iterable<number>): number => [...bytes].reduce((xor, byte) => xor ^ byte, 0);

/** Of seven bits each: none is a header, a delimiter or an escape. */
const digitsOf = (number: number): readonly [number, number] => [number >> 7, number & 0x7f];
const wordOf = (number: number): readonly [number, number] => [number >> 8, number & 0xff];

type Text = (number: number) => readonly [text: string, value: Readonly<Record<string, unknown>>];

const texts: Readonly<Record<string, Text>> = {
  json: (n) => [`{"temperature": ${n}, "humidity": 40}`, { temperature: n, humidity: 40 }],
  csv: (n) => [`${n},40,ok`, { temperature: n, humidity: 40, state: 'ok' }],
  'csv-2': (n) => [`${n};"007";ok`, { temperature: n, humidity: '007', state: 'ok' }],
  'key-value': (n) => [`T=${n} H=40.0`, { T: n, H: 40 }],
  'key-value-2': (n) => [`t->${n}|h->40`, { t: n, h: 40 }],
  regex: (n) => [`WS ${n} m/s`, { wind_speed: n }],
  number: (n) => [`${n} °C`, { value: n, unit: '°C' }],
  'number-2': (n) => [`+ ${n} kg`, { weight: n, unit: 'kg' }],
  nmea: (n) => {
    const summed = `WIXDR,P,${n},B,BARO`;
    const sum = xorOf(Buffer.from(summed)).toString(16).toUpperCase().padStart(2, '0');
    return [`$${summed}*${sum}`, { sentence: 'XDR', talker: 'WI', fields: ['P', n, 'B', 'BARO'] }];
  },
  dsmr: (n) => {
    const summed = `/XMX5LGBBFG1009\r\n\r\n1-0:13.7.0(${n}*x)\r\n!`;
    const crc = crc16Arc(Buffer.from(summed)).toString(16).toUpperCase().padStart(4, '0');
    return [`${summed}${crc}`, { meter: 'XMX5LGBBFG1009', '1-0:13.7.0': n }];
  },
  'dsmr-without-crc': (n) => [
    `/ISk5 MT382\r\n\r\n1-0:13.7.0(${n}*x)\r\n!`,
    { meter: 'ISk5 MT382', '1-0:13.7.0': n },
  ],
};

const numberedText =
  (text: Text): Numbered =>
  (number) => {
    const [line, value] = text(number);
    return { sent: Buffer.from(`${line}\r\n`), value: sorted(value) };
  };

/** Their fields are those of the captures in `test/samples`, most of them 0. */
const sensors: Readonly<Record<string, Numbered>> = {
  sds011: (number) => {
    const [high, low] = wordOf(number);
    const data = [low, high, 0, 0, 0xa1, 0x60];
    const sent = Uint8Array.of(0xaa, 0xc0, ...data, sumOf(data) & 0xff, 0xab);
    return { sent, value: sorted({ pm2_5: number / 10, pm10: 0 }) };
  },
  pms5003: (number) => {
    const summed = [0x42, 0x4d, 0, 28, ...wordOf(number), ...new Uint8Array(24)];
    const sizes = ['0_3', '0_5', '1', '2_5', '5', '10'].map((size) => `particles_${size}`);
    const zeros = ['pm2_5_standard', 'pm10_standard', 'pm1', 'pm2_5', 'pm10', ...sizes, 'version', 'error'];
    const value = { ...Object.fromEntries(zeros.map((name) => [name, 0])), pm1_standard: number };
    return { sent: Uint8Array.of(...summed, ...wordOf(sumOf(summed))), value: sorted(value) };
  },
  'mh-z19': (number) => {
    const data = [0x86, ...wordOf(number), 0x43, 0, 0, 0];
    const sent = Uint8Array.of(0xff, ...data, -sumOf(data) & 0xff);
    return { sent, value: sorted({ co2: number, temperature: 27 }) };
  },
};

const numberedBytes =
  (sent: (digits: readonly [number, number]) => readonly number[], from = 0, to?: number): Numbered =>
  (number) => {
    const bytes = Uint8Array.from(sent(digitsOf(number)));
    return { sent: bytes, value: hexOf(bytes.subarray(from, to)) };
  };

/** By the names of framing samples; what of them is the record is between two places. */
const raw: Readonly<Record<string, Numbered>> = {
  'line that ends with several bytes': (number) => ({
    sent: Buffer.from(`${number};aab`),
    value: hexOf(Buffer.from(`${number};`)),
  }),
  slip: numberedBytes((digits) => [0xc0, ...digits, 0xc0], 1, -1),
  // Its zeros are not sent, so there are none in the number.
  cobs: numberedBytes(([high, low]) => [3, 0x80 | high, 0x80 | low, 0], 1, -1),
  fixed: numberedBytes((digits) => [0x7f, 0x7f, ...digits]),
  'length-prefixed': numberedBytes((digits) => [2, 0, ...digits], 2),
  'header, length field, CRC of Modbus': numberedBytes((digits) => {
    const summed = [0x5a, 2, ...digits];
    const [high, low] = wordOf(crc16Arc(Uint8Array.from(summed), 0xffff));
    return [...summed, low, high];
  }),
  'header of a fixed length, XOR, tail': numberedBytes((digits) => [
    ...[0x55, 0xaa, ...digits],
    ...[xorOf(digits), 0x0d],
  ]),
  'telegram without CRC': (number) => {
    const telegram = `/ISk5 MT382\r\n\r\n1-0:1.7.0(${number}*kW)\r\n!`;
    return { sent: Buffer.from(`${telegram}\r\n`), value: hexOf(Buffer.from(telegram)) };
  },
};

/** By the name of a device: that of its decoder or of its framing sample. */
export function numberedFrames(name: string): Numbered {
  const text = texts[name];
  const numbered = text === undefined ? (sensors[name] ?? raw[name]) : numberedText(text);
  if (numbered === undefined) throw new Error(`there are no numbered frames of ${name}`);
  return numbered;
}
