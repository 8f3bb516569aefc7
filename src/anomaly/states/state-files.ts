import type { Disk, ReadableFile } from '../../core/disk.ts';
import { isOperatingError, isSystemError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { ByteWriter } from '../../log/encoding/bytes.ts';
import {
  blockHead,
  blockHeadBytes,
  readBlock,
  type SavedState,
  type StateBlock,
  type StatesEnd,
  type StatesOf,
  writeBlock,
} from './state-file.ts';

const folder = 'anomaly';
const spareName = `${folder}/filling`;
const fileName = /^\d{10}\.states$/;

/** What was saved, all files together. */
export interface LoadedStates {
  /** The newest of each series. */
  readonly states: readonly SavedState[];
  readonly ends: readonly StatesEnd[];
}

interface StateFile {
  readonly path: string;
  readonly number: number;
  readonly sizeBytes: number;
}

/** What one file says. */
interface ReadStates extends LoadedStates {
  readonly sizeBytes: number;
}

/**
 * The saved states of detectors: files of which each has those that changed since the one before. They are older than the log, and may be gone: then
 * detectors begin anew. A save is whole or does not count.
 */
export class StateFiles {
  readonly #disk: Disk;
  readonly #of: StatesOf;
  #files: StateFile[] = [];
  #nextNumber = 1;

  constructor(disk: Disk, of: StatesOf) {
    this.#disk = disk;
    this.#of = of;
  }

  /** What all files take on the disk. */
  get bytes(): number {
    return this.#files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  get count(): number {
    return this.#files.length;
  }

  /**
   * Reads what was saved; files that are damaged, or of other detectors, are removed. How far all states reach is then said by the files
   * before the first of them: what it knew is learned again. Rejects with what the disk says of the folder.
   */
  async load(): Promise<LoadedStates> {
    await this.#disk.makeFolder(folder);
    await this.#disk.remove(spareName);
    const numbers = (await this.#disk.list(folder))
      .filter((name) => fileName.test(name))
      .map((name) => Number.parseInt(name, 10))
      .sort((one, other) => one - other);
    this.#nextNumber = (numbers.at(-1) ?? 0) + 1;
    const states = new Map<string, SavedState>();
    let ends: readonly StatesEnd[] = [];
    let isWhole = true;
    for (const number of numbers) {
      const path = pathOf(number);
      const found = await this.#read(path);
      isWhole &&= typeof found !== 'string';
      if (found === 'unreadable') continue;
      if (found === 'damaged') {
        await this.#disk.remove(path);
        continue;
      }
      if (isWhole) ends = found.ends;
      this.#files.push({ path, number, sizeBytes: found.sizeBytes });
      for (const state of found.states) {
        const { topic, partition, key, path: field } = state;
        states.set(JSON.stringify([topic, partition, key, field]), state);
      }
    }
    return { states: [...states.values()], ends };
  }

  /**
   * Writes a file with these states, which are asked for one after the other, and counts it once `confirm` has resolved: until then a
   * start finds what was saved before. With `all`, they are the states of all series, and older files go. Resolves with how
   * many bytes were written. Rejects with what the disk or `confirm` says; then nothing has changed.
   */
  async save(
    states: Iterable<SavedState>,
    ends: readonly StatesEnd[],
    { all, confirm }: { readonly all: boolean; readonly confirm: () => Promise<void> },
  ): Promise<number> {
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    let sizeBytes: number;
    try {
      sizeBytes = await this.#write(states, ends);
      await confirm();
      await this.#disk.rename(spareName, pathOf(number));
    } catch (error) {
      // On a full disk the log needs the room.
      await this.#disk.remove(spareName);
      throw error;
    }
    await this.#disk.syncFolder(folder);
    const older = all ? this.#files : [];
    this.#files = [...(all ? [] : this.#files), { path: pathOf(number), number, sizeBytes }];
    for (const { path } of older) await this.#disk.remove(path);
    return sizeBytes;
  }

  async #write(states: Iterable<SavedState>, ends: readonly StatesEnd[]): Promise<number> {
    const file = await this.#disk.create(spareName);
    try {
      const writer = new ByteWriter(limits.stateWriteBytes + limits.stateEntryBytesMax);
      let at = 0;
      const flush = async (): Promise<void> => {
        await file.writeAt(writer.bytes(), at);
        at += writer.length;
        writer.clear();
      };
      writeBlock(writer, { kind: 'header', of: this.#of });
      for (const state of states) {
        writeBlock(writer, { kind: 'state', state });
        if (writer.length >= limits.stateWriteBytes) await flush();
      }
      writeBlock(writer, { kind: 'end', ends });
      await flush();
      await file.sync();
      return at;
    } finally {
      await file.close();
    }
  }

  /** What is in a file; `damaged`, too, if it is of other detectors, and `unreadable` if the disk does not let it be read. */
  async #read(path: string): Promise<ReadStates | 'damaged' | 'unreadable'> {
    let file: ReadableFile | null = null;
    try {
      file = await this.#disk.open(path);
      const states: SavedState[] = [];
      for await (const block of blocksOf(file)) {
        if (block.kind === 'state') states.push(block.state);
        else if (block.kind === 'end') return { states, ends: block.ends, sizeBytes: await file.size() };
        else if (block.of.logId !== this.#of.logId || block.of.detection !== this.#of.detection)
          return 'damaged';
      }
      return 'damaged';
    } catch (error) {
      if (isSystemError(error)) return 'unreadable';
      if (!isOperatingError(error)) throw error;
      return 'damaged';
    } finally {
      await file?.close();
    }
  }
}

/** The blocks of a file, up to the first that is damaged. */
async function* blocksOf(file: ReadableFile): AsyncGenerator<StateBlock> {
  const window = new Uint8Array(limits.stateWriteBytes);
  let at = 0;
  for (;;) {
    const filled = await file.readAt(window, at);
    let used = 0;
    while (used + blockHeadBytes <= filled) {
      const head = window.subarray(used, used + blockHeadBytes);
      const [length] = blockHead(head);
      const end = used + blockHeadBytes + length;
      if (end > filled) break;
      const block = length === 0 ? undefined : readBlock(head, window.subarray(used + blockHeadBytes, end));
      if (block === undefined) return;
      yield block;
      used = end;
    }
    if (used === 0) return;
    at += used;
  }
}

const pathOf = (number: number): string => `${folder}/${String(number).padStart(10, '0')}.states`;
