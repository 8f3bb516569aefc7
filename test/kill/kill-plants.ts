import type { Plant } from '../sim/plants.ts';
import type { Finding } from '../support/reading-oracle.ts';

const gate = 'src/ingest/mqtt/publish-gate.ts';

/** Bugs that kills under load must show, and as what. */
export const killPlants: readonly (Plant & { readonly shows: Finding['kind'] })[] = [
  {
    name: 'acknowledged-before-the-commit',
    shows: 'lost',
    file: 'src/ingest/mqtt/turn-offers.ts',
    edits: [
      {
        find: 'await this.#accept(records).then(() => null, caught);',
        replace: '(this.#accept(records).catch(caught), null);',
      },
    ],
  },
  {
    // With its PUBREC late: otherwise a kill seldom strikes between that and the commit.
    name: 'qos2-stored-without-its-id',
    shows: 'doubled',
    file: gate,
    edits: [
      {
        find: 'const isNew = await this.#qos2.appendOnce(record, { client: client.id, packetId });',
        replace:
          'await new Promise((stored) => this.#offers.add(record, stored));\n      await this.#clock.sleep(20);\n      const isNew = packetId > 0;',
      },
    ],
  },
  {
    name: 'qos2-release-forgotten',
    shows: 'lost',
    file: gate,
    edits: [
      {
        find: 'this.#qos2.release({ client: client.id, packetId })',
        replace: 'Promise.resolve(packetId).then(() => {})',
      },
    ],
  },
];
