import { isOperatingError, messageOf } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { decodeEntries } from '../state/entries.ts';
import { type DescribedEntry, EntryReader } from '../state/entry-words.ts';
import { decodeFileHeader, encodeFileHeader, type FileHeader } from './file-header.ts';
import { type Frame, frameEntries } from './frame.ts';
import { looseFrames } from './loose-frames.ts';

interface Place {
  readonly position: number;
  readonly sizeBytes: number;
}

/** What lies in a journal file, in order and without gaps. */
export type JournalPiece = Place &
  (
    | {
        readonly kind: 'header';
        readonly header: Omit<FileHeader, 'snapshot'>;
        /** The snapshot. */
        readonly entries: readonly DescribedEntry[];
      }
    | {
        readonly kind: 'frame';
        readonly frame: Frame;
        /** Not so for one that an earlier use of a recycled file has left. */
        readonly isOfThisFile: boolean;
        readonly entries: readonly DescribedEntry[];
      }
    /** Bytes that are no header and no whole commit, or why a header cannot be read. */
    | { readonly kind: 'gap'; readonly isZero: boolean; readonly why?: string }
  );

/** Shows all of a journal file, however it is damaged: whole commits count by their own checksum. */
export function* dumpJournal(bytes: Uint8Array): Generator<JournalPiece> {
  const reader = new EntryReader();
  const { header, why } = readHeader(bytes);
  const frames = [...looseFrames(bytes)];
  const newest = frames.reduce((most, { frame }) => Math.max(most, frame.commitNumber), -1);
  const ownSalt =
    header === undefined
      ? frames.find(({ frame }) => frame.commitNumber === newest)?.salt
      : Buffer.from(header.salt).toString('hex');
  let position = 0;
  if (header !== undefined) {
    const { snapshot, ...rest } = header;
    const sizeBytes = encodeFileHeader(header).length;
    yield { kind: 'header', position, sizeBytes, header: rest, entries: described(reader, () => snapshot) };
    position = sizeBytes;
  } else if (why !== undefined) {
    yield { kind: 'gap', position, sizeBytes: limits.journalBlockBytes, isZero: false, why };
    position = limits.journalBlockBytes;
  }
  for (const { frame, salt, ...place } of frames) {
    if (place.position < position) continue;
    yield* gapBetween(bytes, position, place.position);
    const entries = described(reader, () => frameEntries(frame));
    yield { kind: 'frame', ...place, frame, isOfThisFile: salt === ownSalt, entries };
    position = place.position + place.sizeBytes;
  }
  yield* gapBetween(bytes, position, bytes.length);
}

function readHeader(bytes: Uint8Array): { header?: FileHeader | undefined; why?: string } {
  try {
    return { header: decodeFileHeader(bytes) };
  } catch (error) {
    if (!isOperatingError(error)) throw error;
    return { why: error.message };
  }
}

function described(reader: EntryReader, encoded: () => Uint8Array): readonly DescribedEntry[] {
  const entries: DescribedEntry[] = [];
  try {
    for (const entry of decodeEntries(encoded())) entries.push(reader.describe(entry));
  } catch (error) {
    if (!isOperatingError(error)) throw error;
    entries.push({ words: `what follows cannot be read: ${messageOf(error)}` });
  }
  return entries;
}

function* gapBetween(bytes: Uint8Array, position: number, end: number): Generator<JournalPiece> {
  if (end <= position) return;
  const isZero = bytes.subarray(position, end).every((byte) => byte === 0);
  yield { kind: 'gap', position, sizeBytes: end - position, isZero };
}
