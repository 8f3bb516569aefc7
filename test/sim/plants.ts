/** A bug to be planted into the product: each `find`, which stands once in its file, becomes its `replace`. */
export interface Plant {
  readonly name: string;
  /** A seed soon before the first one that is known to find it, if that is far; the search goes on from there. */
  readonly fromSeed?: number;
  /** Path from the root of the repository. */
  readonly file: string;
  /** The kind of disk, or mode of the mirror search, in which the bug shows often enough for a short search; by default all. */
  readonly mode?: string;
  /** An edit of another file than the plant's names it. */
  readonly edits: readonly { readonly find: string; readonly replace: string; readonly file?: string }[];
}

const log = 'src/log/log.ts';
const journal = 'src/log/journal/journal.ts';
const files = 'src/log/journal/journal-files.ts';
const recovery = 'src/log/recovery.ts';
const upkeep = 'src/log/upkeep.ts';
const reader = 'src/log/segments/segment-reader.ts';
const writer = 'src/log/segments/segment-writer.ts';

const sync = 'await this.#handle.sync();';
const apply = 'for (const entry of entries) this.state.apply(entry, life, version);';
const firstCommit = 'firstCommit: last?.frame.commitNumber ?? newest?.header.firstCommit ?? 1,';
const copiedLife = 'copiedLife: last && newest && lifeOfFrame(newest.header, last.frame),';
const survived = 'if (this.#journal.lastCommit < commitNumber) {';
const writeFirst =
  'await handle.writeAt(Buffer.concat([headerBytes, frameBytes]), 0);\n    await handle.sync();';
const thenName = 'await env.disk.rename(takenPath, path);\n    await env.disk.syncFolder(journalFolder);';
const takeSpare = 'await env.disk.rename(sparePath, takenPath);\n  await env.disk.syncFolder(journalFolder);';
const saltUnchecked = {
  file: 'src/log/journal/frame.ts',
  find: 'if (!bytes.subarray(8, 16).equals(salt)) return 0;',
  replace: '',
};
const numberUnchecked = {
  file: 'src/log/journal/scan.ts',
  find: 'frame === undefined || frame.commitNumber < this.#expected ||',
  replace: 'frame === undefined ||',
};

/*
 * The bugs that the crash search must catch. The product itself has no switch for any of them.
 *
 * One looser version of the rules is not here: a first commit number that cuts the predecessor only. It differs from
 * the rule only once a file has left from between two others, and files leave the journal oldest first.
 */
export const plants: readonly Plant[] = [
  // Commit
  {
    name: 'acknowledged-before-the-sync',
    file: journal,
    edits: [{ find: sync, replace: 'this.#handle.sync().catch(() => {});' }],
  },
  {
    name: 'failed-sync-repeated',
    file: journal,
    edits: [{ find: sync, replace: 'await this.#handle.sync().catch(() => this.#handle.sync());' }],
  },
  {
    name: 'frame-applied-before-the-sync',
    file: journal,
    edits: [
      { find: apply, replace: '' },
      { find: sync, replace: `${apply} ${sync}` },
    ],
  },
  {
    name: 'offset-reused',
    file: 'src/log/state/state.ts',
    edits: [
      { find: 'partition.nextOffset = lastOffset + 1;', replace: 'partition.nextOffset = lastOffset;' },
    ],
  },
  {
    name: 'lost-commit-acknowledged',
    mode: 'failing',
    file: log,
    edits: [{ find: survived, replace: 'if (false) {' }],
  },
  {
    name: 'commit-repeated-that-survived',
    mode: 'failing',
    file: log,
    edits: [{ find: survived, replace: 'if (true) {' }],
  },
  {
    name: 'recovery-tried-only-once',
    fromSeed: 150,
    file: log,
    edits: [{ find: 'await this.#env.clock.sleep(backoffMs, this.#closing.signal);', replace: 'return;' }],
  },
  // Next file
  {
    name: 'next-header-before-the-last-sync',
    file: journal,
    edits: [
      { find: apply, replace: '' },
      {
        find: sync,
        replace: `const [file, handle, at] = [this.#file, this.#handle, this.#position];
          ${apply}
          this.#position += bytes.length;
          this.#lastCommit += 1;
          if (this.#position + bytes.length > this.#env.fileBytes) await this.#roll();
          await handle.sync();`,
      },
      {
        find: 'const place = { position: this.#position,',
        replace: 'const place = { position: at,',
      },
      {
        find: 'this.#file.index?.add(place, batches);',
        replace: 'file.index?.add(place, batches);',
      },
      { find: 'this.#position += bytes.length;\n    this.#lastCommit += 1;', replace: '' },
    ],
  },
  {
    name: 'new-file-visible-before-it-is-complete',
    file: files,
    edits: [{ find: writeFirst, replace: writeFirst.replace('await handle.sync();', '') }],
  },
  {
    name: 'folder-not-synced-after-the-rename',
    file: files,
    edits: [{ find: thenName, replace: 'await env.disk.rename(takenPath, path);' }],
  },
  {
    name: 'failed-attempt-leaves-its-file-among-the-spares',
    fromSeed: 560,
    mode: 'late',
    file: files,
    edits: [
      { find: takeSpare, replace: 'const takenPath = sparePath;' },
      { find: 'await env.disk.remove(takenPath).catch(() => {});', replace: '' },
    ],
  },
  {
    name: 'spare-written-to-under-its-own-name',
    fromSeed: 780,
    mode: 'late',
    file: files,
    edits: [{ find: takeSpare, replace: 'const takenPath = sparePath;' }],
  },
  // Recovery
  {
    name: 'uncertain-last-frame-served-without-a-copy',
    file: recovery,
    edits: [
      {
        find: firstCommit,
        replace: 'firstCommit: last ? last.frame.commitNumber + 1 : (newest?.header.firstCommit ?? 1),',
      },
      { find: copiedLife, replace: 'copiedLife: undefined,' },
      { find: 'snapshot: before,', replace: 'snapshot: state.snapshot(),' },
      { find: '[...copies, ...adoptions]);', replace: 'adoptions);' },
      { find: 'indexOfCopy(open, last);', replace: 'indexOfCopy(open, undefined);' },
    ],
  },
  {
    name: 'copy-not-copied-again',
    fromSeed: 2900,
    mode: 'forgetful',
    file: recovery,
    edits: [
      {
        find: 'const { state, before, last } = replayed;',
        replace: `const copy = replayed.last?.frame.lifeOrdinal === newest?.header.copiedLife?.ordinal && replayed.last;
          const { state } = replayed;
          const { before, last } = copy ? { before: state.snapshot(), last: undefined } : replayed;`,
      },
      {
        find: firstCommit,
        replace: `${firstCommit} ...(copy && { firstCommit: copy.frame.commitNumber + 1 }),`,
      },
    ],
  },
  {
    name: 'cut-valid-without-its-copy',
    file: files,
    edits: [
      { find: writeFirst, replace: 'await handle.writeAt(headerBytes, 0); await handle.sync();' },
      {
        find: thenName,
        replace: `${thenName} await handle.writeAt(frameBytes, headerBytes.length); await handle.sync();`,
      },
    ],
  },
  {
    name: 'served-before-the-copy-is-durable',
    file: files,
    edits: [
      { find: writeFirst, replace: writeFirst.replace('await handle.sync();', '') },
      {
        find: thenName,
        replace: `await env.disk.rename(takenPath, path);
          handle.sync().then(() => env.disk.syncFolder(journalFolder)).catch(() => {});`,
      },
    ],
  },
  {
    name: 'snapshot-includes-the-copied-frame',
    file: recovery,
    edits: [{ find: 'snapshot: before,', replace: 'snapshot: state.snapshot(),' }],
  },
  {
    name: 'new-life-starts-before-the-copy',
    file: recovery,
    edits: [
      { find: copiedLife, replace: 'copiedLife: undefined,' },
      {
        find: '[...copies, ...adoptions]);',
        replace: 'copies.map((frame) => ({ ...frame, lifeOrdinal: header.life.ordinal })));',
      },
    ],
  },
  {
    name: 'commit-number-of-the-copy-used-again',
    file: recovery,
    edits: [
      {
        find: 'const lastCommit = last?.frame.commitNumber ?? header.firstCommit - 1;',
        replace: 'const lastCommit = header.firstCommit - 1;',
      },
    ],
  },
  {
    name: 'same-life-after-a-recovery',
    fromSeed: 260,
    mode: 'lying',
    file: recovery,
    edits: [
      {
        find: 'lifeId: randomHex(env, 16),',
        replace: 'lifeId: newest?.header.life.lifeId ?? randomHex(env, 16),',
      },
    ],
  },
  {
    name: 'damaged-header-refuses-the-start',
    mode: 'damaged',
    file: files,
    edits: [{ find: 'await quarantine(env, name);', replace: 'throw new Error(name);' }],
  },
  // Which frames count
  {
    name: 'checksum-of-a-frame-not-checked',
    mode: 'damaged',
    file: 'src/log/journal/frame.ts',
    edits: [
      {
        find: 'if (bytes.readUInt32BE(4) !== crc32c(bytes.subarray(8, end))) return undefined;',
        replace: '',
      },
    ],
  },
  {
    name: 'first-commit-number-ignored-for-older-files',
    mode: 'failing',
    file: files,
    edits: [
      { find: 'file.endCommit = endCommit;', replace: '' },
      {
        file: recovery,
        find: 'for (const file of files) file.endCommit = Math.min(file.endCommit, header.firstCommit);',
        replace: '',
      },
    ],
  },
  {
    name: 'neither-salt-nor-commit-number-checked',
    file: files,
    edits: [saltUnchecked, numberUnchecked],
  },
  // Segments
  {
    name: 'file-recycled-before-the-catalog-is-durable',
    file: upkeep,
    edits: [
      {
        find: 'let isEntered = false;',
        replace: `let isEntered = false;
          for (const { key, endOffset } of job.partitions) {
            const marks = journal.files.at(-1).marks;
            marks.set(key, { ...marks.get(key), sealedOffset: endOffset });
          }
          await journal.recycle();`,
      },
    ],
  },
  {
    name: 'segment-entered-before-its-sync',
    file: writer,
    edits: [{ find: 'if (file.unsyncedBytes > 0) {', replace: 'if (false) {' }],
  },
  {
    name: 'segment-entered-before-its-name-is-durable',
    file: writer,
    edits: [{ find: 'if (this.#createdFile) {', replace: 'if (false) {' }],
  },
  {
    name: 'sealing-planned-with-a-journal-that-failed',
    fromSeed: 2174,
    mode: 'busy',
    file: upkeep,
    edits: [
      {
        find: 'for (let more = true; more && !this.#stopping.signal.aborted; ) {\n      const { journal } = this.#log;',
        replace:
          'const { journal } = this.#log;\n    for (let more = true; more && !this.#stopping.signal.aborted; ) {',
      },
      { find: 'if (!journal.isUsable) return;', replace: '' },
    ],
  },
  {
    name: 'file-with-an-undecided-write-recycled',
    fromSeed: 703,
    mode: 'busy',
    file: journal,
    edits: [
      {
        find: 'const isClean = oldest.header.life.lifeId === successor.header.life.lifeId;',
        replace: 'const isClean = true;',
      },
    ],
  },
  {
    name: 'checksum-of-a-segment-batch-not-checked',
    mode: 'damaged',
    file: reader,
    edits: [{ find: ' && isIntactBatch(batch);', replace: ';' }],
  },
  {
    name: 'offsets-of-a-deleted-topic-used-again',
    file: 'src/log/commits/topic-plan.ts',
    edits: [{ find: ' ?? this.#state.topicNumber(name) ?? ', replace: ' ?? ' }],
  },
  {
    name: 'records-of-a-deleted-topic-come-back',
    file: 'src/log/state/state.ts',
    edits: [
      {
        find: 'if (partition.id.topicNumber === topicNumber) this.#moveLogStart(partition, partition.nextOffset);',
        replace: '{}',
      },
    ],
  },
  // Retention
  {
    name: 'ledger-written-in-a-commit-of-its-own',
    mode: 'sealing',
    file: upkeep,
    edits: [
      {
        find: 'return { entries: planned.entries, records: losses.map((loss) => gapRecord(loss, nowMs)) };',
        replace: 'return { entries: planned.entries, records: [] };',
      },
      {
        find: 'for (const loss of losses) this.#tellLoss(loss);',
        replace: `const rows = losses.map((loss) => gapRecord(loss, 0));
          if (rows.length > 0) await this.#log.commit(() => ({ entries: [], records: rows }), 1000);`,
      },
    ],
  },
  {
    name: 'segments-removed-before-the-commit-that-says-so',
    file: upkeep,
    edits: [
      {
        find: 'if (removals.length === 0) return;',
        replace: `if (removals.length === 0) return;
          for (const { partition, logStartOffset } of removals)
            for (const segment of partition.segments.filter(({ endOffset }) => endOffset <= logStartOffset))
              await this.#env.disk.remove(
                \`topics/\${partition.topic}-\${partition.id.partition}/\${String(segment.baseOffset).padStart(20, '0')}.log\`,
              );`,
      },
    ],
  },
  // Segments taken over
  {
    name: 'segments-taken-over-in-memory-alone',
    mode: 'beheaded',
    file: recovery,
    edits: [{ find: '[...copies, ...adoptions]);', replace: 'copies);' }],
  },
  // Exactly once
  {
    name: 'qos2-id-in-a-commit-of-its-own',
    file: log,
    edits: [
      {
        find: 'this.#tail.add(await this.#journal.commit(plan.entries));',
        replace: `const isId = (entry) => entry.kind === 3;
        this.#tail.add(await this.#journal.commit(plan.entries.filter((entry) => !isId(entry))));
        if (plan.entries.some(isId)) await this.#journal.commit(plan.entries.filter(isId));`,
      },
    ],
  },
  {
    name: 'qos2-release-acknowledged-before-it-is-durable',
    fromSeed: 145,
    file: 'src/log/commits/qos2-requests.ts',
    edits: [
      {
        find: "await this.#log.push({ kind: 'release', id }, limits.qos2RequestBytesMax);",
        replace: "void this.#log.push({ kind: 'release', id }, limits.qos2RequestBytesMax).catch(() => {});",
      },
    ],
  },
];

/** The kinds of disk that keep what they said was durable. */
const honestModes = ['honest', 'failing', 'late', 'forgetful', 'full'];

/**
 * Not bugs: with old frames in recycled files, salt and commit number each alone are enough on a disk that keeps its word.
 * On one that lies or rots, a frame that is gone lets an old one show through, and both are needed.
 */
export const harmlessPlants: readonly Plant[] = honestModes.flatMap((mode) => [
  { name: `salt-checked-alone-${mode}`, file: files, mode, edits: [numberUnchecked] },
  {
    name: `commit-number-checked-alone-${mode}`,
    file: files,
    mode,
    edits: [saltUnchecked],
  },
]);
