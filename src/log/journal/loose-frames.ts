import { limits } from '../../core/limits.ts';
import { decodeFrame, frameSizeBytes } from './frame.ts';
import type { LocatedFrame } from './scan.ts';

/** A frame that is valid by its own account, whether or not it counts. */
export interface LooseFrame extends LocatedFrame {
  /** That of the file that it was written into, as hex digits. */
  readonly salt: string;
}

/**
 * The whole frames among these bytes, whatever their file's header says: also those of a file whose header is damaged,
 * and those of an earlier use of a file that was recycled.
 */
export function* looseFrames(bytes: Uint8Array): Generator<LooseFrame> {
  let position = 0;
  while (position + limits.journalBlockBytes <= bytes.length) {
    const salt = bytes.subarray(position + 8, position + 16);
    const frame = decodeFrame(bytes, position, salt);
    const sizeBytes = frame === undefined ? limits.journalBlockBytes : frameSizeBytes(frame);
    if (frame !== undefined) yield { frame, position, sizeBytes, salt: Buffer.from(salt).toString('hex') };
    position += sizeBytes;
  }
}
