import type { Plant } from '../sim/plants.ts';

const guard = 'src/ingest/mqtt/guard.ts';

/** Bugs that the MQTT fuzz must catch. */
export const mqttFuzzPlants: readonly Plant[] = [
  {
    name: 'packets-of-any-size',
    file: guard,
    edits: [{ find: 'if (bodyBytes <= bytesMax) return true;', replace: 'if (bytesMax > 0) return true;' }],
  },
  {
    name: 'pending-bytes-kept-at-a-break',
    file: guard,
    edits: [
      {
        find: 'this.#budget.release(this.#pendingBytes + this.#allowanceBytes);',
        replace: 'this.#budget.release(this.#allowanceBytes);',
      },
    ],
  },
  {
    name: 'reserved-for-who-has-gone',
    file: guard,
    edits: [{ find: 'if (this.destroyed) return;\n    if (this.#held', replace: 'if (this.#held' }],
  },
  {
    name: 'half-a-publish-waited-for',
    file: guard,
    edits: [{ find: 'this.#framer.isInPacket ? this.#begunBytes : 0', replace: '0' }],
  },
  {
    name: 'refusal-of-the-log-thrown',
    file: 'src/ingest/mqtt/publish-gate.ts',
    edits: [
      {
        find: "told(error === null ? 'stored' : refusalOf(error))",
        replace: "{ if (error !== null) throw error; told('stored'); }",
      },
    ],
  },
];
