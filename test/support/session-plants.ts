import type { Plant } from '../sim/plants.ts';

/** Bugs in what the MQTT broker keeps; each with the scenario of `test/kill/session-scenarios.ts` that must catch it. */
export const sessionPlants: readonly (Plant & { readonly scenario: string })[] = [
  {
    name: 'queued-forgotten-at-a-start',
    scenario: 'absent',
    file: 'src/ingest/mqtt/sessions/catch-up.ts',
    edits: [{ find: 'await this.#makeAllGood(positions);', replace: 'this.#makeAllGood.name;' }],
  },
  {
    name: 'queue-not-loaded',
    scenario: 'absentLater',
    file: 'src/edge/session-store/session-file.ts',
    edits: [
      {
        find: "rows('SELECT * FROM queued ORDER BY number')",
        replace: "rows('SELECT * FROM queued WHERE 0')",
      },
    ],
  },
  {
    name: 'position-of-the-write-before',
    scenario: 'absentLater',
    file: 'src/ingest/mqtt/sessions/mqtt-state.ts',
    edits: [
      { find: '    this.#ends = this.#options.history.ends();\n    return {', replace: '    return {' },
    ],
  },
  {
    name: 'packet-id-not-safe-before-its-publish',
    scenario: 'packetId',
    file: 'src/ingest/mqtt/sessions/session-persistence.ts',
    edits: [
      {
        find: 'await writes.written();\n    message.safeId = packet.messageId;',
        replace: 'message.safeId = packet.messageId;',
      },
    ],
  },
  {
    name: 'release-not-safe-before-its-pubrel',
    scenario: 'released',
    file: 'src/ingest/mqtt/sessions/session-persistence.ts',
    edits: [
      {
        find: 'await writes.written();\n      message.isReleaseSafe = true;',
        replace: 'message.isReleaseSafe = true;',
      },
    ],
  },
  {
    name: 'qos2-duplicate-queued',
    scenario: 'duplicate',
    file: 'src/ingest/mqtt/broker-persistence.ts',
    edits: [
      { find: 'gate.mayForward(packet) ? outgoingEnqueueCombi', replace: 'packet ? outgoingEnqueueCombi' },
    ],
  },
  {
    name: 'incoming-release-forgotten',
    scenario: 'incomingRelease',
    file: 'src/ingest/mqtt/publish-gate.ts',
    edits: [
      {
        find: 'this.#qos2.release({ client: client.id, packetId })',
        replace: 'Promise.resolve(packetId).then(() => {})',
      },
    ],
  },
];
