/** Who may read a file: everybody, the gateway and nobody else, or only the administrator. */
export type Readers = 'everybody' | 'gateway' | 'administrator';

/**
 * What preparing an appliance asks of file systems; paths are absolute. Content is durable once `write` has resolved, a name once
 * `sync` of its folder has.
 */
export interface ApplianceDisk {
  /**
   * All of a file; null if there is none.
   * @throws the error of the operating system, OperatingError `bad-input` if it has more than `bytesMax`
   */
  read(path: string, bytesMax: number): Promise<Uint8Array | null>;
  /** Names of what is in a folder; empty if there is none. */
  list(folder: string): Promise<readonly string[]>;
  /** When a file was last changed, milliseconds since 1970; null if there is none. */
  changedMs(path: string): Promise<number | null>;
  /** Makes a folder with its parents; one that is there stays. */
  makeFolder(path: string, readers: Readers): Promise<void>;
  /** Writes a new file, or over the one that is there, and syncs its content. */
  write(path: string, content: string | Uint8Array, readers: Readers): Promise<void>;
  /** Makes a symbolic link; nothing may be there. */
  link(target: string, path: string): Promise<void>;
  /** Where a symbolic link leads; null if there is none. */
  linkTarget(path: string): Promise<string | null>;
  /** Atomically gives another name, replacing what has it. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, a link, or a folder with all that is in it; no error if there is none. */
  remove(path: string): Promise<void>;
  /** Makes the names in a folder durable. */
  sync(folder: string): Promise<void>;
}

/**
 * Replaces a file, so that after a power cut it is the old one or the new one. One that is the same already is left alone: cards
 * wear out. Whether it was another one.
 */
export async function replaceOnCard(
  disk: ApplianceDisk,
  folder: string,
  name: string,
  content: string,
  readers: Readers = 'everybody',
): Promise<boolean> {
  const path = `${folder}/${name}`;
  const bytes = Buffer.from(content);
  // A file of another length need not be read.
  const there = await disk.read(path, bytes.length).catch(() => null);
  if (there !== null && bytes.equals(there)) return false;
  const spare = `${path}.new`;
  await disk.remove(spare);
  await disk.write(spare, bytes, readers);
  await disk.rename(spare, path);
  await disk.sync(folder);
  return true;
}
