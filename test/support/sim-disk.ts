import type { Disk, DiskFile } from '../../src/core/disk.ts';
import type { SimRandom } from './sim-random.ts';

/*
 * A disk that keeps no promise it did not give. Fault model:
 *   - what was written since the last good sync survives a power cut sector by sector: new, old or torn, each
 *     sector for itself, so also in another order than written;
 *   - names survive up to some point of their history since the last sync of the folder. They are not reordered:
 *     ext4 writes changes of names in transactions, in order. Two folders know nothing of each other, though;
 *   - a failing sync leaves some sectors written and calls all of them clean: reads go on showing the new bytes,
 *     and no later sync writes them (as Linux does), until the page is evicted and the old bytes are back;
 *   - a failing sync of a folder may forget changes likewise: they are shown, and no later sync makes them durable;
 *   - a failing write may have written a part;
 *   - what a failed write or sync did not write may still reach the medium at any later moment, over whatever is
 *     there then, also when the machine has started again without the device having lost its power;
 *   - space can run out: files grow up to a budget of the whole disk;
 *   - a disk can lie: a sync that reports success and writes nothing yet; and bits can flip;
 *   - a killed process leaves the page cache; a power cut does not.
 */
const sectorBytes = 512;
const clean = 0;
const dirty = 1;
/** Clean to the kernel, but the medium has other bytes: a sync of it has failed. */
const ghost = 2;

/** Probabilities; what is left out does not happen. */
export interface Faults {
  readonly syncFails?: number;
  readonly writeFails?: number;
  /** Of creating, renaming and removing names. */
  readonly nameFails?: number;
  readonly folderSyncFails?: number;
  /** Per operation: pages that only the cache has are evicted from it. */
  readonly evicts?: number;
  /** Per operation: something that failed reaches the medium after all. */
  readonly landsLate?: number;
  /** Per sync: it reports success and writes nothing. */
  readonly lies?: number;
  /** Operations on paths that do not begin so do not fail. */
  readonly onlyBelow?: string;
}

export const noFaults: Faults = {};

interface Inode {
  /** What reads show: the page cache. */
  cache: Buffer;
  /** What the medium holds. */
  medium: Buffer;
  /** Per sector: clean, dirty or ghost. */
  sectors: Uint8Array;
  /** No dirty sector lies outside. */
  dirtyFrom: number;
  dirtyEnd: number;
  ghosts: boolean;
  /** The shortest that the file was cut to since the last good sync; the medium does not know of it. */
  cutTo: number;
}

/** From now on the folder has this file under this name; without a name, not at all. */
interface NameChange {
  readonly inode: Inode;
  readonly name: string | undefined;
}

interface Folder {
  names: Map<string, Inode>;
  durable: Map<string, Inode>;
  history: NameChange[];
}

interface LatePiece {
  readonly at: number;
  readonly bytes: Buffer;
}

/** What one failed write or sync has left unwritten. */
interface LateWrite {
  readonly inode: Inode;
  readonly pieces: readonly LatePiece[];
}

const lateWritesMax = 32;

/** What happened to the disk, for a report or a trace. */
export interface DiskEvent {
  readonly operation: number;
  readonly what: string;
}

/** The medium with its page cache. A process reaches it through a {@link SimDisk.session}. */
export class SimDisk {
  readonly #random: SimRandom;
  #inodes = new Set<Inode>();
  #folders = new Map<string, Folder>();
  #late: LateWrite[] = [];
  #session = 0;
  #operation = 0;
  #operationsLeft = Number.POSITIVE_INFINITY;
  #onDeath: () => void = () => {};
  faults: Faults = noFaults;
  /** Files together may not grow above this. */
  /** The operation under way is not one that may fail. */
  #isSpared = false;
  budgetBytes = Number.POSITIVE_INFINITY;
  /** Hears of each fault. */
  onFault: (event: DiskEvent) => void = () => {};
  /** Hears of each operation. */
  onOperation: ((event: DiskEvent) => void) | undefined;
  /** Good syncs of files and of folders, for tests that count them. */
  readonly counts = { fdatasync: 0, fsync: 0, writes: 0 };

  constructor(random: SimRandom) {
    this.#random = random;
  }

  /** Operations so far. */
  get operation(): number {
    return this.#operation;
  }

  /** The disk as one process sees it. Any earlier session is dead: its calls never return. */
  session(): Disk {
    this.#session += 1;
    this.#operationsLeft = Number.POSITIVE_INFINITY;
    const id = this.#session;
    const step = <T>(what: string, path: string, work: () => T): Promise<T> =>
      this.#step(id, what, path, work);
    return {
      list: (folder) => step('list', folder, () => this.#list(folder)),
      makeFolder: (folder) => step('make', folder, () => void this.#folder(folder)),
      create: (path) => step('create', path, () => this.#file(this.#create(path), path, step)),
      open: (path) => step('open', path, () => this.#file(this.#existing(path), path, step)),
      rename: (from, to) => step('rename to', to, () => this.#rename(from, to)),
      remove: (path) => step('remove', path, () => this.#remove(path)),
      syncFolder: (folder) => step('sync folder', folder, () => this.#syncFolder(folder)),
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
    this.#inodes = new Set();
    for (const [path, folder] of this.#folders) {
      const names = new Map(folder.durable);
      const kept = this.#random.below(folder.history.length + 1);
      for (const change of folder.history.slice(0, kept)) applyName(names, change);
      this.#folders.set(path, { names, durable: new Map(names), history: [] });
      for (const inode of names.values()) this.#inodes.add(inode);
    }
  }

  /** Bits of some files flip on the medium, near the beginning of blocks, where the bytes mean something. */
  flipBits(count: number): void {
    const files = [...this.#folders.values()].flatMap(({ names }) => [...names]);
    for (let left = count; left > 0 && files.length > 0; left -= 1) {
      const [name, inode] = this.#pick(files);
      const at = 4096 * this.#random.below(inode.medium.length / 4096) + this.#random.below(700);
      if (at >= inode.medium.length) continue;
      const bit = 1 << this.#random.below(8);
      inode.medium[at] = (inode.medium[at] ?? 0) ^ bit;
      if (inode.sectors[Math.floor(at / sectorBytes)] === clean && at < inode.cache.length)
        inode.cache[at] = inode.medium[at] ?? 0;
      this.#report(`bit ${bit} of byte ${at} of ${name} flips`);
    }
  }

  /** All files of a folder are gone. */
  loseFiles(folder: string): void {
    const { names, durable } = this.#folder(folder);
    names.clear();
    durable.clear();
    this.#folder(folder).history = [];
    this.#report(`the files of ${folder} are lost`);
  }

  /** The medium takes the beginnings of files: of those in a folder whose names come last. */
  spoilNewest(folder: string, suffix: string, count: number): void {
    const named = [...this.#folder(folder).names].filter(([name]) => name.endsWith(suffix)).sort();
    for (const [name, inode] of named.slice(-count)) {
      for (const bytes of [inode.medium, inode.cache]) bytes.fill(1, 0, sectorBytes);
      this.#report(`the beginning of ${name} is lost`);
    }
  }

  /** The same disk once more, with everything that is pending, for another course of events. */
  fork(): SimDisk {
    const fork = new SimDisk(this.#random);
    const twins = new Map<Inode, Inode>();
    const twin = (inode: Inode): Inode => {
      const known = twins.get(inode);
      if (known !== undefined) return known;
      const { cache, medium, sectors } = inode;
      const buffers = { cache: Buffer.from(cache), medium: Buffer.from(medium), sectors: sectors.slice() };
      const made = { ...inode, ...buffers };
      twins.set(inode, made);
      fork.#inodes.add(made);
      return made;
    };
    const twinNames = (names: ReadonlyMap<string, Inode>): Map<string, Inode> =>
      new Map([...names].map(([name, inode]) => [name, twin(inode)]));
    for (const [path, { names, durable, history }] of this.#folders)
      fork.#folders.set(path, {
        names: twinNames(names),
        durable: twinNames(durable),
        history: history.map(({ inode, name }) => ({ inode: twin(inode), name })),
      });
    fork.#late = this.#late.map(({ inode, pieces }) => ({ inode: twin(inode), pieces }));
    fork.#operation = this.#operation;
    fork.faults = this.faults;
    fork.budgetBytes = this.budgetBytes;
    fork.onFault = this.onFault;
    fork.onOperation = this.onOperation;
    return fork;
  }

  /** What the files take now. */
  usedBytes(): number {
    let bytes = 0;
    for (const { names } of this.#folders.values())
      for (const inode of names.values()) bytes += inode.cache.length;
    return bytes;
  }

  async #step<T>(session: number, what: string, path: string, work: () => T): Promise<T> {
    for (let turn = this.#random.below(4); turn >= 0; turn -= 1) await Promise.resolve();
    if (session !== this.#session) return await new Promise<never>(() => {});
    this.#operation += 1;
    this.#operationsLeft -= 1;
    this.onOperation?.({ operation: this.#operation, what: `${what} ${path}` });
    this.#isSpared = false;
    if (this.#happens(this.faults.landsLate)) this.#landOne();
    if (this.#happens(this.faults.evicts)) this.#evict();
    this.#isSpared = !path.startsWith(this.faults.onlyBelow ?? '');
    if (this.#operationsLeft > 0) return this.#reporting(what, path, work);
    // The operation may have reached the page cache before the end.
    const reached = this.#random.chance(0.5);
    try {
      if (reached) work();
    } catch {
      // Nobody is left to hear of it.
    }
    this.#report(`the process dies, ${reached ? 'after' : 'before'} ${what} ${path}`);
    this.#session += 1;
    this.#onDeath();
    return await new Promise<never>(() => {});
  }

  #reporting<T>(what: string, path: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#report(`${what} ${path} fails: ${(error as { code?: string }).code ?? String(error)}`);
      throw error;
    }
  }

  #report(what: string): void {
    this.onFault({ operation: this.#operation, what });
  }

  #happens(probability = 0): boolean {
    return probability > 0 && !this.#isSpared && this.#random.chance(probability);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random.below(list.length)] as T;
  }

  #file(
    inode: Inode,
    path: string,
    step: <T>(what: string, path: string, work: () => T) => Promise<T>,
  ): DiskFile {
    return {
      size: () => step('size of', path, () => inode.cache.length),
      readAt: (into, at) =>
        step('read', path, () =>
          inode.cache.copy(into, 0, Math.min(at, inode.cache.length), at + into.length),
        ),
      writeAt: (bytes, at) => step('write', path, () => this.#write(inode, bytes, at)),
      truncate: (lengthBytes) => step('truncate', path, () => this.#truncate(inode, lengthBytes)),
      sync: () => step('sync', path, () => this.#sync(inode)),
      close: () => step('close', path, () => undefined),
    };
  }

  #write(inode: Inode, bytes: Uint8Array, at: number): void {
    this.counts.writes += 1;
    const room = this.#roomFor(inode, at, bytes.length);
    const fails = this.#happens(this.faults.writeFails);
    const length = fails ? this.#random.below(room) : room;
    resize(inode, Math.max(inode.cache.length, at + length));
    inode.cache.set(length === bytes.length ? bytes : bytes.subarray(0, length), at);
    const from = Math.floor(at / sectorBytes);
    const end = Math.ceil((at + length) / sectorBytes);
    inode.sectors.fill(dirty, from, end);
    inode.dirtyFrom = Math.min(inode.dirtyFrom, from);
    inode.dirtyEnd = Math.max(inode.dirtyEnd, end);
    if (fails) {
      this.#mayLandLate(inode, pieces(bytes, at));
      throw systemError('EIO', 'write');
    }
    if (room < bytes.length) throw systemError('ENOSPC', 'write');
  }

  /** How much of a write fits: bytes inside the file always do. */
  #roomFor(inode: Inode, at: number, length: number): number {
    const grows = at + length - inode.cache.length;
    if (grows <= 0 || this.budgetBytes === Number.POSITIVE_INFINITY) return length;
    const free = Math.max(0, this.budgetBytes - this.usedBytes());
    return grows <= free ? length : Math.max(0, length - grows + free);
  }

  #truncate(inode: Inode, lengthBytes: number): void {
    if (this.#happens(this.faults.writeFails)) throw systemError('EIO', 'ftruncate');
    inode.cache = Buffer.from(inode.cache.subarray(0, lengthBytes));
    inode.sectors = inode.sectors.slice(0, Math.ceil(lengthBytes / sectorBytes));
    inode.dirtyEnd = Math.min(inode.dirtyEnd, inode.sectors.length);
    inode.cutTo = Math.min(inode.cutTo, lengthBytes);
  }

  #list(folder: string): string[] {
    const inside = folder === '' ? '' : `${folder}/`;
    const folders = [...this.#folders.keys()]
      .filter((path) => path !== folder && path.startsWith(inside))
      .map((path) => path.slice(inside.length).split('/')[0] as string);
    return [...new Set([...this.#folder(folder).names.keys(), ...folders])];
  }

  #sync(inode: Inode): void {
    if (this.#happens(this.faults.lies)) return;
    if (this.#happens(this.faults.syncFails)) {
      this.#failSync(inode);
      throw systemError('EIO', 'fdatasync');
    }
    this.counts.fdatasync += 1;
    cutMedium(inode);
    if (inode.medium.length < inode.cache.length) inode.medium = grow(inode.medium, inode.cache.length);
    for (let sector = inode.dirtyFrom; sector < inode.dirtyEnd; sector += 1) {
      const from = sector;
      while (sector < inode.dirtyEnd && inode.sectors[sector] === dirty) sector += 1;
      if (sector > from)
        inode.cache.copy(inode.medium, from * sectorBytes, from * sectorBytes, sector * sectorBytes);
    }
    this.#setDirtyTo(inode, clean);
  }

  #failSync(inode: Inode): void {
    const left: LatePiece[] = [];
    for (let sector = inode.dirtyFrom; sector < inode.dirtyEnd; sector += 1) {
      if (inode.sectors[sector] !== dirty) continue;
      const at = sector * sectorBytes;
      if (this.#random.chance(0.5)) persist(inode, sector, sectorBytes);
      else left.push({ at, bytes: Buffer.from(inode.cache.subarray(at, at + sectorBytes)) });
    }
    this.#setDirtyTo(inode, ghost);
    inode.ghosts = true;
    this.#mayLandLate(inode, left);
  }

  #setDirtyTo(inode: Inode, state: number): void {
    for (let sector = inode.dirtyFrom; sector < inode.dirtyEnd; sector += 1)
      if (inode.sectors[sector] === dirty) inode.sectors[sector] = state;
    inode.dirtyFrom = Number.POSITIVE_INFINITY;
    inode.dirtyEnd = 0;
  }

  #mayLandLate(inode: Inode, left: readonly LatePiece[]): void {
    this.#late.push({ inode, pieces: left });
    if (this.#late.length > lateWritesMax) this.#late.shift();
  }

  #landOne(): void {
    if (this.#late.length === 0) return;
    const index = this.#random.below(this.#late.length);
    const [late] = this.#late.splice(index, 1) as [LateWrite];
    const whole = this.#random.chance(0.7);
    for (const piece of late.pieces) if (whole || this.#random.chance(0.5)) this.#land(late.inode, piece);
    this.#report(`${whole ? 'all' : 'some'} of a failed write of ${this.#nameOf(late.inode)} lands late`);
  }

  #land(inode: Inode, { at, bytes }: LatePiece): void {
    if (at + bytes.length > inode.medium.length) inode.medium = grow(inode.medium, at + bytes.length);
    inode.medium.set(bytes, at);
    const sector = Math.floor(at / sectorBytes);
    if (inode.sectors[sector] !== clean) return;
    if (this.#random.chance(0.5) && at + bytes.length <= inode.cache.length) inode.cache.set(bytes, at);
    else if (sector < inode.sectors.length) {
      inode.sectors[sector] = ghost;
      inode.ghosts = true;
    }
  }

  #evict(): void {
    for (const inode of this.#inodes) {
      if (!inode.ghosts) continue;
      if (inode.medium.length < inode.cache.length) inode.medium = grow(inode.medium, inode.cache.length);
      for (const [sector, state] of inode.sectors.entries()) {
        if (state !== ghost) continue;
        const at = sector * sectorBytes;
        inode.medium.copy(inode.cache, at, at, Math.min(at + sectorBytes, inode.cache.length));
        inode.sectors[sector] = clean;
      }
      inode.ghosts = false;
      this.#report(`unwritten pages of ${this.#nameOf(inode)} are evicted`);
    }
  }

  #loseCache(inode: Inode): void {
    if (inode.dirtyEnd === 0 && !inode.ghosts && inode.cutTo === Number.POSITIVE_INFINITY) return;
    if (this.#random.chance(0.5)) cutMedium(inode);
    inode.cutTo = Number.POSITIVE_INFINITY;
    for (let sector = inode.dirtyFrom; sector < inode.dirtyEnd; sector += 1) {
      if (inode.sectors[sector] !== dirty) continue;
      const fate = this.#random.below(4);
      if (fate === 0) persist(inode, sector, this.#random.below(sectorBytes));
      else if (fate <= 2) persist(inode, sector, sectorBytes);
    }
    inode.dirtyFrom = Number.POSITIVE_INFINITY;
    inode.dirtyEnd = 0;
    inode.ghosts = false;
    inode.cache = Buffer.from(inode.medium);
    inode.sectors = new Uint8Array(Math.ceil(inode.cache.length / sectorBytes));
  }

  #folder(path: string): Folder {
    const folder = this.#folders.get(path) ?? { names: new Map(), durable: new Map(), history: [] };
    this.#folders.set(path, folder);
    return folder;
  }

  #nameOf(inode: Inode): string {
    for (const { names } of this.#folders.values())
      for (const [name, other] of names) if (other === inode) return name;
    return 'a removed file';
  }

  #change(path: string, change: NameChange): void {
    const folder = this.#folder(path);
    applyName(folder.names, change);
    folder.history.push(change);
  }

  #create(path: string): Inode {
    if (this.#happens(this.faults.nameFails)) throw systemError('EIO', 'open');
    if (this.budgetBytes <= this.usedBytes()) throw systemError('ENOSPC', 'open');
    const [folder, name] = split(path);
    const inode: Inode = {
      cache: Buffer.alloc(0),
      medium: Buffer.alloc(0),
      sectors: new Uint8Array(0),
      dirtyFrom: Number.POSITIVE_INFINITY,
      dirtyEnd: 0,
      ghosts: false,
      cutTo: Number.POSITIVE_INFINITY,
    };
    this.#inodes.add(inode);
    this.#change(folder, { inode, name });
    return inode;
  }

  #existing(path: string): Inode {
    const [folder, name] = split(path);
    const inode = this.#folder(folder).names.get(name);
    if (inode === undefined) throw systemError('ENOENT', 'open');
    return inode;
  }

  /** A rename that fails may have happened. */
  #rename(from: string, to: string): void {
    const inode = this.#existing(from);
    const fails = this.#happens(this.faults.nameFails);
    if (!fails || this.#random.chance(0.5)) {
      const [fromFolder] = split(from);
      const [toFolder, name] = split(to);
      this.#change(toFolder, { inode, name });
      if (fromFolder !== toFolder) this.#change(fromFolder, { inode, name: undefined });
    }
    if (fails) throw systemError('EIO', 'rename');
  }

  #remove(path: string): void {
    if (this.#happens(this.faults.nameFails)) throw systemError('EIO', 'unlink');
    const [folder, name] = split(path);
    const inode = this.#folder(folder).names.get(name);
    if (inode !== undefined) this.#change(folder, { inode, name: undefined });
  }

  #syncFolder(path: string): void {
    if (this.#happens(this.faults.lies)) return;
    const folder = this.#folder(path);
    if (this.#happens(this.faults.folderSyncFails)) {
      if (this.#random.chance(0.8)) folder.history = [];
      throw systemError('EIO', 'fsync');
    }
    this.counts.fsync += 1;
    for (const change of folder.history) applyName(folder.durable, change);
    folder.history = [];
  }
}

function applyName(names: Map<string, Inode>, { inode, name }: NameChange): void {
  for (const [old, other] of names) if (other === inode) names.delete(old);
  if (name !== undefined) names.set(name, inode);
}

/** As Node throws them. */
const systemError = (code: string, syscall: string): Error =>
  Object.assign(new Error(`${code}: simulated, ${syscall}`), { code, syscall });

function grow(bytes: Buffer, length: number): Buffer {
  const grown = Buffer.alloc(length);
  bytes.copy(grown);
  return grown;
}

function resize(inode: Inode, length: number): void {
  if (length <= inode.cache.length) return;
  inode.cache = grow(inode.cache, length);
  const sectors = new Uint8Array(Math.ceil(length / sectorBytes));
  sectors.set(inode.sectors);
  inode.sectors = sectors;
}

/** The medium learns that the file was cut. */
function cutMedium(inode: Inode): void {
  if (inode.cutTo < inode.medium.length) inode.medium = Buffer.from(inode.medium.subarray(0, inode.cutTo));
  inode.cutTo = Number.POSITIVE_INFINITY;
}

/** The first `bytes` of a sector reach the medium. */
function persist(inode: Inode, sector: number, bytes: number): void {
  const from = sector * sectorBytes;
  const end = Math.min(from + bytes, inode.cache.length);
  if (end > inode.medium.length) inode.medium = grow(inode.medium, end);
  inode.cache.copy(inode.medium, from, from, end);
}

/** A write, cut at the borders of sectors. */
function pieces(bytes: Uint8Array, at: number): LatePiece[] {
  const cut: LatePiece[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = Math.min(bytes.length, (Math.floor((at + from) / sectorBytes) + 1) * sectorBytes - at);
    cut.push({ at: at + from, bytes: Buffer.from(bytes.subarray(from, end)) });
    from = end;
  }
  return cut;
}

const split = (path: string): [folder: string, name: string] => {
  const at = path.lastIndexOf('/');
  return [path.slice(0, Math.max(0, at)), path.slice(at + 1)];
};
