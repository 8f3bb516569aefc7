import { type Entry, sealedOffsetEntry } from './entries.ts';
import type { LogState } from './state.ts';

/** What makes a commit without changing anything: one thing of the state, as it is. Nothing if there is no topic yet. */
export const sayAgain = (state: LogState): readonly Entry[] =>
  state
    .partitions()
    .slice(0, 1)
    .map(({ id, sealedOffset }) => sealedOffsetEntry({ id, sealedOffset }));
