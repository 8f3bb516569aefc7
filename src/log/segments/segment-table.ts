/**
 * Where the batches of a segment lie, as far as somebody has walked over them. Inside a segment offsets have no gaps, so
 * a batch must begin where the one before it ended.
 */
export class SegmentTable {
  /** Of each batch, or of each stretch that is damaged: the next offset behind it, and where it begins. */
  readonly #ends: number[] = [];
  readonly #positions: number[] = [];
  readonly #baseOffset: number;
  #walkedTo = 0;

  constructor(baseOffset: number) {
    this.#baseOffset = baseOffset;
  }

  /** Where the batch with `offset` begins, and the offset that begins there; or the end of what is known. */
  placeOf(offset: number): SegmentPlace {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return {
      position: this.#positions[low] ?? this.#walkedTo,
      baseOffset: this.#ends[low - 1] ?? this.#baseOffset,
    };
  }

  /** Enters what lies at `position` up to `endPosition`; only what follows on what is known counts. */
  enter(position: number, endPosition: number, endOffset: number): void {
    if (position !== this.#walkedTo) return;
    this.#positions.push(position);
    this.#ends.push(endOffset);
    this.#walkedTo = endPosition;
  }
}

/** A place in a segment, and the offset that must begin there. */
export interface SegmentPlace {
  readonly position: number;
  readonly baseOffset: number;
}
