import type { Disk, DiskFile } from '../../src/core/disk.ts';
import type { SimRandom } from './sim-random.ts';

/*
 * A disk that keeps no promise it did not give. Fault model:
 *   - what was written since the last good sync survives a power cut sector by sector: new, old or torn (half of
 *     each), each sector for itself, so also in another order than written;
 *   - names survive up to some point of their history since the last sync of the folder;
 *   - a failing sync leaves some sectors written and calls all of them clean: reads go on showing the new bytes,
 *     and no later sync writes them (as Linux does);
 *   - a failing write may have written a part;
 *   - a killed process leaves the page cache; a power cut does not.
 */
const sectorBytes = 512;

export interface Faults {
  /** Probability that a sync fails. */
  readonly syncFails: number;
  /** Probability that a write fails. */
  readonly writeFails: number;
}

export const noFaults: Faults = { syncFails: 0, writeFails: 0 };

interface Inode {
  /** What reads show: the page cache. */
  cache: Buffer;
  /** What the medium holds. */
  medium: Buffer;
  /** Sectors that differ because nothing has asked yet to write them. */
  readonly dirty: Set<number>;
  /** Whether the cache shows bytes that a failed sync has left off the medium. */
  ghosts: boolean;
}

interface Folder {
  readonly names: Map<string, Inode>;
  durable: Map<string, Inode>;
  readonly history: ((names: Map<string, Inode>) => void)[];
}

/** The medium with its page cache. A process reaches it through a {@link SimDisk.session}. */
export class SimDisk {
  readonly #random: SimRandom;
  readonly #inodes: Inode[] = [];
  readonly #folders = new Map<string, Folder>();
  #session = 0;
  #operationsLeft = Number.POSITIVE_INFINITY;
  #onDeath: () => void = () => {};
  faults: Faults = noFaults;
  /** Good syncs of files and of folders, for tests that count them. */
  readonly counts = { fdatasync: 0, fsync: 0, writes: 0 };

  constructor(random: SimRandom) {
    this.#random = random;
  }

  /** The disk as one process sees it. Any earlier session is dead: its calls never return. */
  session(): Disk {
    this.#session += 1;
    this.#operationsLeft = Number.POSITIVE_INFINITY;
    const id = this.#session;
    const step = <T>(work: () => T): Promise<T> => this.#step(id, work);
    return {
      list: (folder) => step(() => [...this.#folder(folder).names.keys()]),
      makeFolder: (folder) => step(() => void this.#folder(folder)),
      create: (path) => step(() => this.#file(this.#create(path), step)),
      open: (path) => step(() => this.#file(this.#existing(path), step)),
      rename: (from, to) => step(() => this.#rename(from, to)),
      remove: (path) => step(() => this.#remove(path)),
      syncFolder: (folder) => step(() => this.#syncFolder(folder)),
    };
  }

  /** Resolves when the process has died, in the middle of its `operations`th operation from now. */
  dieAfter(operations: number): Promise<void> {
    this.#operationsLeft = operations;
    return new Promise((resolve) => {
      this.#onDeath = resolve;
    });
  }

  /** The power fails: what is not durable survives as the fault model says. */
  cutPower(): void {
    this.#session += 1;
    for (const inode of this.#inodes) this.#loseCache(inode);
    for (const [path, folder] of this.#folders) {
      const kept = folder.history.slice(0, this.#random.below(folder.history.length + 1));
      const names = new Map(folder.durable);
      for (const change of kept) change(names);
      this.#folders.set(path, { names, durable: new Map(names), history: [] });
    }
  }

  async #step<T>(session: number, work: () => T): Promise<T> {
    for (let turn = this.#random.below(4); turn >= 0; turn -= 1) await Promise.resolve();
    if (session !== this.#session) return await new Promise<never>(() => {});
    this.#operationsLeft -= 1;
    if (this.#operationsLeft > 0) return work();
    // The operation may have reached the page cache before the end.
    if (this.#random.chance(0.5)) {
      try {
        work();
      } catch {
        // Nobody is left to hear of it.
      }
    }
    this.#session += 1;
    this.#onDeath();
    return await new Promise<never>(() => {});
  }

  #file(inode: Inode, step: <T>(work: () => T) => Promise<T>): DiskFile {
    return {
      size: () => step(() => inode.cache.length),
      readAt: (into, at) =>
        step(() => inode.cache.copy(into, 0, Math.min(at, inode.cache.length), at + into.length)),
      writeAt: (bytes, at) => step(() => this.#write(inode, bytes, at)),
      sync: () => step(() => this.#sync(inode)),
      close: () => step(() => undefined),
    };
  }

  #write(inode: Inode, bytes: Uint8Array, at: number): void {
    this.counts.writes += 1;
    const fails = this.#random.chance(this.faults.writeFails);
    const length = fails ? this.#random.below(bytes.length) : bytes.length;
    if (at + length > inode.cache.length) inode.cache = grow(inode.cache, at + length);
    inode.cache.set(bytes.subarray(0, length), at);
    for (let sector = Math.floor(at / sectorBytes); sector * sectorBytes < at + length; sector += 1)
      inode.dirty.add(sector);
    if (fails) throw systemError('EIO', 'write');
  }

  #sync(inode: Inode): void {
    if (this.#random.chance(this.faults.syncFails)) {
      for (const sector of inode.dirty)
        if (this.#random.chance(0.5)) this.#persist(inode, sector, sectorBytes);
      inode.dirty.clear();
      inode.ghosts = true;
      throw systemError('EIO', 'fdatasync');
    }
    this.counts.fdatasync += 1;
    if (inode.medium.length < inode.cache.length) inode.medium = grow(inode.medium, inode.cache.length);
    for (const sector of inode.dirty) this.#persist(inode, sector, sectorBytes);
    inode.dirty.clear();
  }

  /** The first `bytes` of a sector reach the medium. */
  #persist(inode: Inode, sector: number, bytes: number): void {
    const from = sector * sectorBytes;
    const end = Math.min(from + bytes, inode.cache.length);
    if (end > inode.medium.length) inode.medium = grow(inode.medium, end);
    inode.cache.copy(inode.medium, from, from, end);
  }

  #loseCache(inode: Inode): void {
    if (inode.dirty.size === 0 && !inode.ghosts) return;
    for (const sector of inode.dirty) {
      const fate = this.#random.below(4);
      if (fate === 0) this.#persist(inode, sector, this.#random.below(sectorBytes));
      else if (fate <= 2) this.#persist(inode, sector, sectorBytes);
    }
    inode.dirty.clear();
    inode.ghosts = false;
    inode.cache = Buffer.from(inode.medium);
  }

  #folder(path: string): Folder {
    const folder = this.#folders.get(path) ?? { names: new Map(), durable: new Map(), history: [] };
    this.#folders.set(path, folder);
    return folder;
  }

  #change(path: string, change: (names: Map<string, Inode>) => void): void {
    const folder = this.#folder(path);
    change(folder.names);
    folder.history.push(change);
  }

  #create(path: string): Inode {
    const [folder, name] = split(path);
    const inode = {
      cache: Buffer.alloc(0),
      medium: Buffer.alloc(0),
      dirty: new Set<number>(),
      ghosts: false,
    };
    this.#inodes.push(inode);
    this.#change(folder, (names) => names.set(name, inode));
    return inode;
  }

  #existing(path: string): Inode {
    const [folder, name] = split(path);
    const inode = this.#folder(folder).names.get(name);
    if (inode === undefined) throw systemError('ENOENT', 'open');
    return inode;
  }

  #rename(from: string, to: string): void {
    const inode = this.#existing(from);
    const [fromFolder, fromName] = split(from);
    const [toFolder, toName] = split(to);
    if (fromFolder === toFolder) {
      this.#change(toFolder, (names) => {
        names.delete(fromName);
        names.set(toName, inode);
      });
      return;
    }
    this.#change(toFolder, (names) => names.set(toName, inode));
    this.#change(fromFolder, (names) => names.delete(fromName));
  }

  #remove(path: string): void {
    const [folder, name] = split(path);
    this.#change(folder, (names) => names.delete(name));
  }

  #syncFolder(path: string): void {
    this.counts.fsync += 1;
    const folder = this.#folder(path);
    folder.durable = new Map(folder.names);
    folder.history.length = 0;
  }
}

/** As Node throws them. */
const systemError = (code: string, syscall: string): Error =>
  Object.assign(new Error(`${code}: simulated, ${syscall}`), { code, syscall });

function grow(bytes: Buffer, length: number): Buffer {
  const grown = Buffer.alloc(length);
  bytes.copy(grown);
  return grown;
}

const split = (path: string): [folder: string, name: string] => {
  const at = path.lastIndexOf('/');
  return [path.slice(0, Math.max(0, at)), path.slice(at + 1)];
};
