import type { Forwarding, MirroredLog } from '../../log/types.ts';
import { copyMemo } from '../cluster/names.ts';
import type { TopicMapping } from '../cluster/topic-mapping.ts';
import { type CheckpointCopy, decodeCopy } from './checkpoint.ts';
import type { Parsed } from './stored-json.ts';

/** What a running mirror knows of one partition, once the cluster has told it; null before. */
export interface MirrorStanding {
  standing(
    topic: string,
    partition: number,
  ): { readonly confirmed: number; readonly undecided: number } | null;
}

/**
 * Answers the log's questions about the mirror from the moment on when the log is open, long before there is a link:
 * first by what the journal remembers, later by what the running mirror knows. Where nothing is known, everything may
 * have been sent and nothing has arrived. Answers are good for one moment: ask again just before a commit is planned.
 */
export class MirrorForwarding implements Forwarding {
  readonly #mapping: TopicMapping;
  #memos: MirroredLog['memos'] | null = null;
  #mirror: MirrorStanding | null = null;

  constructor(mapping: TopicMapping) {
    this.#mapping = mapping;
  }

  /** From here on what this log remembers counts. */
  remember(log: Pick<MirroredLog, 'memos'>): void {
    this.#memos = () => log.memos();
  }

  /** From here on what this mirror knows counts. */
  follow(mirror: MirrorStanding): void {
    this.#mirror = mirror;
  }

  isMirrored(topic: string): boolean {
    return this.#mapping.isMirrored(topic);
  }

  confirmedOffset(topic: string, partition: number): number {
    const known = this.#mirror?.standing(topic, partition)?.confirmed;
    if (known !== undefined) return known;
    const copy = this.#copyOf(topic, partition);
    return copy.ok ? (copy.value?.nextOffset ?? 0) : 0;
  }

  undecidedOffset(topic: string, partition: number): number {
    const known = this.#mirror?.standing(topic, partition)?.undecided;
    if (known !== undefined) return known;
    const copy = this.#copyOf(topic, partition);
    // It was written by a later release.
    if (!copy.ok) return Number.MAX_SAFE_INTEGER;
    return copy.value?.sendingTo ?? copy.value?.nextOffset ?? 0;
  }

  #copyOf(topic: string, partition: number): Parsed<CheckpointCopy | null> {
    if (this.#memos === null) return { ok: false, reason: 'the log is not open' };
    const bytes = this.#memos().get(copyMemo(topic, partition));
    return bytes === undefined ? { ok: true, value: null } : decodeCopy(bytes);
  }
}
