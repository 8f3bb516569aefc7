import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { StampedRecord } from '../../src/core/record.ts';
import type { Contender } from './contender.ts';

/** One row per record, one transaction per commit, as durable as ours: write-ahead log, each commit synced. */
export class SqliteLog implements Contender {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #nextOffsets = new Map<number, number>();

  constructor(folder: string) {
    this.#database = new DatabaseSync(join(folder, 'log.sqlite'));
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE records (
        partition INTEGER, offset INTEGER, timestamp INTEGER, key BLOB, value BLOB,
        PRIMARY KEY (partition, offset)
      ) WITHOUT ROWID;`);
    this.#insert = this.#database.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?)');
  }

  append(records: readonly StampedRecord[]): Promise<void> {
    this.#database.exec('BEGIN');
    for (const { partition = 0, timestampMs, key, value } of records) {
      const offset = this.#nextOffsets.get(partition) ?? 0;
      this.#nextOffsets.set(partition, offset + 1);
      this.#insert.run(partition, offset, timestampMs, key, value);
    }
    this.#database.exec('COMMIT');
    return Promise.resolve();
  }

  read(partitions: readonly number[]): Promise<number> {
    return Promise.resolve(partitions.reduce((count, partition) => count + this.#count(partition), 0));
  }

  #count(partition: number): number {
    const rows = this.#database
      .prepare('SELECT offset, timestamp, key, value FROM records WHERE partition = ? ORDER BY offset')
      .iterate(partition);
    let count = 0;
    for (const _row of rows) count += 1;
    return count;
  }

  close(): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }
}
