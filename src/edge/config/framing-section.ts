import { limits } from '../../core/limits.ts';
import { checksums } from '../../ingest/serial/framing/checksum.ts';
import { type FrameParts, partsBytes } from '../../ingest/serial/framing/frame-with-header.ts';
import { type FramingConfig, type FramingName, framings, namesOf } from '../registry.ts';
import {
  type CheckContext,
  choice,
  duration,
  hexBytes,
  numberOrSection,
  section,
  size,
  text,
  typeChoice,
  wholeNumber,
} from './setting-kinds.ts';

const { serialFrameBytesMax: frameBytesMax, serialMarkBytesMax: markBytesMax } = limits;

/** `serial.framing`: how messages are told apart. */
export const framingSection = () =>
  typeChoice({ ...bare, ...shapes() })
    .superRefine(checkParts)
    .prefault({ type: 'line' });

/** The framings that take settings. */
const shapes = () => ({
  line: {
    /** What ends a line; with LF, a CR before it is no part of the line either. */
    delimiter: delimiter().prefault('\\n'),
    lengthMax: lengthMax(),
  },
  slip: { lengthMax: lengthMax() },
  cobs: { lengthMax: lengthMax() },
  fixed: { length: wholeNumber(1, frameBytesMax, 'bytes'), gap: gap() },
  'length-prefixed': { ...lengthField(), lengthMax: lengthMax(), gap: gap() },
  header: {
    header: hexBytes(markBytesMax),
    /** Of the whole frame. */
    length: numberOrSection(
      wholeNumber(1, frameBytesMax),
      section({ at: wholeNumber(0, frameBytesMax, 'bytes'), ...lengthField() }),
      `a whole number of bytes from 1 to ${frameBytesMax}, or where a frame says it, such as { at: 2, bytes: 1 }`,
    ),
    checksum: section({
      kind: choice(namesOf(checksums)),
      /** Bytes of the frame before the first one that it is about. */
      from: wholeNumber(0, frameBytesMax, 'bytes').default(0),
    }).optional(),
    tail: hexBytes(markBytesMax).optional(),
    lengthMax: lengthMax(),
  },
  telegram: { checksum: choice(['crc-16/arc', 'none']).default('crc-16/arc'), lengthMax: lengthMax() },
});

/** All framings, as if they took no settings. */
const bare = Object.fromEntries(namesOf(framings).map((name) => [name, {}])) as Readonly<
  Record<FramingName, Record<never, never>>
>;

const lengthMax = () => size(1, frameBytesMax).default(frameBytesMax);

/** Bytes after so long a pause begin a new frame. */
const gap = () => duration(1, limits.serialGapMsMax).default(limits.serialGapMsDefault);

const lengthField = () => ({
  bytes: wholeNumber(1, 2, 'bytes'),
  order: choice(['big', 'little']).default('big'),
  /** Bytes of a frame that are not counted; by default those up to the length itself. */
  add: wholeNumber(0, frameBytesMax, 'bytes').optional(),
});

/** Escapes as in many languages, so that a delimiter means the same in each kind of quotes. */
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0', '\\': '\\' };

function delimiter() {
  const what = `1 to ${markBytesMax} bytes, such as ';' or '\\r' (escapes: \\n, \\r, \\t, \\0, \\\\, \\x and two hexadecimal digits)`;
  return text(what, (value) => {
    const length = delimiterBytes(value)?.length ?? 0;
    return length >= 1 && length <= markBytesMax;
  }).transform((value) => delimiterBytes(value) ?? new Uint8Array());
}

/** Undefined if an escape is none. */
function delimiterBytes(value: string): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const [piece, hex, name] of value.matchAll(/\\x([0-9A-Fa-f]{2})|\\(.?)|[^\\]+/gs)) {
    const character = name === undefined ? undefined : escapes[name];
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (name === undefined) bytes.push(...Buffer.from(piece));
    else if (character === undefined) return undefined;
    else bytes.push(...Buffer.from(character));
  }
  return Uint8Array.from(bytes);
}

/** Whether there can be any frame. */
function checkParts(framing: FramingConfig, context: CheckContext): void {
  const complain = (setting: keyof FrameParts, message: string): void =>
    context.addIssue({ code: 'custom', path: [setting], message, input: undefined });
  if (framing.type === 'length-prefixed' && framing.lengthMax <= framing.bytes)
    complain('lengthMax', `write ${framing.bytes + 1} at least: the length and a byte`);
  if (framing.type !== 'header') return;
  const { length, lengthMax: longest = frameBytesMax } = framing;
  const bytesMin = partsBytes(framing);
  if (longest < bytesMin)
    complain('lengthMax', `write ${bytesMin} at least: so much a frame has with all its parts`);
  if (typeof length !== 'number') return;
  if (length < bytesMin)
    complain('length', `write ${bytesMin} at least: so much a frame has with all its parts`);
  if (length > longest) complain('length', `write ${longest} at most, or more in lengthMax`);
}
