import type { Plant } from '../sim/plants.ts';

const framing = 'src/ingest/serial/framing';
const scanning = `${framing}/scanning-framer.ts`;
const delimited = `${framing}/delimited-framer.ts`;

/** Bugs that the serial fuzz must catch. */
export const serialFuzzPlants: readonly Plant[] = [
  {
    name: 'bad-frame-skipped-as-a-whole',
    file: scanning,
    edits: [
      {
        find: 'this.#start += 1;',
        replace: 'this.#start = Math.min(this.#start + this.#shape.bytesMax, this.#window.end);',
      },
    ],
  },
  {
    name: 'noise-dropped-silently',
    file: scanning,
    edits: [
      {
        find: 'if (length > 0 && length <= bytesMax) this.#accept(length, frames);\n      else',
        replace:
          'if (length > 0 && length <= bytesMax) { this.#passedOver = this.#start; this.#accept(length, frames); }\n      else',
      },
    ],
  },
  {
    name: 'frame-above-its-bound-where-it-comes-at-once',
    file: scanning,
    edits: [{ find: 'length > 0 && length <= bytesMax', replace: 'length > 0' }],
  },
  {
    name: 'frames-behind-a-false-header-lost-at-an-interruption',
    file: scanning,
    edits: [
      {
        find: 'while (this.#start < this.#window.end) {\n      this.#skip(frames);\n      this.#scan(frames);\n    }',
        replace: 'this.#start = this.#window.end;\n    this.#seen = 0;',
      },
    ],
  },
  {
    name: 'pause-overlooked',
    file: scanning,
    edits: [
      {
        find: 'receivedMs - this.#receivedMs >= this.#gapMs',
        replace: 'receivedMs < this.#gapMs - this.#gapMs',
      },
    ],
  },
  {
    name: 'all-that-is-held-copied-for-every-chunk',
    file: scanning,
    edits: [
      {
        find: 'if (this.#window.isFull) this.#makeRoom();',
        replace: 'this.#makeRoom();\n      this.#window.bytes.slice().slice().slice();',
      },
    ],
  },
  {
    name: 'time-of-the-last-byte',
    file: `${framing}/receipt-times.ts`,
    edits: [{ find: 'return this.#times[this.#first] ?? 0;', replace: 'return this.#times.at(-1) ?? 0;' }],
  },
  {
    name: 'checksum-begun-anew-with-each-chunk',
    file: `${framing}/byte-window.ts`,
    edits: [{ find: 'let state = this.states[this.#end] ?? 0;', replace: 'let state = 0;' }],
  },
  {
    name: 'telegram-looked-through-again-with-each-chunk',
    file: `${framing}/telegram-framer.ts`,
    edits: [{ find: 'Math.max(1, seen - CRC_DIGITS)', replace: 'Math.max(1, seen - seen)' }],
  },
  {
    name: 'line-of-any-length',
    file: delimited,
    edits: [
      {
        find: 'return fitting.length === bytes.length;',
        replace: 'return fitting.length <= bytes.length;',
      },
    ],
  },
  {
    name: 'line-too-long-goes-on-as-another',
    file: delimited,
    edits: [{ find: 'this.#isPassingOver = true;', replace: 'this.#isPassingOver = false;' }],
  },
  {
    name: 'frame-as-a-view-of-its-buffer',
    file: delimited,
    edits: [{ find: 'bytes: bytes.slice(), ', replace: 'bytes, ' }],
  },
  {
    name: 'delimiter-forgotten-between-chunks',
    file: `${framing}/delimiter-search.ts`,
    edits: [
      {
        find: 'const [first = 0] = this.#delimiter;',
        replace: 'const [first = 0] = this.#delimiter;\n    this.#matched = 0;',
      },
    ],
  },
  {
    name: 'escape-of-anything',
    file: `${framing}/slip-framer.ts`,
    edits: [{ find: 'if (byte === undefined) return null;', replace: '' }],
  },
  {
    name: 'zero-behind-the-last-block',
    file: `${framing}/cobs-framer.ts`,
    edits: [{ find: 'code < LONGEST && next < sent.length', replace: 'code < LONGEST' }],
  },
  {
    name: 'number-with-its-leading-zeros',
    file: 'src/ingest/decode/json-object.ts',
    edits: [{ find: '([+-]?)0*(\\d*)', replace: '([+-]?)(\\d*)' }],
  },
  {
    name: 'quoted-field-as-it-is',
    file: 'src/ingest/decode/csv.ts',
    edits: [{ find: 'isQuoted ? JSON.stringify(value)', replace: 'isQuoted ? value' }],
  },
];
