import { limits } from '../../../src/core/limits.ts';
import type { Decoder } from '../../../src/ingest/decode/decoder.ts';

/** A problem as dead letters and metrics name it. */
const problemName = /^[a-z0-9-]+$/;

/**
 * What is wrong with what a decoder makes of a frame, by what every decoder promises whatever the bytes are; null if nothing
 * is. Throws what the decoder throws, which it never should.
 * @param isRaw whether its values need not be JSON
 */
export function brokenPromise(decode: Decoder, frame: Uint8Array, isRaw: boolean): string | null {
  const before = Uint8Array.from(frame);
  const [decoded, again] = [decode(frame), decode(frame)];
  if (Buffer.compare(frame, before) !== 0) return 'it changes the frame';
  if (!('value' in decoded)) {
    if ('value' in again || again.problem !== decoded.problem) return 'it finds something else each time';
    return problemName.test(decoded.problem) ? null : `${decoded.problem} is no name of a problem`;
  }
  if (!('value' in again) || Buffer.compare(decoded.value, again.value) !== 0)
    return 'it gives something else each time';
  if (isRaw) return Buffer.compare(decoded.value, frame) === 0 ? null : 'it changes what is raw';
  if (decoded.value.length > limits.decodedBytesMax) return `it gives ${decoded.value.length} bytes`;
  const text = new TextDecoder('utf-8', { fatal: true }).decode(decoded.value);
  const object: unknown = JSON.parse(text);
  const isObject = typeof object === 'object' && object !== null && !Array.isArray(object);
  return isObject ? null : `it gives no JSON object but ${text.slice(0, 100)}`;
}
