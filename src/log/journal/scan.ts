import { limits } from '../../core/limits.ts';
import { decodeFrame, type Frame, frameSizeBytes } from './frame.ts';

/** A valid frame and where it lies in its file. */
export interface LocatedFrame {
  readonly frame: Frame;
  readonly position: number;
  readonly sizeBytes: number;
}

/** Bytes that should hold commits and do not: commits `firstCommit` to `endCommit` - 1 are lost. */
export interface Damage {
  readonly position: number;
  readonly sizeBytes: number;
  readonly firstCommit: number;
  readonly endCommit: number;
}

export interface ScanResult {
  readonly frames: readonly LocatedFrame[];
  readonly damage: readonly Damage[];
  /** Where the next frame would begin, and its number. */
  readonly end: { readonly position: number; readonly commitNumber: number };
}

export interface ScanRange {
  readonly salt: Uint8Array;
  /** Where the header ends. */
  readonly startPosition: number;
  readonly firstCommit: number;
  /** Frames from this commit on do not count, because a newer file says so. */
  readonly endCommit: number;
}

/**
 * Finds the frames of a file that count. An invalid stretch with a later valid frame behind it (salt and commit
 * number both right) is damage; one without is the torn tail of the last commit, which was not acknowledged.
 * In a file that has a successor, commits missing before `endCommit` are damage as well.
 */
export function scanFrames(file: Uint8Array, range: ScanRange): ScanResult {
  const frames: LocatedFrame[] = [];
  const damage: Damage[] = [];
  let expected = range.firstCommit;
  let position = range.startPosition;
  let goodEnd = position;
  while (position + limits.journalBlockBytes <= file.length) {
    const frame = decodeFrame(file, position, range.salt);
    if (frame === undefined || frame.commitNumber < expected || frame.commitNumber >= range.endCommit) {
      position += limits.journalBlockBytes;
      continue;
    }
    const missing = { firstCommit: expected, endCommit: frame.commitNumber };
    if (frame.commitNumber > expected) {
      damage.push({ position: goodEnd, sizeBytes: position - goodEnd, ...missing });
    }
    const sizeBytes = frameSizeBytes(frame);
    frames.push({ frame, position, sizeBytes });
    expected = frame.commitNumber + 1;
    position += sizeBytes;
    goodEnd = position;
  }
  if (range.endCommit !== Number.POSITIVE_INFINITY && expected < range.endCommit) {
    const missing = { firstCommit: expected, endCommit: range.endCommit };
    damage.push({ position: goodEnd, sizeBytes: file.length - goodEnd, ...missing });
  }
  return { frames, damage, end: { position: goodEnd, commitNumber: expected } };
}
