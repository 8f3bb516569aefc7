import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { messageOf } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type {
  StoreChanges,
  StoreContent,
  StoredMessage,
  StoredRetained,
  StoredSession,
  StoredWill,
} from '../../ingest/mqtt/sessions/session-store.ts';
import { nothingKept, type Positions } from '../../ingest/mqtt/sessions/session-store.ts';
import { isSqliteDamage, openSqlite, type SqliteDatabase } from '../../platform/sqlite.ts';

const FORMAT = 1;

/** SQLite's files, by the ends of their names. */
const ends = ['', '-wal', '-shm'] as const;

const schema = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
  CREATE TABLE session (client TEXT PRIMARY KEY, awayMs INTEGER, subscriptions TEXT) WITHOUT ROWID;
  CREATE TABLE queued (number INTEGER PRIMARY KEY, client TEXT, topic TEXT, qos INTEGER, messageId INTEGER,
    isReleased INTEGER, payload BLOB);
  CREATE TABLE retained (topic TEXT PRIMARY KEY, qos INTEGER, payload BLOB);
  CREATE TABLE will (client TEXT PRIMARY KEY, user TEXT, topic TEXT, qos INTEGER, retain INTEGER, keepAliveMs REAL,
    payload BLOB);
  INSERT INTO meta VALUES ('format', '${FORMAT}');
`;

const puts = {
  session: 'INSERT OR REPLACE INTO session VALUES (@client, @awayMs, @subscriptions)',
  queued:
    'INSERT OR REPLACE INTO queued VALUES (@number, @client, @topic, @qos, @messageId, @isReleased, @payload)',
  handshake: 'UPDATE queued SET messageId = @messageId, isReleased = @isReleased WHERE number = @number',
  retained: 'INSERT OR REPLACE INTO retained VALUES (@topic, @qos, @payload)',
  will: 'INSERT OR REPLACE INTO will VALUES (@client, @user, @topic, @qos, @retain, @keepAliveMs, @payload)',
  meta: 'INSERT OR REPLACE INTO meta VALUES (@name, @value)',
} as const;

const removals = {
  session: 'DELETE FROM session WHERE client = ?',
  queued: 'DELETE FROM queued WHERE number = ?',
  retained: 'DELETE FROM retained WHERE topic = ?',
  will: 'DELETE FROM will WHERE client = ?',
  meta: 'DELETE FROM meta WHERE name = ?',
} as const;

/** `mqtt.sqlite`. All calls block: it belongs into a thread of its own. */
export class SessionFile {
  readonly #path: string;
  #database: SqliteDatabase | null = null;
  #deviceBytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * What the file holds; the second value says what was wrong with it, if it had to be set aside.
   * @throws Error if there is something that can neither be read nor set aside
   */
  load(): readonly [StoreContent, string | null] {
    if (!existsSync(this.#path)) return [{ ...nothingKept, positions: 'none' }, null];
    try {
      return [contentOf(this.#opened()), null];
    } catch (error) {
      this.#setAside();
      return [{ ...nothingKept, positions: 'lost' }, messageOf(error)];
    }
  }

  /** Writes one transaction; `isSynced`: with a sync, after which a power cut cannot take it or any before it. */
  write(changes: StoreChanges, isSynced: boolean): void {
    try {
      const database = this.#opened();
      // In WAL mode NORMAL syncs at checkpoints only, FULL at each commit.
      database.pragma(`synchronous = ${isSynced ? 'FULL' : 'NORMAL'}`);
      const before = pagesLogged(database);
      database.transaction(() => apply(database, changes)).immediate();
      const after = pagesLogged(database);
      // It begins anew after a checkpoint. Each page is written once more, into its place.
      this.#deviceBytes += 2 * (after < before ? after : after - before) * pageBytesOf(database);
    } catch (error) {
      // Written anew from memory, all of it.
      if (isSqliteDamage(error)) this.#setAside();
      else this.close();
      throw error;
    }
  }

  /** What all files take, one that was set aside included; and what the device was given since this was last asked. */
  usage(): { readonly bytes: number; readonly deviceBytes: number } {
    const deviceBytes = this.#deviceBytes;
    this.#deviceBytes = 0;
    const sizes = ['', '.damaged'].flatMap((name) => ends.map((end) => sizeOf(`${this.#path}${name}${end}`)));
    return { bytes: sizes.reduce((sum, size) => sum + size, 0), deviceBytes };
  }

  close(): void {
    this.#database?.close();
    this.#database = null;
  }

  #opened(): SqliteDatabase {
    this.#database ??= openFile(this.#path);
    return this.#database;
  }

  /** One damaged file is kept, so that somebody may look at it. */
  #setAside(): void {
    this.close();
    for (const end of ends) {
      const damaged = `${this.#path}.damaged${end}`;
      rmSync(damaged, { recursive: true, force: true });
      if (existsSync(`${this.#path}${end}`)) renameSync(`${this.#path}${end}`, damaged);
    }
  }
}

const pageBytesOf = (database: SqliteDatabase): number =>
  database.pragma('page_size', { simple: true }) as number;

/** How many pages SQLite's write-ahead log holds. */
const pagesLogged = (database: SqliteDatabase): number =>
  (database.pragma('wal_checkpoint(NOOP)') as { log: number }[])[0]?.log ?? 0;

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function openFile(path: string): SqliteDatabase {
  const database = openSqlite(path, 0);
  try {
    database.pragma('journal_mode = WAL');
    const pageBytes = pageBytesOf(database);
    database.pragma(`max_page_count = ${Math.floor(limits.mqttStoreBytesMax / pageBytes)}`);
    database.pragma(`wal_autocheckpoint = ${Math.floor(limits.mqttStoreWalBytesMax / pageBytes)}`);
    database.pragma(`journal_size_limit = ${limits.mqttStoreWalBytesMax}`);
    const isEmpty = database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
    if (isEmpty) database.transaction(() => database.exec(schema)).immediate();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function contentOf(database: SqliteDatabase): StoreContent {
  const problem = database.pragma('quick_check(1)', { simple: true });
  if (problem !== 'ok') throw new Error(`SQLite says: ${problem}`);
  const meta = new Map(database.prepare('SELECT name, value FROM meta').raw().all() as [string, string][]);
  if (meta.get('format') !== `${FORMAT}`)
    throw new Error(`its format is ${meta.get('format')}, not ${FORMAT}`);
  const rows = (sql: string): Record<string, unknown>[] =>
    database.prepare(sql).all() as Record<string, unknown>[];
  const positions = meta.get('positions');
  return {
    sessions: rows('SELECT * FROM session ORDER BY awayMs DESC').map(
      (row) =>
        ({ ...row, subscriptions: JSON.parse(String(row['subscriptions'])) }) as unknown as StoredSession,
    ),
    queued: rows('SELECT * FROM queued ORDER BY number').map(
      (row) => ({ ...row, isReleased: row['isReleased'] === 1 }) as unknown as StoredMessage,
    ),
    retained: rows('SELECT * FROM retained') as unknown as StoredRetained[],
    wills: rows('SELECT * FROM will').map(
      (row) => ({ ...row, retain: row['retain'] === 1 }) as unknown as StoredWill,
    ),
    positions: positions === undefined ? 'lost' : (JSON.parse(positions) as Positions),
  };
}

function apply(database: SqliteDatabase, changes: StoreChanges): void {
  const { isWhole, sessions, queued, handshakes, retained, wills, positions } = changes;
  if (isWhole)
    for (const table of ['session', 'queued', 'retained', 'will']) database.exec(`DELETE FROM ${table}`);
  remove(database, 'session', sessions.remove);
  remove(database, 'queued', queued.remove);
  remove(database, 'retained', retained.remove);
  remove(database, 'will', wills.remove);
  const flag = (isSet: boolean): number => (isSet ? 1 : 0);
  put(database, 'session', sessions.put, (row) => ({
    ...row,
    subscriptions: JSON.stringify(row.subscriptions),
  }));
  put(database, 'queued', queued.put, (row) => ({ ...row, isReleased: flag(row.isReleased) }));
  put(database, 'handshake', handshakes, (row) => ({ ...row, isReleased: flag(row.isReleased) }));
  put(database, 'retained', retained.put, (row) => row);
  put(database, 'will', wills.put, (row) => ({ ...row, retain: flag(row.retain) }));
  if (positions === null) remove(database, 'meta', ['positions']);
  else put(database, 'meta', [{ name: 'positions', value: JSON.stringify(positions) }], (row) => row);
}

function put<Row>(
  database: SqliteDatabase,
  what: keyof typeof puts,
  rows: readonly Row[],
  valuesOf: (row: Row) => object,
): void {
  if (rows.length === 0) return;
  const statement = database.prepare(puts[what]);
  for (const row of rows) statement.run(valuesOf(row));
}

function remove(
  database: SqliteDatabase,
  table: keyof typeof removals,
  keys: readonly (string | number)[],
): void {
  if (keys.length === 0) return;
  const statement = database.prepare(removals[table]);
  for (const key of keys) statement.run(key);
}
