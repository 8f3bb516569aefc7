import type { Framer } from '../frame.ts';
import { shapeOf } from './frame-with-header.ts';
import { ScanningFramer } from './scanning-framer.ts';

export interface FixedLengthSettings {
  /** Bytes of each frame. */
  readonly length: number;
  /** Bytes after so long a pause begin a new frame, milliseconds. */
  readonly gap: number;
}

/** Each frame has the same length. Nothing but a pause tells where one begins. */
export function fixedLengthFramer({ length, gap }: FixedLengthSettings): Framer {
  return new ScanningFramer(shapeOf({ header: new Uint8Array(), length }, 0), gap);
}
