import type { Framer } from '../frame.ts';
import { type FrameParts, shapeOf } from './frame-with-header.ts';
import { ScanningFramer } from './scanning-framer.ts';

/**
 * Frames with a header and a length, and mostly a checksum; they are given whole. With a checksum, a header that noise
 * makes costs nothing but time: what it claims is looked through again.
 */
export function headerFramer(settings: FrameParts): Framer {
  return new ScanningFramer(shapeOf(settings, 0));
}
