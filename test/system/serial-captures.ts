import type { DecoderName } from '../../src/edge/registry.ts';
import { type Sample, samplesOf } from '../ingest/decode/samples.ts';
import type { ExpectedRecord } from '../support/expected-records.ts';
import { framingSamples } from '../support/framing-samples.ts';
import { SimRandom } from '../support/sim-random.ts';
import { type Frame, type Numbered, numberedFrames, sorted } from './numbered-frames.ts';

/** A device that is read in one way, and all that it sends. */
export interface CapturedDevice {
  readonly name: string;
  /** As in the configuration. */
  readonly framing: unknown;
  readonly decoder: unknown;
  readonly steps: readonly Step[];
  /** Whether what is no frame may be told in several dead letters. */
  readonly isInPieces: boolean;
  /** Captures that are dead letters as they are. */
  readonly bad: readonly { readonly text: string; readonly problem: string }[];
}

/** What is sent at a time, and what is to become of it. */
export interface Step {
  /** Each is read apart: it is sent when the one before has been read. */
  readonly writes: readonly Uint8Array[];
  readonly expected: readonly ExpectedRecord[];
  /** Records and dead letters together, if what is no frame is told in one. */
  readonly seen: number;
  /** What pauses do to it: nothing; no long one may be inside of it; or besides, one has to follow. */
  readonly pause: 'any' | 'not inside' | 'follows';
}

/** How a record of a device is compared. */
export function comparable(decoder: unknown, bytes: Uint8Array): string {
  if (decoder === 'raw') return Buffer.from(bytes).toString('hex');
  return sorted(JSON.parse(Buffer.from(bytes).toString()) as Readonly<Record<string, unknown>>);
}

/** How frames of a device begin and end, and who notices damage. */
interface Manner {
  /**
   * What damage costs besides the frame itself. `delimiter`: the frame that follows, if the end of the damaged one was lost, because
   * the two are one then. `start`: nothing, because each frame shows where it begins. `pause`: nothing after the next pause, and all up
   * to it; devices that are read so make one after each frame.
   */
  readonly recovery: 'delimiter' | 'start' | 'pause';
  /** Whether damage is always noticed, so that it never becomes a record of a wrong value. */
  readonly isNoticed: boolean;
  readonly isInPieces: boolean;
  /** What ends a frame, where that is how the next one is found. */
  readonly end: Uint8Array;
  /** Whether a frame of so many bytes is complete without this one. */
  readonly isSpare: (at: number, length: number) => boolean;
  /** Whether what is left of a damaged frame is nothing at all, as an empty line. */
  readonly isNothing: (left: Uint8Array) => boolean;
  /** Bytes that are no frame, complete or not. */
  readonly noise: Uint8Array;
}

interface Sent {
  readonly bytes: Uint8Array;
  readonly expected: readonly ExpectedRecord[];
  readonly seen: 0 | 1;
  /** Whether the next frame is lost with it. */
  readonly takesNext: boolean;
}

const NOISE_BYTES = 40;
const EXCLAMATION_MARK = 0x21;
/** Longer frames come whole alone: to damage each byte of them takes minutes. */
const DAMAGED_BYTES_MAX = 1_000;
/** Longer than what a false header can hold up. */
const TRAILER = new Uint8Array(100);
export const GAP_MS = 250;

const none = new Uint8Array();
const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const isSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;
const never = () => false;

const byStart = {
  recovery: 'start',
  isNoticed: true,
  isInPieces: false,
  end: none,
  isSpare: never,
  isNothing: never,
  noise: noiseWithout(-1, none, none),
} as const;
/** A line end belongs to it, and is nothing. */
const telegram = { ...byStart, isSpare: (at: number, length: number) => at >= length - 2 } as const;

/** Of meters before DSMR 4: nothing stands behind the exclamation mark. */
const telegramWithoutCrc = { type: 'telegram', checksum: 'none' } as const;

/** One for each pair of framing and decoder, and for each of their settings, with all captures that there are. */
export function capturedDevices(): readonly CapturedDevice[] {
  const lines = (['json', 'csv', 'key-value', 'regex', 'number', 'nmea'] as const).flatMap((decoder) =>
    ofDecoder(decoder, 'line', '\r\n', {
      recovery: 'delimiter',
      isNoticed: decoder === 'nmea',
      isInPieces: false,
      end: ascii('\n'),
      isSpare: (at, length) => at === length - 2,
      isNothing: never,
      noise: noiseWithout(0x0a, none, ascii('\r\n')),
    }),
  );
  const sensors = (['sds011', 'pms5003', 'mh-z19'] as const).flatMap((name) =>
    ofDecoder(name, name, '', byStart),
  );
  const [old = [], current = []] = [true, false].map((isOld) =>
    samplesOf('dsmr').filter(({ frame }) => (frame.at(-1) === EXCLAMATION_MARK) === isOld),
  );
  const meters = [
    ...ofSamples('dsmr', current, 'telegram', '\r\n', telegram),
    ...ofSamples('dsmr-without-crc', old, telegramWithoutCrc, '\r\n', { ...telegram, isNoticed: false }),
  ];
  return [...lines, ...sensors, ...meters, ...rawDevices()];
}

function rawDevices(): readonly CapturedDevice[] {
  const unchecked = { isNoticed: false, isInPieces: false, isSpare: never, isNothing: never } as const;
  const byPause = {
    ...unchecked,
    recovery: 'pause',
    // Without a checksum, but none of these captures becomes another frame by the loss of a byte.
    isNoticed: true,
    // Lengths that no frame has are one dead letter, what waits for the rest of its length another.
    isInPieces: true,
    end: none,
    noise: Uint8Array.of(0xff, 0xff, 0xff),
  } as const;
  const zero = Uint8Array.of(0);
  const slipEnd = Uint8Array.of(0xc0);
  const gap = `${GAP_MS}ms`;
  return [
    ofFraming('slip', 'slip', {
      ...unchecked,
      recovery: 'start',
      end: none,
      // The next one begins with what ends this one.
      isSpare: (at, length) => at === 0 || at === length - 1,
      isNothing: (left) => left.every((byte) => byte === 0xc0),
      noise: noiseWithout(0xc0, slipEnd, slipEnd),
    }),
    ofFraming('cobs', 'cobs', {
      ...unchecked,
      recovery: 'delimiter',
      end: zero,
      isNothing: (left) => isSame(left, Uint8Array.of(1, 0)),
      noise: noiseWithout(0, none, zero),
    }),
    ofFraming(
      'line that ends with several bytes',
      { type: 'line', delimiter: 'aab' },
      {
        ...unchecked,
        recovery: 'delimiter',
        end: ascii('aab'),
        isNothing: (left) => isSame(left, ascii('aab')),
        noise: noiseWithout(0x62, none, ascii('aab')),
      },
    ),
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
      byStart,
    ),
    ofFraming(
      'header of a fixed length, XOR, tail',
      { type: 'header', header: '55 AA', length: 6, checksum: { kind: 'xor-8', from: 2 }, tail: '0D' },
      byStart,
    ),
    ofFraming('telegram without CRC', telegramWithoutCrc, { ...telegram, isNoticed: false }),
  ];
}

/** One for each of the settings that the captures of a decoder have. */
const ofDecoder = (decoder: DecoderName, framing: unknown, end: string, manner: Manner): CapturedDevice[] =>
  ofSamples(decoder, samplesOf(decoder), framing, end, manner);

function ofSamples(
  first: string,
  all: readonly Sample[],
  framing: unknown,
  end: string,
  manner: Manner,
): CapturedDevice[] {
  const alike = Map.groupBy(all, ({ settings }) => JSON.stringify(settings));
  return [...alike.values()].map((samples, index) => {
    const name = index === 0 ? first : `${first}-${index + 1}`;
    const frames = samples.map(({ frame, value }) => ({
      sent: Buffer.concat([frame, Buffer.from(end)]),
      value: value === undefined ? null : sorted(value),
    }));
    const steps = storyOf(frames, numberedFrames(name), manner);
    const bad = framing === 'line' ? problemsOf(samples) : [];
    return { name, framing, decoder: samples[0]?.settings, steps, isInPieces: manner.isInPieces, bad };
  });
}

const problemsOf = (samples: readonly Sample[]): CapturedDevice['bad'] =>
  samples.flatMap(({ frame, problem }) =>
    problem === undefined ? [] : [{ text: Buffer.from(frame).toString(), problem }],
  );

function ofFraming(name: string, framing: unknown, manner: Manner): CapturedDevice {
  const sample = framingSamples.find((one) => one.name === name);
  if (sample === undefined) throw new Error(`there is no sample of the framing ${name}`);
  const frames = sample.frames.map(({ sent, given }) => ({ sent, value: comparable('raw', given) }));
  const portName = name.replaceAll(/[^a-z0-9-]+/gi, '-');
  const steps = storyOf(frames, numberedFrames(name), manner);
  return { name: portName, framing, decoder: 'raw', steps, isInPieces: manner.isInPieces, bad: [] };
}

/**
 * All frames, with noise behind them; then each good one that is not too long with each of its bytes lost, cut off after each of them, and read in two parts
 * with each place between them, each time with good ones behind it, which are numbered.
 */
function storyOf(frames: readonly Frame[], numbered: Numbered, manner: Manner): readonly Step[] {
  let number = 0;
  const next = (): Sent => {
    number += 1;
    return whole(numbered(number));
  };
  // No two bad ones in a row: they would be one dead letter.
  const all = frames.flatMap((frame) => (frame.value === null ? [whole(frame), next()] : [whole(frame)]));
  const noise: Sent = { ...whole({ sent: manner.noise, value: null }), expected: anything(manner) };
  const byPause = manner.recovery === 'pause';
  const followed = (damaged: Sent): Step => {
    if (byPause) return stepOf([next(), damaged], 'follows');
    const second: Sent = damaged.takesNext ? { ...next(), expected: [], seen: 0 } : next();
    return stepOf([damaged, second, next()], 'any');
  };
  const unharmed = byPause ? 'not inside' : 'any';
  const inParts = ({ sent, value }: Frame, at: number): Step => {
    const [frame, behind] = [whole({ sent, value }), next()];
    const writes = [sent.subarray(0, at), Buffer.concat([sent.subarray(at), behind.bytes])];
    return { ...stepOf([frame, behind], unharmed), writes };
  };
  const good = frames.filter(({ sent, value }) => value !== null && sent.length <= DAMAGED_BYTES_MAX);
  const stories = good.flatMap((frame) => [
    ...damagesOf(frame, manner).map(followed),
    ...placesOf(frame.sent.length)
      .slice(1)
      .map((at) => inParts(frame, at)),
  ]);
  return [
    // One frame in one write: it is there whatever pauses the machine makes, so that the oracle notices if the first is missing.
    stepOf([next()], 'any'),
    stepOf(all, unharmed),
    followed(noise),
    ...stories,
    stepOf([...all, next()], unharmed),
    ...(byPause ? [] : [{ ...stepOf([], 'any'), writes: [TRAILER] }]),
  ];
}

const stepOf = (sent: readonly Sent[], pause: Step['pause']): Step => ({
  writes: [Buffer.concat(sent.map(({ bytes }) => bytes))],
  expected: sent.flatMap(({ expected }) => expected),
  seen: sent.reduce((sum, { seen }) => sum + seen, 0),
  pause,
});

const whole = ({ sent, value }: Frame): Sent => ({
  bytes: sent,
  expected: value === null ? [] : [{ value, isNeeded: true }],
  seen: 1,
  takesNext: false,
});

/** What is not checked can become a record with a wrong value. */
const anything = ({ isNoticed }: Manner): readonly ExpectedRecord[] =>
  isNoticed ? [] : [{ value: 'any', isNeeded: false }];

/** Those before that one. */
const placesOf = (end: number): readonly number[] => Array.from({ length: end }, (_, index) => index);

/** A frame with each of its bytes lost, then cut off after each but the last. */
function damagesOf({ sent, value }: Frame, manner: Manner): readonly Sent[] {
  const places = placesOf(sent.length);
  const lost = places.map((at) => places.filter((index) => index !== at));
  const cut = places.slice(1).map(placesOf);
  const counting = places.filter((index) => !manner.isSpare(index, sent.length));
  return [...lost, ...cut].map((left) => {
    const bytes = Uint8Array.from(left, (index) => sent[index] ?? 0);
    if (counting.every((index) => left.includes(index))) return { ...whole({ sent, value }), bytes };
    if (manner.isNothing(bytes)) return { bytes, expected: [], seen: 0, takesNext: false };
    const isEnded = isSame(bytes.subarray(-manner.end.length), manner.end);
    const takesNext = manner.recovery === 'delimiter' && !isEnded;
    return { bytes, expected: anything(manner), seen: 1, takesNext };
  });
}

/** Reproducible noise without the byte that ends frames, and with what makes it end. */
function noiseWithout(delimiter: number, before: Uint8Array, after: Uint8Array): Uint8Array {
  const random = new SimRandom(9).bytes(NOISE_BYTES).filter((byte) => byte !== delimiter);
  return Uint8Array.of(...before, ...random, ...after);
}
