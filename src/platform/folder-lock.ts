import { closeSync, constants, ftruncateSync, lstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, OperatingError } from '../core/errors.ts';
import { giveToFolderOwner } from './file-owner.ts';
import { isSqliteDamage, openSqlite, type SqliteDatabase, sqliteCode } from './sqlite.ts';

/** The file that is locked. Nothing is ever written to it, so no power cut can damage it and no pragma matters. */
const LOCK_FILE = 'lock.sqlite';

/**
 * The right to be the only process that works on a folder. The operating system ends it with the process, however
 * that dies; there is no pid file that could be left behind.
 */
export class FolderLock {
  readonly #database: SqliteDatabase;

  private constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /**
   * Takes the lock, or answers null at once if another process (or another lock of this one) has it.
   * @throws OperatingError `data-folder-unusable` if the file system cannot lock
   */
  static take(folder: string): FolderLock | null {
    const path = join(folder, LOCK_FILE);
    try {
      const database = lockOrRepair(path);
      return database && new FolderLock(database);
    } catch (error) {
      throw new OperatingError(
        'data-folder-unusable',
        `cannot lock ${path}: ${messageOf(error)}. The data folder must be on a local, writable file system ` +
          'with file locks: set data.dir to such a folder.',
        { cause: error },
      );
    }
  }

  /** Gives the lock up. Harmless when repeated. */
  release(): void {
    this.#database.close();
  }
}

function lockOrRepair(path: string): SqliteDatabase | null {
  // Root works on the gateway's folder, too: a link there must not lead it to a file of somebody else.
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && (!there.isFile() || there.nlink > 1))
    throw new Error('it is a link or no file, and nothing that a gateway makes; remove it');
  try {
    return lock(path);
  } catch (error) {
    if (!isSqliteDamage(error)) throw error;
    // Emptied in place rather than replaced: another process may be about to lock this very file.
    empty(path);
    return lock(path);
  }
}

function empty(path: string): void {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    ftruncateSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function lock(path: string): SqliteDatabase | null {
  const database = openSqlite(path, 0);
  try {
    // Root may be the first to look into a folder, and the gateway is to have the lock after it.
    giveToFolderOwner(path);
    // A transaction on an empty file prepares its first page, which would go to a journal file before a commit.
    database.pragma('journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if (sqliteCode(error).startsWith('SQLITE_BUSY')) return null;
    throw error;
  }
}
