import { decoders, namesOf } from '../../src/edge/registry.ts';
import { framingSamples, tightSamples } from '../support/framing-samples.ts';
import { fuzzDecoder } from './decoder-fuzz.ts';
import { fuzzFramer } from './framer-fuzz.ts';
import { hardBytes, measuredSpeed } from './framer-speed.ts';

/** Something of serial ingest that takes any bytes: a framer chunks of them, a decoder frames. */
export interface SerialSubject {
  readonly name: string;
  /** Gives it so many random chunks, from a seed on; says what is wrong. */
  readonly fuzz: (seed: number, chunks: number) => readonly string[];
}

/** Everything that the serial fuzz is about. */
export const serialSubjects: readonly SerialSubject[] = [
  ...[...framingSamples, ...tightSamples].map(
    (sample): SerialSubject => ({
      name: `framing ${sample.name}`,
      fuzz: (seed, chunks) => fuzzFramer(sample, seed, chunks),
    }),
  ),
  ...namesOf(decoders).map(
    (name): SerialSubject => ({
      name: `decoder ${name}`,
      fuzz: (seed, chunks) => fuzzDecoder(name, seed, chunks),
    }),
  ),
];

/** Far below what any needs here, and more than twice what the fastest port gives. What takes quadratic time is slower. */
const SPEED_MB_MIN = 1;
const SMALL_CHUNKS_BYTES = 4e6;

/** Which framers are too slow for so many bytes, in chunks as a port gives them and in small ones; `told` is told all speeds. */
export function slowFramers(bytes: number, told: (line: string) => void): readonly string[] {
  return hardBytes.flatMap((hard) => {
    const large = measuredSpeed(hard, bytes, 4096);
    const small = measuredSpeed(hard, Math.min(bytes, SMALL_CHUNKS_BYTES), 16);
    const line = `${hard.name}: ${large.toFixed(1)} MB/s, ${small.toFixed(1)} MB/s in chunks of 16 bytes`;
    told(line);
    return Math.min(large, small) < SPEED_MB_MIN ? [`too slow: ${line}`] : [];
  });
}
