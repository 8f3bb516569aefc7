import { limits } from '../../src/core/limits.ts';
import { framerOf } from '../../src/edge/registry.ts';
import type { Frame } from '../../src/ingest/serial/frame.ts';
import type { FramingSample } from '../support/framing-samples.ts';
import { SimRandom } from '../support/sim-random.ts';
import { givenBytesMax, type ModelFrame, modelFrames } from './framer-model.ts';

const joined = (pieces: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(pieces));

/**
 * Gives a framer chunks of frames, damaged frames and noise, interruptions and pauses between, and looks whether what
 * comes is what the model says, and within its bounds.
 * @returns what is wrong, with the seed of the stream, which replays it with `chunks` 1
 */
export function fuzzFramer(sample: FramingSample, seed: number, chunks: number): readonly string[] {
  const framer = framerOf(sample.framing);
  const bytesMax = givenBytesMax(sample.framing);
  let atMs = 0;
  for (let sent = 0, round = 0; sent < chunks; round += 1) {
    const random = new SimRandom(seed + round);
    const stream = streamFor(sample, random);
    const receivedMs: number[] = [];
    const frames: Frame[] = [];
    const begun: number[] = [0];
    try {
      for (let at = 0; at < stream.length; ) {
        const chunk = Uint8Array.from(stream.subarray(at, at + 1 + random.below(chunkBytesMax(random))));
        const pauseMs = random.chance(0.05) ? PAUSE_MS : random.below(5);
        if (pauseMs === PAUSE_MS && sample.recovers === 'after a pause' && at > 0) begun.push(at);
        atMs += pauseMs;
        frames.push(...framer.push(chunk, atMs));
        for (let index = 0; index < chunk.length; index += 1) receivedMs.push(atMs);
        at += chunk.length;
        chunk.fill(random.below(256));
        sent += 1;
      }
      frames.push(...framer.interrupt());
    } catch (error) {
      return [`seed ${seed + round}: it threw ${String(error)}`];
    }
    const expected = begun.flatMap((from, index) =>
      modelFrames(sample.framing, stream.subarray(from, begun[index + 1])).map(
        (frame): ModelFrame => ({ ...frame, at: frame.at + from }),
      ),
    );
    const wrong = difference(frames, expected, receivedMs, bytesMax);
    if (wrong !== null) return [`seed ${seed + round}: ${wrong}`];
  }
  return [];
}

/** Crumbs, pieces of frames, and as much as a port gives at a time: many frames, or one that is longer than its bound. */
function chunkBytesMax(random: SimRandom): number {
  if (random.chance(0.3)) return 3;
  return random.chance(0.2) ? limits.serialReadBytesMax : 80;
}

/** More than the gap of each sample. */
const PAUSE_MS = 500;

/** Whole frames, frames cut and damaged, what looks like their beginning, and noise. */
function streamFor({ frames }: FramingSample, random: SimRandom): Uint8Array {
  const one = (): Uint8Array => frames[random.below(frames.length)]?.sent ?? new Uint8Array();
  const pieces = Array.from({ length: 1 + random.below(12) }, () => {
    const sent = Uint8Array.from(one());
    switch (random.below(8)) {
      case 0:
        return random.bytes(random.below(40));
      case 1:
        return sent.subarray(0, random.below(sent.length));
      case 2:
        return sent.subarray(random.below(sent.length));
      case 3:
        sent[random.below(sent.length)] = random.below(256);
        return sent;
      case 4:
        return new Uint8Array(random.below(random.chance(0.1) ? 700 : 20)).fill(one()[random.below(3)] ?? 0);
      case 5:
        return sent.subarray(0, 1 + random.below(4));
      default:
        return sent;
    }
  });
  return joined(pieces);
}

function difference(
  frames: readonly Frame[],
  expected: readonly ModelFrame[],
  receivedMs: readonly number[],
  bytesMax: number,
): string | null {
  const shown = (problem: string | null, bytes: Uint8Array, ms: number | undefined): string =>
    `${problem ?? 'good'} ${bytes.toHex()} at ${ms}`;
  const tooLong = frames.find(({ bytes }) => bytes.length > bytesMax || bytes.buffer.byteLength > bytesMax);
  if (tooLong !== undefined)
    return `a frame has or holds ${tooLong.bytes.buffer.byteLength} bytes, ${bytesMax} at most`;
  const count = Math.max(frames.length, expected.length);
  for (let index = 0; index < count; index += 1) {
    const [frame, model] = [frames[index], expected[index]];
    const got = frame === undefined ? 'nothing' : shown(frame.problem, frame.bytes, frame.receivedMs);
    const wanted = model === undefined ? 'nothing' : shown(model.problem, model.bytes, receivedMs[model.at]);
    if (got !== wanted) return `frame ${index} is to be ${wanted}, not ${got}`;
  }
  return null;
}
