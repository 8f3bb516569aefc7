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
export function newSeriesState({ doubles, floats }: StateSize): SeriesState {
  const buffer = new ArrayBuffer(doubles * 8 + floats * 4);
  return {
    bytes: new Uint8Array(buffer),
    doubles: new Float64Array(buffer, 0, doubles),
    floats: new Float32Array(buffer, doubles * 8, floats),
  };
}
