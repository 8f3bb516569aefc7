/** One record as somebody outside was told of it. */
export interface Told {
  readonly value: string;
  /** The life that wrote it, as `lives` says; undefined if its name is lost. */
  readonly life: string | undefined;
  readonly how: 'acknowledged' | 'served';
}

export const placeOf = (topic: string, partition: number, offset: number): string =>
  `${topic}-${partition}@${offset}`;

/**
 * What somebody outside was told about each offset: by an acknowledgement, or by having read it. On an honest disk
 * nothing of that may ever change. On one that lies or rots the promise is weaker: what was told may be missing, but
 * never becomes something else without another life saying so (that is what the mirror's checkpoint relies on).
 */
export class Oracle {
  readonly #mayLose: boolean;
  #told = new Map<string, Told>();
  #sent = new Set<string>();
  /** Since the last check. */
  #journalIsLost = false;
  /** Ever: then the disk is honest otherwise, and nothing else may be lost. */
  #hasLostJournal = false;
  /** Places whose records somebody wanted to be removed; with true, and was told that they are. */
  #removed = new Map<string, boolean>();
  /** Every value that was ever told of a place. */
  #everTold = new Map<string, ReadonlySet<string>>();
  /** Lives that were told of. */
  #lives = new Set<string | undefined>();
  /** The life as which the records of another one are told now. */
  #renamed = new Map<string, string | undefined>();

  /** `mayLose`: on such a disk what was told may be missing. */
  constructor(mayLose: boolean) {
    this.#mayLose = mayLose;
  }

  /** For another course of events from here on. */
  fork(): Oracle {
    const fork = new Oracle(this.#mayLose);
    fork.#told = new Map(this.#told);
    fork.#sent = this.#sent;
    fork.#journalIsLost = this.#journalIsLost;
    fork.#hasLostJournal = this.#hasLostJournal;
    fork.#removed = new Map(this.#removed);
    fork.#everTold = new Map(this.#everTold);
    fork.#lives = new Set(this.#lives);
    fork.#renamed = new Map(this.#renamed);
    return fork;
  }

  /** What was told of the topic so far may be gone, or not. */
  mayRemove(topic: string): void {
    for (const at of this.#placesOf(topic)) if (!this.#removed.has(at)) this.#removed.set(at, false);
  }

  /** What was told of the topic so far is gone for ever. */
  isRemoved(topic: string): void {
    for (const at of this.#placesOf(topic)) this.#removed.set(at, true);
  }

  /**
   * The journal is lost, or the end of it: whatever is still there at the next check has to be what it was, but the names of
   * lives are gone, and so may be records with their offsets.
   */
  loseJournal(): void {
    this.#journalIsLost = true;
    this.#hasLostJournal = true;
    for (const [at, told] of this.#told) this.#told.set(at, { ...told, life: undefined });
  }

  /** A value is going to be appended; each one only once. */
  sends(value: string): void {
    this.#sent.add(value);
  }

  /** Somebody is told. Returns what is wrong with that, if anything. */
  tell(at: string, told: Told): string | undefined {
    const wrong = this.#tell(at, told);
    this.#lives.add(told.life);
    const values = this.#everTold.get(at);
    if (!values?.has(told.value)) this.#everTold.set(at, new Set([...(values ?? []), told.value]));
    return wrong;
  }

  #tell(at: string, { value, life, how }: Told): string | undefined {
    if (!this.#sent.has(value)) return `${at} holds what nobody has sent`;
    const told = this.#told.get(at);
    this.#told.set(at, { value, life, how });
    if (told === undefined) return undefined;
    if (told.value === value)
      return told.life === undefined || this.#isOfLife(told.life, life)
        ? undefined
        : `${at} was ${told.how} as of another life than now`;
    if (this.#mayLose && told.life !== undefined && told.life !== life) return undefined;
    // With the journals that knew of it, the removal of a file is lost, and its name comes back with what had these places before.
    if (this.#hasLostJournal && told.life === undefined && this.#everTold.get(at)?.has(value))
      return undefined;
    return `${at} was ${told.how} with another content than now`;
  }

  /**
   * After a recovery: `found` is everything that can be read, `ledger` what the log says it has dropped. Returns what is
   * lost and what is wrong with it.
   */
  check(found: ReadonlyMap<string, string>, ledger: readonly string[]): { lost?: string; wrong?: string } {
    const twice = found.size - new Set(found.values()).size;
    if (twice > 0) return { wrong: `${twice} records are there twice` };
    if (this.#journalIsLost) for (const at of this.#told.keys()) if (!found.has(at)) this.#told.delete(at);
    const isStrict = !this.#mayLose || (this.#hasLostJournal && !this.#journalIsLost);
    this.#journalIsLost = false;
    if (!isStrict) return {};
    const dropped = new Set(ledger);
    for (const [at, { how }] of this.#told)
      if (!found.has(at) && !this.#removed.has(at) && !dropped.has(at))
        return { lost: `${how} ${at} is lost` };
    // A lost journal takes ledger and removals along, and other records get the offsets.
    if (this.#hasLostJournal) return {};
    if (dropped.size < ledger.length) return { wrong: 'the ledger names an offset twice' };
    for (const at of dropped) if (found.has(at)) return { wrong: `${at} is in the ledger, and is there` };
    for (const [at, isTold] of this.#removed)
      if (isTold && found.has(at)) return { wrong: `${at} was removed and is there again` };
    return {};
  }

  #placesOf(topic: string): readonly string[] {
    return [...this.#told.keys()].filter((at) => at.startsWith(`${topic}-`));
  }

  /**
   * Where the newest headers are lost, because bits flip or a disk lies, the journal may lose the name of a life. What segments
   * hold of it is then of a life that nobody has heard of before: so nothing is taken for what it may not be.
   */
  #isOfLife(before: string, now: string | undefined): boolean {
    if (before === now) return true;
    if (!this.#mayLose) return false;
    const isNamed = now !== undefined && /^[0-9a-f]{32}$/.test(now);
    const isNew = isNamed && !this.#lives.has(now) && !this.#renamed.has(before);
    if (isNew) this.#renamed.set(before, now);
    return this.#renamed.get(before) === now;
  }
}
