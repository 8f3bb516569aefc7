import { mustRun } from './board.ts';

/** Properties that name suppliers by a phandle alone, and those in which so many words of its own follow as the supplier says. */
const plain = /-supply$|^(?:interrupt-parent|mmc-pwrseq|pinctrl-\d+)$/;
const withWords: readonly (readonly [properties: RegExp, words: string])[] = [
  [/^clocks$/, '#clock-cells'],
  [/^dmas$/, '#dma-cells'],
  [/^interrupts-extended$/, '#interrupt-cells'],
  [/^iommus$/, '#iommu-cells'],
  [/^mboxes$/, '#mbox-cells'],
  [/^phys$/, '#phy-cells'],
  [/^power-domains$/, '#power-domain-cells'],
  [/^resets$/, '#reset-cells'],
  [/(?:^|-)gpios?$/, '#gpio-cells'],
];

/** The device tree of a board, as the kernel gets it. Read by fdtget. */
export class DeviceTree {
  readonly #file: string;
  readonly #paths: readonly string[];
  /** Path of a node by its phandle. */
  readonly #byPhandle: ReadonlyMap<string, string>;

  private constructor(file: string, paths: readonly string[], byPhandle: ReadonlyMap<string, string>) {
    this.#file = file;
    this.#paths = paths;
    this.#byPhandle = byPhandle;
  }

  /** @throws Error if the file is no device tree */
  static async read(file: string): Promise<DeviceTree> {
    const paths: string[] = [];
    const collect = async (path: string): Promise<void> => {
      for (const name of linesOf(await mustRun('fdtget', ['-l', file, path === '' ? '/' : path]))) {
        paths.push(`${path}/${name}`);
        await collect(`${path}/${name}`);
      }
    };
    await collect('');
    const wanted = paths.flatMap((path) => [path, 'phandle']);
    const phandles = (await mustRun('fdtget', ['-t', 'x', '-d', 'none', file, ...wanted])).split('\n');
    return new DeviceTree(file, paths, new Map(paths.map((path, index) => [phandles[index] ?? '', path])));
  }

  /**
   * All that must have a driver before these nodes work, by their paths: the nodes, the buses they are on, and their suppliers with
   * theirs. Each with the names that a driver may know it by. The kernel waits for nothing that is turned off.
   */
  async needed(nodes: RegExp): Promise<ReadonlyMap<string, readonly string[]>> {
    const found = new Map<string, readonly string[]>();
    const visit = async (path: string): Promise<void> => {
      if (path === '' || found.has(path) || (await this.#isOff(path))) return;
      found.set(path, await this.#words(path, 'compatible', 's'));
      await visit(path.slice(0, path.lastIndexOf('/')));
      for (const supplier of await this.#suppliers(path)) await visit(supplier);
    };
    for (const path of this.#paths.filter((candidate) => nodes.test(candidate))) await visit(path);
    return new Map([...found].filter(([, names]) => names.length > 0));
  }

  async #isOff(path: string): Promise<boolean> {
    if (path === '') return false;
    if ((await this.#words(path, 'status', 's'))[0] === 'disabled') return true;
    return await this.#isOff(path.slice(0, path.lastIndexOf('/')));
  }

  async #suppliers(path: string): Promise<readonly string[]> {
    const all: string[] = [];
    for (const property of linesOf(await mustRun('fdtget', ['-p', this.#file, path]))) {
      const count = withWords.find(([properties]) => properties.test(property))?.[1];
      if (count === undefined && !plain.test(property)) continue;
      const words = await this.#words(path, property, 'x');
      for (let at = 0; at < words.length; at++) {
        const supplier = this.#byPhandle.get(words[at] ?? '');
        // A phandle of 0 stands for one that is left out.
        if (supplier === undefined && words[at] === '0') continue;
        if (supplier === undefined) throw new Error(`${this.#file}: ${path} ${property} leads nowhere`);
        all.push(supplier);
        if (count !== undefined) at += Number((await this.#words(supplier, count, 'u'))[0] ?? 0);
      }
    }
    return all;
  }

  async #words(path: string, property: string, type: 's' | 'u' | 'x'): Promise<readonly string[]> {
    const output = await mustRun('fdtget', ['-t', type, '-d', '', this.#file, path, property]);
    return output.trim().split(/\s+/).filter(Boolean);
  }
}

/**
 * Whether a driver that is part of the kernel itself knows devices by this name: its table has an entry of empty name, empty type and
 * this, filled up to the length of each. What is built in leaves no such line in modules.builtin.modinfo.
 */
export function isBuiltIn(kernel: Buffer, compatible: string): boolean {
  const entry = Buffer.alloc(64 + 128);
  entry.write(compatible, 64, 'latin1');
  return kernel.includes(entry);
}

/** The modules that know devices by this name, out of modules.alias. */
export function modulesFor(aliases: string, compatible: string): readonly string[] {
  const lines = linesOf(aliases).map((line) => line.split(' '));
  return lines
    .filter(([, alias = '']) => /^of:N\*T\*C/.test(alias) && alias.slice('of:N*T*C'.length) === compatible)
    .map(([, , name = '']) => name);
}

const linesOf = (text: string): readonly string[] => text.split('\n').filter(Boolean);
