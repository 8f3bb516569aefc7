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
  /** Files that an error kept from coming into reserve or from being removed, each by the names that it may have. */
  readonly #left = new Set<readonly string[]>();
  /** Files on their way into reserve or out of it. */
  #moving = 0;
  /** There is a file in the making, or what is left of one. */
  #isFilling = false;
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

  /** How many files there are, the one in the making and those that are still to be removed included. */
  get count(): number {
    const inTheMaking = this.#isFilling || this.#preparing !== undefined ? 1 : 0;
    return this.#ready.length + this.#left.size + this.#moving + inTheMaking;
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
   * Takes a file into reserve that the journal has no more use for, or removes it if there are enough or if it is not
   * `clean`: a write into it that is undecided and completed late would end up in the file that it becomes.
   */
  async give(path: string, clean: boolean): Promise<void> {
    const { disk } = this.#env;
    const spare = clean && this.#ready.length + 1 < limits.journalSparesMax ? this.#nextPath() : undefined;
    this.#moving += 1;
    try {
      if (spare === undefined) await disk.remove(path);
      else await disk.rename(path, spare);
      await disk.syncFolder(journalFolder);
      if (spare !== undefined) this.#ready.push(spare);
    } catch (error) {
      this.#left.add(spare === undefined ? [path] : [path, spare]);
      throw error;
    } finally {
      this.#moving -= 1;
    }
  }

  /** Removes what an error has left behind. To be called again after another one. */
  async removeLeft(): Promise<void> {
    const { disk } = this.#env;
    for (const names of this.#left) {
      for (const path of names) await disk.remove(path);
      await disk.syncFolder(journalFolder);
      this.#left.delete(names);
    }
  }

  /** Waits for a file in the making. */
  async settle(): Promise<void> {
    await this.#preparing?.catch(() => undefined);
  }

  async #make(): Promise<string> {
    const { disk } = this.#env;
    if (this.#number === 0) await this.#takeLeftOvers();
    const leftOver = this.#ready.shift();
    if (leftOver !== undefined) return leftOver;
    const path = this.#nextPath();
    try {
      await this.#fill();
      await disk.rename(fillingPath, path);
      this.#isFilling = false;
      await disk.syncFolder(journalFolder);
      return path;
    } catch (error) {
      this.#left.add([path]);
      // Half a spare would keep the last free bytes of a full disk from everybody else.
      await this.#removeFilling().catch(() => {});
      throw error;
    }
  }

  async #removeFilling(): Promise<void> {
    await this.#env.disk.remove(fillingPath);
    this.#isFilling = false;
  }

  async #fill(): Promise<void> {
    const { disk, fileBytes } = this.#env;
    this.#isFilling = true;
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

  /** Spares of an earlier run: each was whole before it was called spare; old frames in it have another salt. */
  async #takeLeftOvers(): Promise<void> {
    const { disk, fileBytes } = this.#env;
    const names = (await disk.list(journalFolder)).filter(isSpareName);
    this.#number = Math.max(0, ...names.map((name) => Number(name.slice('spare-'.length))));
    for (const path of names.map((name) => `${journalFolder}/${name}`)) {
      const file = await disk.open(path);
      const isWhole = (await file.size()) === fileBytes;
      await file.close();
      if (isWhole && this.#ready.length < limits.journalSparesMax) this.#ready.push(path);
      else await disk.remove(path);
    }
  }

  #nextPath(): string {
    this.#number += 1;
    return `${journalFolder}/spare-${this.#number}`;
  }
}
