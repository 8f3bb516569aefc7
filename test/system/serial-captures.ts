import type { DecoderName } from '../../src/edge/registry.ts';
import { type Sample, samplesOf } from '../ingest/decode/samples.ts';
import type { ExpectedRecord } from '../support/expected-records.ts';
import { framingSamples } from '../support/framing-samples.ts';
import { SimRandom } from '../support/sim-random.ts';

/** A device that is read in one way, and what is to become of all that it sends. */
export interface CapturedDevice {
  readonly name: string;
  /** As in the configuration. */
  readonly framing: unknown;
  readonly decoder: unknown;
  /** What it sends in one go; the next one follows after a pause. */
  readonly bursts: readonly Uint8Array[];
  readonly expected: readonly ExpectedRecord[];
  /** Records and dead letters together: what was sent, less what has run into something damaged. */
  readonly seen: number;
  /** Whether they may be more: what is no frame may be told in pieces. */
  readonly isSeenAtLeast: boolean;
  /** Captures that are dead letters as they are. */
  readonly bad: readonly { readonly text: string; readonly problem: string }[];
}

/** How a record of a device is compared. */
export function comparable(decoder: unknown, bytes: Uint8Array): string {
  if (decoder === 'raw') return Buffer.from(bytes).toString('hex');
  return sorted(JSON.parse(Buffer.from(bytes).toString()) as Readonly<Record<string, unknown>>);
}

const sorted = (value: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(value, Object.keys(value).sort());

interface Frame {
  readonly sent: Uint8Array;
  /** Null for a capture that is no reading. */
  readonly value: string | null;
}

/** How frames of a device begin and end, and who notices damage. */
interface Manner {
  /** What is lost with a damaged frame: the next one if its end was lost, none, or all until a pause. */
  readonly recovery: 'delimiter' | 'next frame' | 'pause';
  readonly isChecked: boolean;
  /** Whether a frame of so many bytes is complete without this one. */
  readonly isSpare: (at: number, length: number) => boolean;
  /** Bytes that are no frame, complete or not. */
  readonly noise: Uint8Array;
}

interface Sent {
  readonly bytes: Uint8Array;
  readonly expected: readonly ExpectedRecord[];
  /** Whether the next frame is lost with it. */
  readonly takesNext: boolean;
}

const DAMAGES_MAX = 16;
const DAMAGES_AT_PAUSES = 3;
/** What is around a message, and one byte in it. */
const ENVELOPE_BYTES = 3;
const NOISE_BYTES = 40;
/** Longer than what a false header can hold up. */
const TRAILER = new Uint8Array(100);
export const GAP_MS = 100;

const byHeader = {
  recovery: 'next frame',
  isChecked: true,
  isSpare: () => false,
  noise: noiseWithout(-1),
} as const;

/** One for each useful pair of framing and decoder, with all captures that there are. */
export function capturedDevices(): readonly CapturedDevice[] {
  const lines = (['json', 'csv', 'key-value', 'regex', 'number', 'nmea'] as const).map((decoder) =>
    ofDecoder(decoder, 'line', '\r\n', {
      recovery: 'delimiter',
      isChecked: decoder === 'nmea',
      isSpare: (at, length) => at === length - 2,
      noise: noiseWithout(0x0a, [], [0x0d, 0x0a]),
    }),
  );
  const sensors = (['sds011', 'pms5003', 'mh-z19'] as const).map((name) =>
    ofDecoder(name, name, '', byHeader),
  );
  const dsmr = ofDecoder('dsmr', 'telegram', '\r\n', {
    ...byHeader,
    isSpare: (at, length) => at >= length - 2,
  });
  return [...lines, ...sensors, dsmr, ...rawDevices()];
}

function rawDevices(): readonly CapturedDevice[] {
  const unchecked = { isChecked: false, isSpare: () => false } as const;
  const byPause = { ...unchecked, recovery: 'pause', noise: Uint8Array.of(0xff, 0xff, 0xff) } as const;
  const slip: Manner = {
    ...unchecked,
    recovery: 'next frame',
    // The next one begins with what ends this one.
    isSpare: (at, length) => at === 0 || at === length - 1,
    noise: noiseWithout(0xc0, [0xc0], [0xc0]),
  };
  const gap = `${GAP_MS}ms`;
  return [
    ofFraming('slip', 'slip', slip),
    ofFraming('cobs', 'cobs', { ...unchecked, recovery: 'delimiter', noise: noiseWithout(0, [], [0]) }),
    ofFraming('fixed', { type: 'fixed', length: 4, gap }, byPause),
    ofFraming(
      'length-prefixed',
      { type: 'length-prefixed', bytes: 2, order: 'little', lengthMax: 64, gap },
      byPause,
    ),
    ofFraming(
      'header, length field, CRC of Modbus',
      {
        type: 'header',
        header: '5A',
        length: { at: 1, bytes: 1, add: 4 },
        checksum: { kind: 'crc-16/modbus' },
        lengthMax: 64,
      },
      byHeader,
    ),
    ofFraming(
      'header of a fixed length, XOR, tail',
      { type: 'header', header: '55 AA', length: 6, checksum: { kind: 'xor-8', from: 2 }, tail: '0D' },
      byHeader,
    ),
  ];
}

function ofDecoder(name: DecoderName, framing: unknown, end: string, manner: Manner): CapturedDevice {
  const [first, ...others] = samplesOf(name);
  if (first === undefined) throw new Error(`there is no capture of ${name}`);
  const isAlike = ({ settings }: Sample) => JSON.stringify(settings) === JSON.stringify(first.settings);
  const samples = [first, ...others.filter(isAlike)];
  const frames = samples.map(({ frame, value }) => ({
    sent: Buffer.concat([frame, Buffer.from(end)]),
    value: value === undefined ? null : sorted(value),
  }));
  const bad = samples.flatMap(({ frame, problem }) =>
    problem === undefined ? [] : [{ text: Buffer.from(frame).toString(), problem }],
  );
  const story = storyOf(frames, manner);
  return { name, framing, decoder: first.settings, ...story, bad: framing === 'line' ? bad : [] };
}

function ofFraming(name: string, framing: unknown, manner: Manner): CapturedDevice {
  const sample = framingSamples.find((one) => one.name === name);
  if (sample === undefined) throw new Error(`there is no sample of the framing ${name}`);
  const frames = sample.frames.map(({ sent, given }) => ({ sent, value: comparable('raw', given) }));
  const portName = name.replaceAll(/[^a-z0-9-]+/gi, '-');
  return { name: portName, framing, decoder: 'raw', ...storyOf(frames, manner), bad: [] };
}

/** All frames, with noise between them, then single ones with a byte lost or cut, each followed by good ones. */
function storyOf(
  frames: readonly Frame[],
  manner: Manner,
): Pick<CapturedDevice, 'bursts' | 'expected' | 'seen' | 'isSeenAtLeast'> {
  const good = frames.filter(({ value }) => value !== null);
  const at = (index: number): Sent => whole(good[index % good.length] as Frame);
  // No two bad ones in a row: they would be one dead letter.
  const all = frames.flatMap((frame) => (frame.value === null ? [whole(frame), at(0)] : [whole(frame)]));
  const noise = { bytes: manner.noise, expected: anything(manner), takesNext: false };
  const damages = [lostByte, cut].flatMap((damage) =>
    good.filter(canBeSeen).flatMap((frame) => damagesOf(frame, good.length, manner, damage)),
  );
  const followed = damages.map((damaged, index) => {
    if (manner.recovery === 'pause') return [at(index), damaged];
    const next = at(index);
    return [damaged, damaged.takesNext ? { ...next, expected: [] } : next, at(index + 1)];
  });
  const afterNoise = manner.recovery === 'pause' ? [] : [at(0)];
  const parts = [[...all, noise, ...afterNoise], ...followed, all];
  const sent = parts.flat();
  const bytesOf = (part: readonly Sent[]) => Buffer.concat(part.map(({ bytes }) => bytes));
  return {
    bursts: manner.recovery === 'pause' ? parts.map(bytesOf) : [Buffer.concat([bytesOf(sent), TRAILER])],
    expected: sent.flatMap(({ expected }) => expected),
    seen: sent.length - sent.filter(({ takesNext }) => takesNext).length,
    isSeenAtLeast: manner.isChecked || manner.recovery === 'pause',
  };
}

const whole = ({ sent, value }: Frame): Sent => ({
  bytes: sent,
  expected: value === null ? [] : [{ value, isNeeded: true }],
  takesNext: false,
});

/** What is not checked can become a record with a wrong value. */
const anything = ({ isChecked }: Manner): readonly ExpectedRecord[] =>
  isChecked ? [] : [{ value: 'any', isNeeded: false }];

/** Of a message of one byte an empty one may be left, which is nothing. */
const canBeSeen = ({ sent }: Frame): boolean => sent.length > ENVELOPE_BYTES;

/** Which bytes are left of a frame of so many, of which one is damaged. */
type Damage = (length: number, at: number) => readonly number[];
const bytesBefore = (at: number): readonly number[] => Array.from({ length: at }, (_, index) => index);
const lostByte: Damage = (length, at) => bytesBefore(length).filter((index) => index !== at);
const cut: Damage = (_, at) => bytesBefore(at);

/** A frame damaged at so many of its bytes, the first and the last among them, that those of all frames are few enough. */
function damagesOf(frame: Frame, frames: number, manner: Manner, damage: Damage): readonly Sent[] {
  const { length } = frame.sent;
  const wanted = Math.ceil((manner.recovery === 'pause' ? DAMAGES_AT_PAUSES : DAMAGES_MAX) / frames);
  const count = Math.min(length, wanted + 1);
  const places = Array.from({ length: count }, (_, n) => Math.round((n * (length - 1)) / (count - 1)));
  return places.flatMap((at) => {
    const left = damage(length, at);
    const counts = (index: number) => !manner.isSpare(index, length);
    if (!left.some(counts)) return [];
    const bytes = Uint8Array.from(left, (index) => frame.sent[index] ?? 0);
    if (left.filter(counts).length === bytesBefore(length).filter(counts).length)
      return [{ ...whole(frame), bytes }];
    const takesNext = manner.recovery === 'delimiter' && !left.includes(length - 1);
    return [{ bytes, expected: anything(manner), takesNext }];
  });
}

/** Reproducible noise without the byte that ends frames, and with what makes it end. */
function noiseWithout(delimiter: number, before: readonly number[] = [], after: readonly number[] = []) {
  const random = new SimRandom(9).bytes(NOISE_BYTES).filter((byte) => byte !== delimiter);
  return Uint8Array.of(...before, ...random, ...after);
}
