import type { Plant } from './plants.ts';

const resume = 'src/forwarder/mirror/resume.ts';
const atLeastOnce = 'src/forwarder/kafka/at-least-once-target.ts';
const mintsIf =
  'if (own !== null && own.nextOffset > local.logStartOffset && own.nextOffset > localEnd(local, newest))';

/** Which only a real Kafka shows: it is planted by `test/kafka/mirror.test.ts`. */
export const hiddenEndPlant: Plant = {
  name: 'checkpoint-read-that-does-not-wait-for-the-end',
  file: 'src/forwarder/kafka/checkpoint-reader.ts',
  edits: [
    {
      find: 'throw new Refusal(notReadable(log.topic, nextOffset, fetched));',
      replace: 'return { bytesMax, committedEnd: -1 };',
    },
    {
      find: 'while (reading.nextOffset < Math.max(end, committedEnd))',
      replace: 'while (committedEnd >= 0 && reading.nextOffset < Math.max(end, committedEnd))',
    },
  ],
};

/** The bugs that the mirror search must catch. The product itself has no switch for any of them. */
export const mirrorPlants: readonly Plant[] = [
  {
    name: 'unknown-life-resumed-at-the-log-end',
    mode: 'cloned',
    file: resume,
    edits: [
      { find: mintsIf, replace: 'if (own !== null && local.highWatermark < 0)' },
      {
        find: "if (known === undefined) return { kind: 'unknown-life', life: checkpoint.lives.at(-1)?.life ?? null };",
        replace:
          "const end = Math.min(checkpoint.nextOffset, local.highWatermark);\n  if (known === undefined) return { kind: 'offset', offset: end, arrived: end };",
      },
    ],
  },
  {
    name: 'a-life-that-went-further-elsewhere-taken-for-our-own',
    mode: 'cloned',
    fromSeed: 297,
    file: resume,
    edits: [
      {
        find: 'own.nextOffset > localEnd(local, newest))',
        replace: 'localEnd(local, newest) < 0)',
      },
    ],
  },
  {
    name: 'ordinal-used-as-identity',
    mode: 'cloned',
    file: 'src/log/state/state.ts',
    edits: [
      {
        find: "life: this.#lifeIds.get(ordinal) ?? '',",
        replace: "life: ordinal.toString(16).padStart(32, '0'),",
      },
    ],
  },
  {
    name: 'ancestors-ignored',
    mode: 'swapped',
    file: resume,
    edits: [
      {
        find: 'const said = own === null ? ancestors : [own, ...ancestors];',
        replace: 'const said = own === null ? [] : [own];',
      },
    ],
  },
  {
    name: 'local-copy-lags',
    mode: 'lost',
    file: 'src/forwarder/mirror/mirror.ts',
    edits: [
      { find: 'unremembered: state.flush, unannounced: []', replace: 'unremembered: [], unannounced: []' },
    ],
  },
  {
    name: 'trimmed-life-of-an-idle-partition-mints',
    mode: 'honest',
    file: resume,
    edits: [{ find: mintsIf, replace: 'if (own !== null && own.nextOffset > localEnd(local, newest))' }],
  },
  {
    name: 'doubt-about-a-lost-checkpoint-untold',
    mode: 'lost',
    file: 'src/forwarder/mirror/mirror-memory.ts',
    edits: [
      { find: "doubtfulRows(doubtful, 'checkpoint-lost')", replace: "doubtfulRows([], 'checkpoint-lost')" },
    ],
  },
  {
    name: 'doubt-under-a-new-identity-untold',
    mode: 'cloned',
    file: 'src/forwarder/mirror/mirror-memory.ts',
    edits: [{ find: "doubtfulRows(doubtful, 'new-identity')", replace: "doubtfulRows([], 'new-identity')" }],
  },
  {
    name: 'checkpoint-outside-the-transaction',
    file: 'src/forwarder/lanes/lane.ts',
    edits: [
      {
        find: 'return this.#target.send([\n      { topic: mapping.checkpointTopic, partition: 0, batch, source: null },\n      ...this.#flush.batches,\n    ]);',
        replace:
          "const early = (await this.#target.send([{ topic: mapping.checkpointTopic, partition: 0, batch, source: null }])) ?? (await this.#target.commit());\n    if (early !== null) return early;\n    for (;;) {\n      // In the first protocol the cluster is still busy with that transaction.\n      const failure = await this.#target.send(this.#flush.batches);\n      if (failure?.kind !== 'busy') return failure;\n      await clock.sleep(20);\n    }",
      },
    ],
  },
  {
    name: 'produce-error-committed',
    file: 'src/forwarder/mirror/mirror.ts',
    edits: [
      {
        find: "return enter({ ...state, failure }, 'aborting');",
        replace: "return enter({ ...state, failure }, 'committing');",
      },
    ],
  },
  {
    name: 'sealed-batches-of-a-transaction-with-one-sequence',
    mode: 'honest',
    file: 'src/forwarder/kafka/sequences.ts',
    edits: [
      { find: 'const sequence = next.get(key) ?? 0;', replace: 'const sequence = sequences.get(key) ?? 0;' },
    ],
  },
  {
    name: 'rest-of-a-sealed-batch-sent-whole',
    file: 'src/forwarder/flush/partition-flush.ts',
    edits: [{ find: 'return sealed && isWhole && !isCut', replace: 'return sealed && !isCut' }],
  },
  {
    name: 'gap-passed-before-it-is-told',
    mode: 'dropped',
    file: 'src/forwarder/mirror/holds.ts',
    edits: [{ find: '!isOver(hold, [...jumped, ...ledger], gaps)', replace: 'false' }],
  },
  {
    name: 'undecided-forgotten-on-restart',
    mode: 'dropped',
    file: 'src/forwarder/mirror/mirror-forwarding.ts',
    edits: [
      {
        find: 'return copy.value?.sendingTo ?? copy.value?.nextOffset ?? 0;',
        replace: 'return copy.value?.nextOffset ?? 0;',
      },
    ],
  },
  {
    name: 'undecided-forgotten-after-a-lost-answer',
    mode: 'dropped',
    file: 'src/forwarder/lanes/lane.ts',
    edits: [
      {
        find: 'undecided: Math.max(confirmed, flush.find(isIt)?.nextOffset ?? 0)',
        replace:
          "undecided: this.#state.phase === 'committing' ? (flush.find(isIt)?.nextOffset ?? confirmed) : confirmed",
      },
    ],
  },
  {
    name: 'dropped-records-sent-all-the-same',
    mode: 'dropped',
    fromSeed: 65,
    file: 'src/forwarder/lanes/lane.ts',
    edits: [{ find: "isOvertaken === true ? 'overtaken' : 'remembered'", replace: "'remembered'" }],
  },
  {
    name: 'refused-records-passed-untold',
    mode: 'refusing',
    file: 'src/forwarder/mirror/mirror-memory.ts',
    edits: [{ find: 'ranges.filter(isTold)', replace: 'ranges.slice(0, 0).filter(isTold)' }],
  },
  {
    name: 'set-aside-forgotten-on-restart',
    mode: 'refusing',
    file: 'src/forwarder/mirror/mirror.ts',
    edits: [
      { find: '.filter((one) => !isPassed(one, positions));', replace: '.filter(() => state.failures > 0);' },
    ],
  },
  {
    name: 'whole-batch-set-aside-for-one-record',
    mode: 'refusing',
    file: 'src/forwarder/mirror/objections.ts',
    edits: [
      {
        find: 'batch.badOffsets.length > 0 ? batch.badOffsets : [batch.fromOffset]',
        replace:
          'Array.from({ length: batch.nextOffset - batch.fromOffset }, (_, index) => batch.fromOffset + index)',
      },
    ],
  },
  {
    name: 'records-behind-what-is-set-aside-read-too-early',
    mode: 'refusing',
    file: 'src/forwarder/mirror/objections.ts',
    edits: [
      {
        find: 'untilOffset: starts.length === 0 ? null : Math.min(...starts),',
        replace: 'untilOffset: starts.length === 0 ? null : Number.MAX_SAFE_INTEGER,',
      },
    ],
  },
  {
    name: 'id-of-the-other-lane-not-initialised-at-the-start',
    file: 'src/forwarder/lanes/session.ts',
    edits: [
      { find: 'const others = assignment.isToInitialise ?', replace: 'const others = lane === null ?' },
    ],
  },
  {
    name: 'topic-moved-without-ending-the-session-of-the-other-lane',
    mode: 'lost',
    fromSeed: 56,
    file: 'src/forwarder/lanes/lane-assignment.ts',
    edits: [
      {
        find: 'return this.#lanes.get(topic) ?? this.#wanted().get(topic)',
        replace: 'return this.#wanted().get(topic)',
      },
      {
        find: '(this.#lanes.get(topic) ?? lane) !== lane',
        replace: '(this.#lanes.get(topic) ?? lane) === null',
      },
    ],
  },
  {
    name: 'gaps-in-the-other-lane-not-waited-for',
    mode: 'dropped',
    file: 'src/forwarder/lanes/lane-partitions.ts',
    edits: [{ find: 'this.#isOwn(topic) || topic === gapsTopicName', replace: 'this.#isOwn(topic)' }],
  },
  {
    name: 'another-partitioner-than-that-of-kafka',
    mode: 'honest',
    file: 'src/forwarder/flush/central-partitions.ts',
    edits: [{ find: 'partitionForKey(key, partitions);', replace: 'key.length % partitions;' }],
  },
  {
    name: 'order-lost-within-a-key',
    mode: 'honest',
    file: 'src/forwarder/flush/partition-flush.ts',
    edits: [{ find: 'merging.records.push(record);', replace: 'merging.records.unshift(record);' }],
  },
  {
    name: 'checkpoint-before-all-central-partitions',
    mode: 'honest',
    file: 'src/forwarder/flush/partition-flush.ts',
    edits: [
      {
        find: 'for (const to of this.#merging.keys()) {',
        replace: 'for (const to of this.#merging.keys().take(1)) {',
      },
    ],
  },
  {
    name: 'checkpoint-before-the-data-without-transactions',
    mode: 'plain',
    file: atLeastOnce,
    edits: [
      {
        find: '    for (const round of roundsOf(',
        replace: '    await this.#cluster.append(this.#checkpoints);\n    for (const round of roundsOf(',
      },
    ],
  },
  {
    name: 'second-batch-sent-though-the-first-is-refused',
    mode: 'plain',
    file: atLeastOnce,
    edits: [
      {
        find: 'if (failure !== null) return failure.objections',
        replace:
          "if (failure?.kind === 'refused') continue;\n      if (failure !== null) return failure.objections",
      },
    ],
  },
  {
    name: 'refused-offsets-of-a-central-partition-counted-on',
    mode: 'refusing',
    file: 'src/forwarder/flush/partition-flush.ts',
    edits: [
      {
        find: 'isDense ? null : records.map(({ offset }) => offset)',
        replace: 'isDense ? null : records.map((_, index) => first.offset + index)',
      },
    ],
  },
];
