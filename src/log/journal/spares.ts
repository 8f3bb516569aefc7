import { limits } from '../../core/limits.ts';
import { journalFolder, type LogEnvironment } from './journal-files.ts';

const fillingPath = `${journalFolder}/filling`;
const isSpareName = (name: string): boolean => /^spare-\d+$/.test(name);

/**
 * Whole files in reserve, so that a commit only ever overwrites blocks that the file system has allocated: one flush
 * instead of two, and a full disk shows here and not in a commit. They are zero-filled once, and come back when the
 * journal has no more use for them.
 */
export class Spares {
  readonly #env: LogEnvironment;
  readonly #ready: string[] = [];
  #preparing: Promise<string> | undefined;
  #number = 0;

  constructor(env: LogEnvironment) {
    this.#env = env;
  }

  /** Starts to make the next spare file, unless there is one. */
  prepare(): void {
    if (this.#preparing !== undefined || this.#ready.length > 0) return;
    const preparing = this.#make();
    this.#preparing = preparing;
    // Whoever waits for the spare gets the error. If nobody does yet, it is tried again for the one who comes.
    preparing.catch(() => {
      if (this.#preparing === preparing) this.#preparing = undefined;
    });
  }

  /** How many there are, the one in the making included. */
  get count(): number {
    return this.#ready.length + (this.#preparing === undefined ? 0 : 1);
  }

  /** The path of a spare file, which now belongs to the caller. Rejects if none can be made. */
  async take(): Promise<string> {
    const ready = this.#ready.shift();
    if (ready !== undefined) return ready;
    this.prepare();
    const preparing = this.#preparing;
    this.#preparing = undefined;
    return await (preparing as Promise<string>);
  }

  /**
   * Takes a file into reserve that the journal has no more use for, or removes it if there are enough. No write into it
   * may be undecided: one that a failing device completes late would end up in the file that it becomes.
   */
  async give(path: string): Promise<void> {
    const { disk } = this.#env;
    if (this.#ready.length + 1 >= limits.journalSparesMax) {
      await disk.remove(path);
      await disk.syncFolder(journalFolder);
      return;
    }
    const spare = this.#nextPath();
    await disk.rename(path, spare);
    await disk.syncFolder(journalFolder);
    this.#ready.push(spare);
  }

  /** Waits for a file in the making. */
  async settle(): Promise<void> {
    await this.#preparing?.catch(() => undefined);
  }

  async #make(): Promise<string> {
    const { disk } = this.#env;
    const left = await this.#leftOver();
    if (left !== undefined) return left;
    try {
      await this.#fill();
    } catch (error) {
      // Half a spare would keep the last free bytes of a full disk from everybody else.
      await disk.remove(fillingPath).catch(() => {});
      throw error;
    }
    const path = this.#nextPath();
    await disk.rename(fillingPath, path);
    await disk.syncFolder(journalFolder);
    return path;
  }

  async #fill(): Promise<void> {
    const { disk, fileBytes } = this.#env;
    const file = await disk.create(fillingPath);
    try {
      const zeros = new Uint8Array(Math.min(fileBytes, limits.zeroFillBytes));
      for (let at = 0; at < fileBytes; at += zeros.length) {
        await file.writeAt(zeros.subarray(0, Math.min(zeros.length, fileBytes - at)), at);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** A spare of an earlier run. It was whole before it was called spare; old frames in it have another salt. */
  async #leftOver(): Promise<string | undefined> {
    if (this.#number > 0) return undefined;
    const names = (await this.#env.disk.list(journalFolder)).filter(isSpareName).sort();
    this.#number = Math.max(0, ...names.map((name) => Number(name.slice('spare-'.length))));
    for (const name of names.slice(1)) await this.#env.disk.remove(`${journalFolder}/${name}`);
    const [first] = names;
    if (first === undefined) return undefined;
    const path = `${journalFolder}/${first}`;
    const file = await this.#env.disk.open(path);
    const size = await file.size();
    await file.close();
    if (size === this.#env.fileBytes) return path;
    await this.#env.disk.remove(path);
    return undefined;
  }

  #nextPath(): string {
    this.#number += 1;
    return `${journalFolder}/spare-${this.#number}`;
  }
}
