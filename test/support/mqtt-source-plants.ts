import type { Plant } from '../sim/plants.ts';

/** Bugs in how a broker is answered; each with the scenario of `test/kill/mqtt-source.test.ts` that must catch it. */
export const mqttSourcePlants: readonly (Plant & { readonly scenario: string })[] = [
  {
    name: 'broker-acknowledged-before-the-commit',
    scenario: 'acknowledged',
    file: 'src/ingest/mqtt-source/intake.ts',
    edits: [{ find: 'await offer();', replace: 'void offer();' }],
  },
  {
    name: 'broker-release-answered-before-the-commit',
    scenario: 'released',
    file: 'src/ingest/mqtt-source/storage.ts',
    edits: [
      {
        find: 'return () => qos2.release({ client, packetId: packet.packetId });',
        replace: 'return async () => void qos2.release({ client, packetId: packet.packetId });',
      },
    ],
  },
  {
    name: 'broker-duplicate-stored-again',
    scenario: 'duplicate',
    file: 'src/ingest/mqtt-source/storage.ts',
    edits: [
      { find: 'return qos2.appendOnce(record, id);', replace: 'return accept([record]).then(() => true);' },
    ],
  },
];
