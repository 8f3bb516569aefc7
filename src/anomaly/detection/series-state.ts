import { assert } from '../../core/errors.ts';

/** So many numbers of a series' state; or where in it a part's numbers begin. */
export interface StateSize {
  /** Numbers of 8 bytes: times, sums, raw values. */
  readonly doubles: number;
  /** Numbers of 4 bytes: tables. */
  readonly floats: number;
}

/**
 * All that the detectors know of one series: one array of bytes, seen as numbers, so that it is saved and restored as it is, bit for bit.
 */
export interface SeriesState {
  readonly bytes: Uint8Array;
  readonly doubles: Float64Array;
  readonly floats: Float32Array;
}

/** The state of a series, all zeros. */
export const newSeriesState = (size: StateSize): SeriesState =>
  stateIn(new ArrayBuffer(size.doubles * 8 + size.floats * 4), size);

/** A state that was saved, in the memory of these bytes if they have a buffer of their own; undefined if they are none of this size. */
export function restoredSeriesState(
  size: StateSize,
  { buffer, byteLength }: Uint8Array,
): SeriesState | undefined {
  if (byteLength !== size.doubles * 8 + size.floats * 4) return undefined;
  assert(
    buffer instanceof ArrayBuffer && buffer.byteLength === byteLength,
    'saved states lie in buffers of their own',
  );
  return stateIn(buffer, size);
}

function stateIn(buffer: ArrayBuffer, { doubles, floats }: StateSize): SeriesState {
  return {
    bytes: new Uint8Array(buffer),
    doubles: new Float64Array(buffer, 0, doubles),
    floats: new Float32Array(buffer, doubles * 8, floats),
  };
}
