/** When the bytes of a stream were received. It remembers one time for bytes that came together. */
export class ReceiptTimes {
  #places: number[] = [];
  #times: number[] = [];
  #first = 0;

  /** The bytes from that place of the stream on were received then, milliseconds. */
  add(place: number, receivedMs: number): void {
    if (this.#times.at(-1) === receivedMs) return;
    this.#places.push(place);
    this.#times.push(receivedMs);
  }

  /** When the byte at that place was received; nobody asks for an earlier one afterwards. */
  at(place: number): number {
    while ((this.#places[this.#first + 1] ?? Number.POSITIVE_INFINITY) <= place) this.#first += 1;
    // Now and then, so that what is moved costs little for each that is forgotten.
    if (this.#first > this.#places.length / 2) {
      this.#places = this.#places.slice(this.#first);
      this.#times = this.#times.slice(this.#first);
      this.#first = 0;
    }
    return this.#times[this.#first] ?? 0;
  }
}
