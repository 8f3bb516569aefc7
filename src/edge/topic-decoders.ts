import { limits } from '../core/limits.ts';
import type { Decoder } from '../ingest/decode/decoder.ts';
import type { RouteConfig } from './config/route-section.ts';
import { decoderOf } from './registry.ts';

/** How the records of topics are understood, by the routes that lead there; topics of routes without a decoder are not in it. */
export const topicDecoders = (routes: readonly RouteConfig[]): ReadonlyMap<string, Decoder> =>
  new Map(
    routes.flatMap(({ topic, decoder }) => (decoder === null ? [] : [[topic, decoderOf(decoder)] as const])),
  );

/**
 * Makes of a record's value what series can be found in: itself, but for the topics that have a decoder; null for what that
 * cannot read, and for values larger than `limits.seriesPayloadBytesMax`.
 */
export const decodedBy =
  (decoders: ReadonlyMap<string, Decoder>) =>
  (topic: string, value: Uint8Array): Uint8Array | null => {
    const decoder = decoders.get(topic);
    if (decoder === undefined) return value;
    if (value.length > limits.seriesPayloadBytesMax) return null;
    const decoded = decoder(value);
    return 'value' in decoded ? decoded.value : null;
  };
