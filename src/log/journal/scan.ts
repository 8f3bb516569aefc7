import type { ReadableDisk } from '../../core/disk.ts';
import { limits } from '../../core/limits.ts';
import { release } from '../encoding/bytes.ts';
import { claimedFrameBytes, decodeFrame, type Frame, frameSizeBytes } from './frame.ts';
import { type JournalFile, readOverDamage } from './journal-files.ts';

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

export interface ScanResult extends ScanEnd {
  readonly frames: readonly LocatedFrame[];
}

/** What is known once all frames were found. */
export interface ScanEnd {
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

/** What counts in a file of the journal. */
export const scanRange = ({ header, startPosition, endCommit }: JournalFile): ScanRange => ({
  salt: header.salt,
  startPosition,
  firstCommit: header.firstCommit,
  endCommit,
});

/**
 * Finds the frames of a file that count. An invalid stretch with a later valid frame behind it (salt and commit
 * number both right) is damage; one without is the torn tail of the last commit, which was not acknowledged.
 * In a file that has a successor, commits missing before `endCommit` are damage as well.
 */
export function scanFrames(file: Uint8Array, range: ScanRange): ScanResult {
  const scan = new FrameScan(range);
  const frames = scan.take(file.subarray(scan.position), true);
  return { frames, ...scan.end(file.length) };
}

/**
 * The same in a file that is read piece by piece, so that memory is bounded by one window, or one frame that is larger. What
 * `visit` gets of a frame is a view that is good until it returns. Blocks that the medium refuses to read cost the frames in
 * them and no others.
 */
export async function scanFile(
  disk: ReadableDisk,
  path: string,
  range: ScanRange,
  visit: (located: LocatedFrame) => void | Promise<void>,
  windowBytesMin: number = limits.scanWindowBytes,
): Promise<ScanEnd> {
  const file = await disk.open(path);
  try {
    const sizeBytes = await file.size();
    const scan = new FrameScan(range);
    while (scan.position + limits.journalBlockBytes <= sizeBytes) {
      const wanted = Math.min(Math.max(windowBytesMin, scan.claimedBytes), sizeBytes - scan.position);
      const window = await readOverDamage(file, scan.position, wanted);
      // Somebody may have cut the file meanwhile.
      const isLast = window.length < wanted || scan.position + wanted === sizeBytes;
      for (const located of scan.take(window, isLast)) await visit(located);
      release(window);
      if (isLast) break;
    }
    return scan.end(sizeBytes);
  } finally {
    await file.close();
  }
}

class FrameScan {
  readonly #range: ScanRange;
  readonly #damage: Damage[] = [];
  #expected: number;
  #goodEnd: number;
  /** Where to go on. */
  position: number;
  /** How long the frame says it is that was looked at last: if it reaches beyond what was seen, more is needed. */
  claimedBytes = 0;

  constructor(range: ScanRange) {
    this.#range = range;
    this.#expected = range.firstCommit;
    this.#goodEnd = range.startPosition;
    this.position = range.startPosition;
  }

  /** The frames that count in bytes that lie at `position`; views of them. */
  take(window: Uint8Array, isLast: boolean): LocatedFrame[] {
    const { salt, endCommit } = this.#range;
    const start = this.position;
    const frames: LocatedFrame[] = [];
    for (;;) {
      const at = this.position - start;
      if (at + limits.journalBlockBytes > window.length) return frames;
      this.claimedBytes = isLast ? 0 : claimedFrameBytes(window, at, salt);
      if (at + this.claimedBytes > window.length) return frames;
      const frame = decodeFrame(window, at, salt);
      if (frame === undefined || frame.commitNumber < this.#expected || frame.commitNumber >= endCommit)
        this.position += limits.journalBlockBytes;
      else frames.push(this.#enter(frame));
    }
  }

  end(fileBytes: number): ScanEnd {
    const { endCommit } = this.#range;
    if (endCommit !== Number.POSITIVE_INFINITY) this.#miss(endCommit, fileBytes);
    return { damage: this.#damage, end: { position: this.#goodEnd, commitNumber: this.#expected } };
  }

  #enter(frame: Frame): LocatedFrame {
    const located = { frame, position: this.position, sizeBytes: frameSizeBytes(frame) };
    this.#miss(frame.commitNumber, this.position);
    this.#expected = frame.commitNumber + 1;
    this.position += located.sizeBytes;
    this.#goodEnd = this.position;
    return located;
  }

  #miss(endCommit: number, endPosition: number): void {
    if (endCommit <= this.#expected) return;
    const place = { position: this.#goodEnd, sizeBytes: endPosition - this.#goodEnd };
    this.#damage.push({ ...place, firstCommit: this.#expected, endCommit });
  }
}
