import type { ApplianceDisk, Readers } from '../../src/edge/appliance/appliance-disk.ts';

type Entry =
  | { readonly kind: 'file'; content: Buffer; readonly readers: Readers; readonly changedMs: number }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'folder' };

type Names = Map<string, Entry>;

/** The power goes. */
export class PowerCut extends Error {}

/** An error as Node gives it for a call of the operating system. */
export const systemError = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'sim' });

/**
 * Partitions of a card in memory: a name is durable once its folder was synced, and a power cut keeps any beginning of what was done
 * to the names of a folder since. `cutAfter` steps the power goes; a write that it cuts off leaves a piece of the file.
 */
export class SimCard implements ApplianceDisk {
  /** What is there while the power is on. */
  #now = new Map<string, Names>([['/', new Map()]]);
  #durable = new Map<string, Names>([['/', new Map()]]);
  #pending = new Map<string, ((names: Names) => void)[]>();
  readonly #choose: () => number;
  /** Steps until the power goes. */
  cutAfter = Number.POSITIVE_INFINITY;
  steps = 0;
  /** Fails every change below these folders, as a full or read-only partition does. */
  failing: { readonly below: string; readonly code: string } | null = null;

  /** @param choose gives numbers from 0 to below 1 */
  constructor(choose: () => number = () => 1) {
    this.#choose = choose;
  }

  /** The power comes back, after it has gone. */
  restart(): void {
    for (const [folder, changes] of this.#pending) {
      const kept = Math.floor(this.#choose() * (changes.length + 1));
      const names = this.#durable.get(folder) ?? new Map();
      for (const change of changes.slice(0, kept)) change(names);
      this.#durable.set(folder, names);
    }
    this.#pending.clear();
    const reachable = new Map<string, Names>();
    const walk = (folder: string): void => {
      const names = this.#durable.get(folder) ?? new Map();
      reachable.set(folder, names);
      for (const [name, entry] of names) if (entry.kind === 'folder') walk(joined(folder, name));
    };
    walk('/');
    this.#durable = reachable;
    this.#now = new Map([...reachable].map(([folder, names]) => [folder, new Map(names)]));
    this.cutAfter = Number.POSITIVE_INFINITY;
    this.steps = 0;
  }

  /** Puts a file there durably, as another computer does. */
  put(path: string, content: string | Uint8Array, changedMs = 0): void {
    const [folder, name] = split(path);
    this.#makeDurably(folder);
    const entry: Entry = { kind: 'file', content: Buffer.from(content), readers: 'everybody', changedMs };
    this.#durable.get(folder)?.set(name, entry);
    this.#now.get(folder)?.set(name, entry);
  }

  /** Puts a folder there, as another computer does. */
  putFolder(path: string): void {
    this.#makeDurably(path);
  }

  /** The text of a file, also by links; null if there is none. */
  text(path: string): string | null {
    const entry = this.#entry(this.#followed(path));
    return entry?.kind === 'file' ? entry.content.toString('utf8') : null;
  }

  /** Who may read a file. */
  readersOf(path: string): Readers | null {
    const entry = this.#entry(this.#followed(path));
    return entry?.kind === 'file' ? entry.readers : null;
  }

  /** A change that is no file, such as one of users. */
  step(): void {
    this.#step();
  }

  async read(path: string, bytesMax: number): Promise<Uint8Array | null> {
    this.#powered();
    const entry = this.#entry(this.#followed(path));
    if (entry === undefined) return null;
    if (entry.kind !== 'file') throw systemError('EISDIR');
    if (entry.content.length > bytesMax) {
      const { OperatingError } = await import('../../src/core/errors.ts');
      throw new OperatingError('bad-input', `it is longer than ${bytesMax} bytes`);
    }
    return entry.content;
  }

  list(folder: string): Promise<readonly string[]> {
    this.#powered();
    return Promise.resolve([...(this.#now.get(folder)?.keys() ?? [])]);
  }

  changedMs(path: string): Promise<number | null> {
    this.#powered();
    const entry = this.#entry(this.#followed(path));
    return Promise.resolve(entry === undefined ? null : entry.kind === 'file' ? entry.changedMs : 0);
  }

  // Not async, and awaited at once: what throws here rejects.
  async makeFolder(path: string): Promise<void> {
    await Promise.resolve();
    this.#allowed(path);
    const parts = path.split('/').filter((part) => part !== '');
    let at = '/';
    for (const part of parts) {
      const next = joined(at, part);
      if (!this.#now.has(next)) {
        this.#step();
        this.#now.set(next, new Map());
        this.#durable.set(next, new Map());
        this.#change(at, (names) => names.set(part, { kind: 'folder' }));
      }
      at = next;
    }
  }

  async write(path: string, content: string | Uint8Array, readers: Readers): Promise<void> {
    await Promise.resolve();
    this.#allowed(path);
    const [folder, name] = split(path);
    const bytes = Buffer.from(content);
    const entry: Entry = { kind: 'file', content: Buffer.alloc(0), readers, changedMs: 0 };
    this.#step();
    this.#change(folder, (names) => names.set(name, entry));
    entry.content = bytes.subarray(0, Math.floor(this.#choose() * bytes.length));
    this.#step();
    entry.content = bytes;
  }

  async link(target: string, path: string): Promise<void> {
    await Promise.resolve();
    this.#allowed(path);
    this.#step();
    if (this.#entry(path) !== undefined) throw systemError('EEXIST');
    const [folder, name] = split(path);
    this.#change(folder, (names) => names.set(name, { kind: 'link', target }));
  }

  linkTarget(path: string): Promise<string | null> {
    this.#powered();
    const entry = this.#entry(path);
    return Promise.resolve(entry?.kind === 'link' ? entry.target : null);
  }

  async rename(from: string, to: string): Promise<void> {
    await Promise.resolve();
    this.#allowed(to);
    this.#step();
    const entry = this.#entry(from);
    if (entry === undefined) throw systemError('ENOENT');
    const [folder, name] = split(to);
    const [, before] = split(from);
    this.#change(folder, (names) => {
      names.delete(before);
      names.set(name, entry);
    });
  }

  async remove(path: string): Promise<void> {
    await Promise.resolve();
    this.#powered();
    if (this.#entry(path) === undefined) return;
    this.#allowed(path);
    this.#step();
    const [folder, name] = split(path);
    for (const below of [...this.#now.keys()])
      if (below === path || below.startsWith(`${path}/`)) this.#now.delete(below);
    this.#change(folder, (names) => names.delete(name));
  }

  async sync(folder: string): Promise<void> {
    await Promise.resolve();
    this.#step();
    const names = this.#now.get(folder);
    if (names === undefined) throw systemError('ENOENT');
    this.#durable.set(folder, new Map(names));
    this.#pending.delete(folder);
  }

  #makeDurably(path: string): void {
    let at = '/';
    for (const part of path.split('/').filter((one) => one !== '')) {
      const next = joined(at, part);
      for (const state of [this.#now, this.#durable]) {
        state.get(at)?.set(part, { kind: 'folder' });
        if (!state.has(next)) state.set(next, new Map());
      }
      at = next;
    }
  }

  #change(folder: string, change: (names: Names) => void): void {
    const names = this.#now.get(folder);
    if (names === undefined) throw systemError('ENOENT');
    change(names);
    this.#pending.set(folder, [...(this.#pending.get(folder) ?? []), change]);
  }

  #entry(path: string): Entry | undefined {
    const [folder, name] = split(path);
    return this.#now.get(folder)?.get(name);
  }

  /** The path with the links in it followed: relative ones only, which are all that there are. */
  #followed(path: string): string {
    let at = '/';
    for (const part of path.split('/').filter((one) => one !== '')) {
      const entry = this.#now.get(at)?.get(part);
      at = joined(at, entry?.kind === 'link' ? entry.target : part);
    }
    return at;
  }

  #allowed(path: string): void {
    this.#powered();
    if (this.failing !== null && path.startsWith(this.failing.below)) throw systemError(this.failing.code);
  }

  #powered(): void {
    if (this.steps > this.cutAfter) throw new PowerCut('the power is gone');
  }

  #step(): void {
    this.#powered();
    this.steps++;
    this.#powered();
  }
}

const joined = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`);

function split(path: string): [string, string] {
  const at = path.lastIndexOf('/');
  return [at === 0 ? '/' : path.slice(0, at), path.slice(at + 1)];
}
