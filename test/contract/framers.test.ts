import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { framerOf, framings, namesOf } from '../../src/edge/registry.ts';
import type { Frame, Framer } from '../../src/ingest/serial/frame.ts';
import { givenBytesMax } from '../fuzz/framer-model.ts';
import { boundedSample, type FramingSample, framingSamples } from '../support/framing-samples.ts';

/* What holds for every framer, whatever its framing: one row of the samples each. */

const PAUSE_MS = 1000;

const joined = (pieces: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(pieces));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const goodOnes = (frames: readonly Frame[]): readonly string[] =>
  frames.filter(({ problem }) => problem === null).map(({ bytes }) => textOf(bytes));
/** Pushes a copy, which is overwritten afterwards: a framer may keep no reference to what it was given. */
function pushed(framer: Framer, chunk: Uint8Array, receivedMs: number): readonly Frame[] {
  const copy = Uint8Array.from(chunk);
  const frames = framer.push(copy, receivedMs);
  copy.fill(0x2f);
  return frames;
}

/** Twice the frames of a sample, so that each kind of damage also hits one between others. */
const streamOf = ({ frames }: FramingSample) => [...frames, ...frames];
const givenOf = (sample: FramingSample): readonly string[] =>
  streamOf(sample).map(({ given }) => textOf(given));

/** All that comes of these bytes, interruption included: one chunk, or one for each frame with a pause between. */
function framed(sample: FramingSample, chunks: readonly Uint8Array[]): readonly Frame[] {
  const framer = framerOf(sample.framing);
  const pieces = sample.recovers === 'after a pause' ? chunks : [joined(chunks)];
  const frames = pieces.flatMap((chunk, index) => pushed(framer, chunk, (index + 1) * PAUSE_MS));
  return [...frames, ...framer.interrupt()];
}

interface Damage {
  readonly what: string;
  readonly change: (sent: Uint8Array, at: number) => Uint8Array;
}

const without = (sent: Uint8Array, at: number): Uint8Array =>
  joined([sent.subarray(0, at), sent.subarray(at + 1)]);
const changed = (mask: number) => (sent: Uint8Array, at: number) => {
  const copy = Uint8Array.from(sent);
  copy[at] = (copy[at] ?? 0) ^ mask;
  return copy;
};
const inserted = (noise: (sent: Uint8Array) => Uint8Array) => (sent: Uint8Array, at: number) =>
  joined([sent.subarray(0, at), noise(sent), sent.subarray(at)]);

const damages: readonly Damage[] = [
  { what: 'a byte is lost', change: without },
  { what: 'all bits of a byte are wrong', change: changed(0xff) },
  { what: 'the lowest bit is wrong', change: changed(0x01) },
  { what: 'the highest bit is wrong', change: changed(0x80) },
  { what: 'the line is cut and goes on with the next frame', change: (sent, at) => sent.subarray(0, at) },
  { what: 'a zero comes in between', change: inserted(() => Uint8Array.of(0)) },
  { what: 'noise comes in between', change: inserted(() => Uint8Array.fromHex('ff017fee5a0003')) },
  { what: 'the beginning of a frame comes in between', change: inserted((sent) => sent.subarray(0, 3)) },
];

/** Frames that damage in one costs, itself included: a delimiter that is lost makes one of two. */
const costsOf = ({ framing }: FramingSample): number =>
  framing.type === 'line' || framing.type === 'cobs' ? 2 : 1;

describe.each(framingSamples)('the framing $name', (sample) => {
  const stream = streamOf(sample);
  const sentBytes = joined(stream.map(({ sent }) => sent));

  test('gives its frames, and nothing else', () => {
    const frames = framed(
      sample,
      stream.map(({ sent }) => sent),
    );
    expect(goodOnes(frames)).toEqual(givenOf(sample));
    expect(frames).toHaveLength(stream.length);
  });

  test('gives the same when the bytes are cut in two anywhere, or come one by one', () => {
    for (let cut = 0; cut <= sentBytes.length; cut += 1) {
      const framer = framerOf(sample.framing);
      const frames = [sentBytes.subarray(0, cut), sentBytes.subarray(cut)].flatMap((chunk) =>
        pushed(framer, chunk, 0),
      );
      expect(frames.map(({ bytes }) => textOf(bytes))).toEqual(givenOf(sample));
      expect(framer.interrupt()).toEqual([]);
    }
    const framer = framerOf(sample.framing);
    const single = [...sentBytes].flatMap((byte) => pushed(framer, Uint8Array.of(byte), 0));
    expect(single.map(({ bytes }) => textOf(bytes))).toEqual(givenOf(sample));
  });

  test('stamps each frame with the receipt of its first byte', () => {
    const framer = framerOf(sample.framing);
    const frames = [...sentBytes].flatMap((byte, place) => pushed(framer, Uint8Array.of(byte), place));
    // SLIP sends a delimiter before the frame as well.
    const before = sample.framing.type === 'slip' ? 1 : 0;
    let place = 0;
    const expected = stream.map(({ sent }) => {
      place += sent.length;
      return place - sent.length + before;
    });
    expect(frames.map(({ receivedMs }) => receivedMs)).toEqual(expected);
  });

  test.each(damages)('gives all other frames where $what, wherever that is', ({ change }) => {
    const hit = sample.frames.length - 1;
    const sent = stream.map((frame) => frame.sent);
    const all = givenOf(sample);
    for (let at = 0; at < (sent[hit]?.length ?? 0); at += 1) {
      const damaged = sent.map((bytes, index) => (index === hit ? change(bytes, at) : bytes));
      const good = goodOnes(framed(sample, damaged));
      const rest = all.slice(hit + costsOf(sample));
      expect(good.slice(0, hit)).toEqual(all.slice(0, hit));
      expect(good.slice(good.length - rest.length)).toEqual(rest);
      // Where damage shows, no wrong frame is given in its place.
      if (sample.isChecked) expect([...rest, all[hit]]).toEqual(expect.arrayContaining(good.slice(hit)));
    }
  });

  test('goes on with the next frame after a cut anywhere; what was begun is told', () => {
    for (let cut = 0; cut <= sentBytes.length; cut += 1) {
      const framer = framerOf(sample.framing);
      const before = pushed(framer, sentBytes.subarray(0, cut), 0);
      const begun = framer.interrupt();
      const wholeOnes = stream.filter(
        (_, index) => joined(stream.slice(0, index + 1).map(({ sent }) => sent)).length <= cut,
      );
      expect(before.length).toBeGreaterThanOrEqual(wholeOnes.length);
      expect(goodOnes(begun)).toEqual([]);
      for (const { problem } of begun) expect(problem).toBe('frame-incomplete');
      expect(framer.interrupt()).toEqual([]);
      expect(goodOnes(pushed(framer, sentBytes, 1))).toEqual(givenOf(sample));
    }
  });

  test('finds the frames when it joins in the middle', () => {
    const [first] = stream;
    for (let from = 1; from < (first?.sent.length ?? 0); from += 1) {
      const chunks = stream.map(({ sent }, index) => (index === 0 ? sent.subarray(from) : sent));
      const good = goodOnes(framed(sample, chunks));
      const rest = givenOf(sample).slice(costsOf(sample));
      expect(good.slice(good.length - rest.length)).toEqual(rest);
    }
  });
});

/** What of a frame its bound counts. */
function countedBytes({ framing }: FramingSample, { sent, given }: FramingSample['frames'][number]): number {
  if (framing.type === 'line') return sent.length - framing.delimiter.length;
  return framing.type === 'length-prefixed' ? sent.length : given.length;
}

describe.each(framingSamples)('a bound for the framing $name', (sample) => {
  const sentBytes = joined(streamOf(sample).map(({ sent }) => sent));
  const longest = Math.max(...sample.frames.map((frame) => countedBytes(sample, frame)));
  const shown = ({ bytes, problem }: Frame): string => `${problem ?? 'good'} ${textOf(bytes)}`;

  /** What a framer gives of the stream in chunks of so many bytes, none of them after a pause. */
  function inChunks({ framing }: FramingSample, chunkBytes: number): readonly Frame[] {
    const framer = framerOf(framing);
    const frames: Frame[] = [];
    for (let at = 0; at < sentBytes.length; at += chunkBytes)
      frames.push(...pushed(framer, sentBytes.subarray(at, at + chunkBytes), 0));
    return [...frames, ...framer.interrupt()];
  }

  test('is kept whatever the chunks, which make no difference', () => {
    for (let lengthMax = 1; lengthMax <= longest; lengthMax += 1) {
      const tight = boundedSample(sample, lengthMax) ?? sample;
      const atOnce = inChunks(tight, sentBytes.length);
      for (const chunkBytes of [1, 2, 3, 7, 16, longest, longest + 1])
        expect(inChunks(tight, chunkBytes).map(shown)).toEqual(atOnce.map(shown));
      for (const { bytes, problem } of atOnce)
        expect(bytes.length).toBeLessThanOrEqual(
          problem === null ? lengthMaxOf(tight) : givenBytesMax(tight.framing),
        );
    }
  });

  test('costs the frames above it, and no others', () => {
    // Where a pause alone tells where frames begin, one that is no frame costs others.
    if (sample.recovers === 'after a pause') return;
    for (let lengthMax = 1; lengthMax <= longest; lengthMax += 1) {
      const tight = boundedSample(sample, lengthMax) ?? sample;
      const fitting = streamOf(tight).filter((frame) => countedBytes(tight, frame) <= lengthMaxOf(tight));
      expect(goodOnes(inChunks(tight, sentBytes.length))).toEqual(fitting.map(({ given }) => textOf(given)));
    }
  });

  /** Of a framing without a bound of its own all frames have one length. */
  const lengthMaxOf = ({ framing }: FramingSample): number =>
    'lengthMax' in framing ? (framing.lengthMax ?? 0) : longest;
});

test('there is a sample for each framing', () => {
  expect(new Set(framingSamples.map(({ framing }) => framing.type))).toEqual(new Set(namesOf(framings)));
});

describe('a framer that looks for headers', () => {
  const scanning = framingSamples.filter(
    ({ isChecked, framing }) => isChecked && framing.type !== 'telegram',
  );

  test.each(scanning)('gives every byte it gets, in order: $name', (sample) => {
    const noise = Uint8Array.from({ length: 1000 }, (_, index) => (index * 89 + (index >> 3)) & 0xff);
    const pieces = streamOf(sample).flatMap(({ sent }, index) => [noise.subarray(0, 150 * index), sent]);
    const frames = framed(sample, pieces);
    expect(textOf(joined(frames.map(({ bytes }) => bytes)))).toBe(textOf(joined(pieces)));
    for (const { bytes } of frames) expect(bytes.length).toBeLessThanOrEqual(limits.serialGarbledBytesMin);
  });

  test.each(scanning)('makes one bad frame of noise between two good ones: $name', (sample) => {
    const [one] = sample.frames;
    if (one === undefined) throw new Error('a sample without frames');
    const noise = new Uint8Array(limits.serialGarbledBytesMin).fill(0x33);
    const problems = framed(sample, [one.sent, noise, one.sent]).map(({ problem }) => problem);
    expect(problems).toEqual([null, 'frame-garbled', null]);
  });
});
