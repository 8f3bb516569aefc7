import Database from 'better-sqlite3';

/** An open SQLite file. Its calls are synchronous: whatever may write belongs into a thread of its own. */
export type SqliteDatabase = Database.Database;

/**
 * Opens a SQLite file, which is made if it is missing.
 * @param timeoutMs how long a call waits for a lock that another connection has
 */
export const openSqlite = (path: string, timeoutMs: number): SqliteDatabase =>
  new Database(path, { timeout: timeoutMs });

/** SQLite's code of an error, such as `SQLITE_BUSY`; empty for any other error. */
export const sqliteCode = (error: unknown): string =>
  error instanceof Database.SqliteError ? error.code : '';

/** Whether the error says that the file itself is damaged, or was none of SQLite. */
export const isSqliteDamage = (error: unknown): boolean =>
  sqliteCode(error) === 'SQLITE_NOTADB' || sqliteCode(error).startsWith('SQLITE_CORRUPT');
