/** A bug to be planted into a source file: each `find`, which stands there once, becomes its `replace`. */
export interface Plant {
  readonly name: string;
  /** Path from the root of the repository. */
  readonly file: string;
  readonly edits: readonly { readonly find: string; readonly replace: string }[];
}

/** The bugs that the crash search must catch. The product itself has no switch for any of them. */
export const plants: readonly Plant[] = [
  {
    name: 'acknowledged-before-the-sync',
    file: 'src/log/journal.ts',
    edits: [{ find: 'await this.#handle.sync();', replace: 'this.#handle.sync().catch(() => {});' }],
  },
  {
    name: 'uncertain-last-frame-served-without-a-copy',
    file: 'src/log/recovery.ts',
    edits: [
      {
        find: 'firstCommit: last?.frame.commitNumber ?? newest?.header.firstCommit ?? 1,',
        replace: 'firstCommit: last ? last.frame.commitNumber + 1 : (newest?.header.firstCommit ?? 1),',
      },
      {
        find: 'copiedLife: last && newest && lifeOfFrame(newest.header, last.frame),',
        replace: 'copiedLife: undefined,',
      },
      { find: 'snapshot: before,', replace: 'snapshot: state.snapshot(),' },
      { find: 'header, last?.frame);', replace: 'header, undefined);' },
      { find: 'indexOfCopy(open, last);', replace: 'indexOfCopy(open, undefined);' },
    ],
  },
  {
    name: 'new-file-visible-before-it-is-complete',
    file: 'src/log/journal-files.ts',
    edits: [
      {
        find: 'await handle.writeAt(Buffer.concat([headerBytes, frameBytes]), 0);\n    await handle.sync();',
        replace: 'await handle.writeAt(Buffer.concat([headerBytes, frameBytes]), 0);',
      },
    ],
  },
  {
    name: 'folder-not-synced-after-the-rename',
    file: 'src/log/journal-files.ts',
    edits: [
      {
        find: 'await env.disk.rename(sparePath, path);\n    await env.disk.syncFolder(journalFolder);',
        replace: 'await env.disk.rename(sparePath, path);',
      },
    ],
  },
  {
    name: 'failed-sync-repeated',
    file: 'src/log/journal.ts',
    edits: [
      {
        find: 'await this.#handle.sync();',
        replace: 'await this.#handle.sync().catch(() => this.#handle.sync());',
      },
    ],
  },
];
