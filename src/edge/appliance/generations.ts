import { dirname } from 'node:path';
import { limits } from '../../core/limits.ts';
import type { ApplianceDisk } from './appliance-disk.ts';
import { type Generation, parseSystemFile } from './generation.ts';
import { type ImportedSettings, nothingImported, sha256 } from './imported-settings.ts';

/** What is in force. */
export interface InForce {
  /** Null if no link leads to it, as before the first generation. */
  readonly number: number | null;
  readonly imported: ImportedSettings;
  /** The text of its `system.json`, which tells it from all others; empty before the first generation. */
  readonly system: string;
  /** What had to be passed over, in words. */
  readonly problems: readonly string[];
}

/** Where generations are: folders with numbers, and a link to the one in force. */
export class Generations {
  readonly #disk: ApplianceDisk;
  readonly #folder: string;

  constructor(disk: ApplianceDisk, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  /** The link to the generation in force. */
  get currentFolder(): string {
    return `${this.#folder}/current`;
  }

  /**
   * The generation in force: that of the link, or, if it is damaged, the newest whole one before it. One that was not written to its
   * end is newer than the link, and never in force.
   * @throws the error of the operating system
   */
  async inForce(): Promise<InForce> {
    const linked = Number(await this.#disk.linkTarget(this.currentFolder));
    const numbers = await this.#numbers();
    const candidates = linked > 0 ? numbers.filter((number) => number <= linked) : numbers;
    const problems: string[] = [];
    for (const number of candidates) {
      const read = await this.#read(number);
      if (read !== null) return { number: number === linked ? number : null, ...read, problems };
      if (number === linked)
        problems.push(`the settings in ${this.#folder}/${number} are damaged; older ones count`);
    }
    return { number: null, imported: nothingImported, system: '', problems };
  }

  /**
   * Writes a generation, makes it durable, and puts it in force, in one step that a power cut does or does not come before.
   * @param beforeInForce what has to be durable as well before it counts
   * @throws the error of the operating system; what was in force stays so then
   */
  async put(generation: Generation, beforeInForce: () => Promise<void>): Promise<number> {
    const disk = this.#disk;
    await disk.makeFolder(this.#folder, 'everybody');
    await disk.sync(dirname(this.#folder));
    const number = ((await this.#numbers())[0] ?? 0) + 1;
    const folder = `${this.#folder}/${number}`;
    try {
      await this.#write(folder, generation);
      await disk.sync(this.#folder);
      await beforeInForce();
    } catch (error) {
      // On a full disk what is left of it would be in the way of the next try.
      await disk.remove(folder).catch(() => undefined);
      throw error;
    }
    const spare = `${this.currentFolder}.new`;
    await disk.remove(spare);
    await disk.link(String(number), spare);
    await disk.rename(spare, this.currentFolder);
    await disk.sync(this.#folder);
    return number;
  }

  /** Removes generations that are too old, and what was not written to its end. */
  async tidy(inForce: number): Promise<void> {
    const older = (await this.#numbers()).filter((number) => number <= inForce);
    const kept = new Set(older.slice(0, limits.generationsKeptMax));
    for (const number of await this.#numbers())
      if (!kept.has(number)) await this.#disk.remove(`${this.#folder}/${number}`);
  }

  async #write(folder: string, { secrets, config, system }: Generation): Promise<void> {
    const disk = this.#disk;
    await disk.makeFolder(folder, 'gateway');
    await disk.makeFolder(`${folder}/secrets`, 'gateway');
    for (const [name, text] of Object.entries(secrets))
      await disk.write(`${folder}/secrets/${name}`, text, 'gateway');
    await disk.sync(`${folder}/secrets`);
    await disk.write(`${folder}/headwater.yaml`, config, 'gateway');
    await disk.write(`${folder}/system.json`, system, 'administrator');
    await disk.sync(folder);
  }

  /** Newest first. */
  async #numbers(): Promise<readonly number[]> {
    const names = await this.#disk.list(this.#folder);
    return names
      .filter((name) => /^[1-9]\d{0,9}$/.test(name))
      .map(Number)
      .toSorted((one, other) => other - one);
  }

  async #read(number: number): Promise<{ imported: ImportedSettings; system: string } | null> {
    const folder = `${this.#folder}/${number}`;
    const system = await this.#text(`${folder}/system.json`, limits.systemFileBytesMax);
    const parsed = system === null ? null : parseSystemFile(system);
    if (system === null || parsed === null) return null;
    const files: Record<string, string> = {};
    for (const [name, sum] of Object.entries(parsed.files)) {
      const text = await this.#text(`${folder}/secrets/${name}`, limits.credentialFileBytesMax);
      if (text === null || sha256(text) !== sum) return null;
      files[name] = text;
    }
    const config = await this.#text(`${folder}/headwater.yaml`, limits.systemFileBytesMax);
    // Only settings and secrets cannot be made again: the configuration can, of them.
    const isWhole = config !== null && sha256(config) === parsed.config;
    return { imported: { ...parsed.imported, files }, system: isWhole ? system : '' };
  }

  async #text(path: string, bytesMax: number): Promise<string | null> {
    const bytes = await this.#disk.read(path, bytesMax).catch(() => null);
    return bytes === null ? null : Buffer.from(bytes).toString('utf8');
  }
}
