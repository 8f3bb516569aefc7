import { readdirSync, readFileSync } from 'node:fs';
import { decoderSection } from '../../../src/edge/config/decoder-section.ts';
import { type DecoderName, decoderOf, decoders, namesOf } from '../../../src/edge/registry.ts';
import type { Decoder } from '../../../src/ingest/decode/decoder.ts';

/** A frame as a device sends it, and what it decodes to. */
export interface Sample {
  readonly decoder: DecoderName;
  readonly name: string;
  /** What is special about it. */
  readonly what: string;
  readonly frame: Uint8Array;
  /** As in the configuration: a name, or a mapping. */
  readonly settings: unknown;
  readonly decode: Decoder;
  /** What is expected: an object, or undefined where a problem is. */
  readonly value?: Readonly<Record<string, unknown>> | undefined;
  readonly problem?: string | undefined;
}

interface SampleFile {
  readonly what: string;
  readonly settings?: unknown;
  readonly text?: string;
  readonly hex?: string;
  readonly value?: Readonly<Record<string, unknown>>;
  readonly problem?: string;
}

const folder = new URL('../../samples/', import.meta.url);

/** All captures of a decoder in `test/samples`. */
export function samplesOf(decoder: DecoderName): readonly Sample[] {
  const files = new URL(`${decoder}/`, folder);
  return readdirSync(files)
    .toSorted()
    .map((file) => {
      const sample = JSON.parse(readFileSync(new URL(file, files), 'utf8')) as SampleFile;
      const { what, settings, text, hex, value, problem } = sample;
      return {
        decoder,
        name: file.replace(/\.json$/, ''),
        what,
        frame:
          hex === undefined ? new TextEncoder().encode(text) : Uint8Array.fromHex(hex.replaceAll(' ', '')),
        settings: settings ?? decoder,
        decode: decoderOf(decoderSection().parse(settings ?? decoder)),
        value,
        problem,
      };
    });
}

/** Those of all decoders. */
export const allSamples = (): readonly Sample[] => namesOf(decoders).flatMap(samplesOf);
