import { assert, isOperatingError } from '../../core/errors.ts';
import type { LedgerRange, MirroredLog, PartitionInfo } from '../../log/types.ts';
import { accountMemo, asideMemo, copyMemo, identityMemo, isPartitionMemo } from '../cluster/names.ts';
import type { Failure } from '../cluster/target.ts';
import { type CheckpointCopy, decodeCopy, encodeCopy } from './checkpoint.ts';
import { type Doubt, type DoubtfulRange, doubtfulOnNewBoard } from './doubtful.ts';
import { decodeIdentity, encodeIdentity, type Identity, identityOn, mint } from './identity.ts';
import type { MirrorCommand, PartitionCopy } from './mirror-steps.ts';
import { type Aside, type AsideRange, decodeAsides, encodeAsides, isTold } from './objections.ts';
import type { Parsed } from './stored-json.ts';

/** What the mirror itself has to know after a crash. It lives in the journal, so it is as durable as the records. */
export class MirrorMemory {
  readonly #log: MirroredLog;
  readonly #board: string | null;
  #identity: Identity | null = null;
  /** Of copies as they are stored: they are asked for with every commit of the log. */
  readonly #offsets = new WeakMap<Uint8Array, number>();

  constructor(log: MirroredLog, board: string | null) {
    this.#log = log;
    this.#board = board;
  }

  /** Who we are; null before {@link settleIdentity} has succeeded. */
  get identity(): Identity | null {
    return this.#identity;
  }

  /** Finds out who we are on this board, and makes it durable, with what of the mirrored partitions may arrive twice by that. */
  async settleIdentity(
    mirrored: readonly PartitionInfo[],
  ): Promise<{ readonly failure: Failure | null; readonly isMinted: boolean }> {
    if (this.#identity !== null) return { failure: null, isMinted: false };
    const stored = this.#read(identityMemo, decodeIdentity);
    if (!stored.ok) return { failure: unreadable(identityMemo, stored.reason), isMinted: false };
    const identity = identityOn(this.#board, stored.value, this.#log.logId);
    if (identity === stored.value) this.#identity = identity;
    const isMinted = stored.value !== null && identity.logId !== stored.value.logId;
    const offsetOf = this.offsetOf.bind(this);
    const doubtful = isMinted ? doubtfulOnNewBoard(mirrored, offsetOf) : [];
    const failure = this.#identity === null ? await this.#saveIdentity(identity, doubtful) : null;
    return { failure, isMinted };
  }

  /** Takes a new identity, derived from a life that somebody else has written, and makes it durable, with what may arrive twice by that. */
  mint(life: string, doubtful: readonly DoubtfulRange[]): Promise<Failure | null> {
    assert(this.#identity !== null, 'the identity is settled before anything is asked of the cluster');
    return this.#saveIdentity(mint(this.#identity, life), doubtful);
  }

  /** What is remembered of a partition; null if nothing. */
  copyOf(topic: string, partition: number): Parsed<CheckpointCopy | null> {
    return this.#read(copyMemo(topic, partition), decodeCopy);
  }

  /** The next offset to send as far as is remembered; 0 if nothing is. */
  offsetOf(topic: string, partition: number): number {
    const bytes = this.#log.memos().get(copyMemo(topic, partition));
    if (bytes === undefined) return 0;
    const known = this.#offsets.get(bytes);
    if (known !== undefined) return known;
    const copy = this.copyOf(topic, partition);
    const offset = copy.ok ? (copy.value?.nextOffset ?? 0) : 0;
    this.#offsets.set(bytes, offset);
    return offset;
  }

  /**
   * Makes the copies durable, all or none, and forgets those of topics that are gone: one created again under such a name
   * begins behind all that the copy spoke of. With them the account of the link, if there is one.
   */
  remember(copies: readonly PartitionCopy[], account: Uint8Array | null): Promise<Failure | null> {
    const there = new Set(
      this.#log
        .partitions()
        .flatMap(({ topic, partition }) => [copyMemo(topic, partition), asideMemo(topic, partition)]),
    );
    const rows = copies.map((copy) => [copyMemo(copy.topic, copy.partition), encodeCopy(copy)] as const);
    const forgotten = [...this.#log.memos().keys()].filter((key) => isPartitionMemo(key) && !there.has(key));
    const memos = new Map([
      ...rows.filter(([key]) => there.has(key)),
      ...forgotten.map((key) => [key, new Uint8Array()] as const),
      ...(account === null ? [] : [[accountMemo, account] as const]),
    ]);
    return this.#save(() => this.#log.saveMemos(memos));
  }

  /** The account of the link, as it was stored last; null if there is none. */
  account(): Uint8Array | null {
    return this.#log.memos().get(accountMemo) ?? null;
  }

  /** Makes the account of the link durable. */
  saveAccount(account: Uint8Array): Promise<Failure | null> {
    return this.#save(() => this.#log.saveMemos(new Map([[accountMemo, account]])));
  }

  /** What of a partition is passed without being sent. */
  asidesOf(topic: string, partition: number): Parsed<readonly Aside[]> {
    const asides = this.#read(asideMemo(topic, partition), (bytes) => decodeAsides(bytes, topic, partition));
    return asides.ok ? { ok: true, value: asides.value ?? [] } : asides;
  }

  /** Makes it durable that these are passed as well as those known before, and told in the loss ledger. */
  setAside(known: readonly Aside[], ranges: readonly AsideRange[]): Promise<Failure | null> {
    const byMemo = Map.groupBy([...known, ...ranges], ({ topic, partition }) => asideMemo(topic, partition));
    const memos = new Map([...byMemo].map(([key, asides]) => [key, encodeAsides(asides)] as const));
    const rows = ranges.filter(isTold).map(
      ({ fromOffset, nextOffset, ...range }): LedgerRange => ({
        ...range,
        firstOffset: fromOffset,
        endOffset: nextOffset,
        reason: 'refused',
      }),
    );
    return this.#save(() => this.#log.enterInLedger(rows, memos));
  }

  /** Tells in the loss ledger what may arrive twice because the checkpoint is lost, and makes the copies durable, in one commit. */
  tell({ doubtful, copies }: Extract<MirrorCommand, { readonly type: 'tell' }>): Promise<Failure | null> {
    const memos = new Map(copies.map((copy) => [copyMemo(copy.topic, copy.partition), encodeCopy(copy)]));
    return this.#save(() => this.#log.enterInLedger(doubtfulRows(doubtful, 'checkpoint-lost'), memos));
  }

  #read<Value>(key: string, decode: (bytes: Uint8Array) => Parsed<Value>): Parsed<Value | null> {
    const bytes = this.#log.memos().get(key);
    return bytes === undefined ? { ok: true, value: null } : decode(bytes);
  }

  async #saveIdentity(identity: Identity, doubtful: readonly DoubtfulRange[]): Promise<Failure | null> {
    const memos = new Map([[identityMemo, encodeIdentity(identity)]]);
    const rows = doubtfulRows(doubtful, 'new-identity');
    const failure = await this.#save(() => this.#log.enterInLedger(rows, memos));
    if (failure === null) this.#identity = identity;
    return failure;
  }

  async #save(save: () => Promise<void>): Promise<Failure | null> {
    try {
      await save();
      return null;
    } catch (error) {
      if (!isOperatingError(error)) throw error;
      const message = `the mirror waits, because it cannot note where it stands: ${error.message}`;
      return { kind: 'refused', message };
    }
  }
}

const doubtfulRows = (doubtful: readonly DoubtfulRange[], cause: Doubt): readonly LedgerRange[] =>
  doubtful.map(({ topic, partition, fromOffset, nextOffset }) => ({
    topic,
    partition,
    firstOffset: fromOffset,
    endOffset: nextOffset,
    reason: 'possible-duplicate',
    cause,
  }));

/** What the mirror kept under this key is from a release that wrote it otherwise. */
export const unreadable = (key: string, reason: string): Failure => ({
  kind: 'refused',
  message:
    `what the mirror kept in the journal under ${key} cannot be read: ${reason}. Nothing is sent, so that no ` +
    'reading is skipped or doubled. Start the release that wrote it, or a later one',
});
