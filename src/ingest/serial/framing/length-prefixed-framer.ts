import type { Framer } from '../frame.ts';
import { type LengthField, shapeOf } from './frame-with-header.ts';
import { ScanningFramer } from './scanning-framer.ts';

export interface LengthPrefixedSettings extends Omit<LengthField, 'at'> {
  /** Bytes of a frame, with its prefix. */
  readonly lengthMax: number;
  /** Bytes after so long a pause begin a new frame, milliseconds. */
  readonly gap: number;
}

/**
 * Each frame follows its length, which is not given. A length that no frame has, none included, is passed over; but what
 * is wrong and legal spoils all frames up to the next pause.
 */
export function lengthPrefixedFramer(settings: LengthPrefixedSettings): Framer {
  const { bytes, order, add, lengthMax, gap } = settings;
  const length = { at: 0, bytes, order, add };
  return new ScanningFramer(shapeOf({ header: new Uint8Array(), length, lengthMax }, bytes), gap);
}
