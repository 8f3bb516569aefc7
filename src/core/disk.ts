/**
 * What this product asks of a file system, and nothing more. Paths are relative to the data folder and use `/`.
 *
 * Durability contract, which both twins keep: bytes are durable once `sync` of their file has resolved; a
 * created, renamed or removed name is durable once `syncFolder` of its folder has resolved. Before that a power
 * cut may keep any part of either. After a rejected `writeAt` or `sync` nothing that was written since the last
 * good `sync` can be believed, whatever a read shows.
 */
export interface Disk extends ReadableDisk {
  /** Creates the folder and its parents, and makes them durable. */
  makeFolder(folder: string): Promise<void>;
  /**
   * Creates an empty file of its own, replacing what has the name: a write that failed there and is completed late does not
   * end up in it.
   */
  create(path: string): Promise<DiskFile>;
  /** Opens an existing file for reading and writing. */
  open(path: string): Promise<DiskFile>;
  /** Atomically gives the file another name, replacing what has that name. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; no error if there is none. */
  remove(path: string): Promise<void>;
  /** Makes the names in a folder durable (`fsync` of the folder). */
  syncFolder(folder: string): Promise<void>;
}

/** The part of a disk that cannot change anything. */
export interface ReadableDisk {
  /** Names (not paths) of files and folders in a folder, in no particular order; empty if the folder does not exist. */
  list(folder: string): Promise<readonly string[]>;
  /** Opens an existing file. */
  open(path: string): Promise<ReadableFile>;
}

export interface ReadableFile {
  /** Current length in bytes. */
  size(): Promise<number>;
  /** Fills `into` from position `at`; returns how many bytes there were, less than asked only at the end. */
  readAt(into: Uint8Array, at: number): Promise<number>;
  close(): Promise<void>;
}

export interface DiskFile extends ReadableFile {
  /** Writes all of `bytes` at position `at`. Not durable until `sync`. */
  writeAt(bytes: Uint8Array, at: number): Promise<void>;
  /** Cuts the file to `lengthBytes`, which is not more than it has. Not durable until `sync`. */
  truncate(lengthBytes: number): Promise<void>;
  /** Makes everything written so far durable (`fdatasync`). A rejected call must never be repeated. */
  sync(): Promise<void>;
}
