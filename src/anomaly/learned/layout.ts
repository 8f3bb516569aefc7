import type { StateSize } from '../detection/series-state.ts';

/** Gives parts of a state their places, one behind the other. */
export class Layout {
  #end: StateSize;

  constructor(start: StateSize) {
    this.#end = start;
  }

  /** Where what comes next begins. */
  get end(): StateSize {
    return this.#end;
  }

  /** Where a part of this size begins. */
  place(size: StateSize): StateSize {
    const place = this.#end;
    this.#end = { doubles: place.doubles + size.doubles, floats: place.floats + size.floats };
    return place;
  }
}
