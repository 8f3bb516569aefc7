import type { StoredRecord } from '../../src/core/record.ts';
import type { History } from '../../src/ingest/mqtt/sessions/catch-up.ts';
import type {
  Changes,
  Positions,
  SessionStore,
  StoreChanges,
  StoreContent,
} from '../../src/ingest/mqtt/sessions/session-store.ts';

type Table = Map<string | number, object>;

/** A session store in memory, which several runs can use, one after the other; it can be held up, and fail. */
export class MemorySessionStore implements SessionStore {
  readonly #tables: Readonly<Record<'sessions' | 'queued' | 'retained' | 'wills', Table>> = {
    sessions: new Map(),
    queued: new Map(),
    retained: new Map(),
    wills: new Map(),
  };
  #positions: Positions | null = null;
  #isNew = true;
  failWith: Error | null = null;
  /** What is being written waits for it. */
  held: Promise<void> | null = null;
  writes = 0;
  /** Rows that were written or removed. */
  rows = 0;

  load(): Promise<StoreContent> {
    const rows = (table: Table): never => structuredClone([...table.values()]) as never;
    const { sessions, queued, retained, wills } = this.#tables;
    return Promise.resolve({
      sessions: rows(sessions),
      queued: rows(queued),
      retained: rows(retained),
      wills: rows(wills),
      positions: this.#isNew ? 'none' : (this.#positions ?? 'lost'),
    });
  }

  begin(): void {
    this.#isNew = false;
  }

  async write(changes: StoreChanges): Promise<void> {
    // As a message to another thread would be.
    const { isWhole, sessions, queued, handshakes, retained, wills, positions } = structuredClone(changes);
    await this.held;
    if (this.failWith !== null) throw this.failWith;
    this.writes += 1;
    this.#isNew = false;
    if (isWhole) for (const table of Object.values(this.#tables)) table.clear();
    this.#apply(this.#tables.sessions, sessions, ({ client }) => client);
    this.#apply(this.#tables.queued, queued, ({ number }) => number);
    this.#apply(this.#tables.retained, retained, ({ topic }) => topic);
    this.#apply(this.#tables.wills, wills, ({ client }) => client);
    for (const handshake of handshakes) {
      this.rows += 1;
      Object.assign(this.#tables.queued.get(handshake.number) ?? {}, handshake);
    }
    this.#positions = positions;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #apply<Key extends string | number, Row extends object>(
    table: Table,
    { put, remove }: Changes<Key, Row>,
    keyOf: (row: Row) => Key,
  ): void {
    this.rows += put.length + remove.length;
    for (const key of remove) table.delete(key);
    for (const row of put) table.set(keyOf(row), row);
  }
}

/** A log of which nothing is ever read back. */
export const noHistory: History = {
  ends: () => ({}),
  farBack: () => 0,
  async *read(): AsyncGenerator<readonly StoredRecord[]> {},
};
