import type { DecoderName } from '../../src/edge/registry.ts';
import { brokenPromise } from '../ingest/decode/contract.ts';
import { type Sample, samplesOf } from '../ingest/decode/samples.ts';
import { SimRandom } from '../support/sim-random.ts';

const NOISE_BYTES = 64;
const CHANGES = 6;

/** What means something to one decoder or another. */
const pieces = [
  ',',
  ';',
  ':',
  '=',
  '*',
  '"',
  '(',
  ')',
  ')(',
  '\r\n',
  '/',
  '!',
  '$',
  '-',
  '.',
  '0',
  'é',
  '\0',
  '{',
  '}',
];

/** Gives a decoder so many random frames, each from a seed of its own; says what it does wrong, with the seed. */
export function fuzzDecoder(name: DecoderName, seed: number, frames: number): readonly string[] {
  const samples = samplesOf(name);
  const violations: string[] = [];
  for (let count = 0; count < frames; count += 1) {
    const random = new SimRandom(seed + count);
    const sample = samples[random.below(samples.length)];
    if (sample === undefined) return [`there is no capture of ${name}`];
    const frame = randomFrame(random, sample);
    const problem = problemWith(sample, frame);
    if (problem !== null) violations.push(`seed ${seed + count}: ${problem}`);
  }
  return violations;
}

function problemWith({ decoder, decode }: Sample, frame: Uint8Array): string | null {
  try {
    return brokenPromise(decode, frame, decoder === 'raw');
  } catch (error) {
    return `it throws ${error instanceof Error ? error.stack : error}`;
  }
}

/** Noise, or a capture with some changes. */
function randomFrame(random: SimRandom, { decoder, frame }: Sample): Uint8Array {
  if (random.chance(0.2)) return random.bytes(random.below(NOISE_BYTES));
  let bytes = Buffer.from(frame);
  for (let changes = random.below(CHANGES); changes > 0; changes -= 1) {
    const at = random.below(bytes.length + 1);
    const piece = pieces[random.below(pieces.length)] ?? '';
    const [put, gone] = [
      random.chance(0.5) ? Buffer.from(piece) : random.bytes(random.below(3)),
      random.below(3),
    ];
    bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + gone)]);
  }
  // Otherwise hardly one would get past its checksum.
  return decoder === 'nmea' && random.chance(0.7) ? withChecksum(bytes) : bytes;
}

function withChecksum(sentence: Buffer): Buffer {
  const text = sentence.toString().split('*')[0] ?? '';
  let sum = 0;
  for (const character of text.slice(1)) sum ^= character.charCodeAt(0);
  return Buffer.from(`${text}*${(sum & 0xff).toString(16).padStart(2, '0')}`);
}
