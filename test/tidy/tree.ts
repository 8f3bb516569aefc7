import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type SourceFile, sourceFile } from './source-file.ts';

/** What the rules are about: every text file of a checkout that git would not ignore. */
export type Tree = readonly SourceFile[];

/** A house rule. It returns one line for each violation: where, what is wrong, what to do. */
export interface Rule {
  readonly name: string;
  readonly violations: (tree: Tree) => readonly string[];
}

/** A violation at a position of a file. */
export const at = (file: SourceFile, position: number, message: string): string =>
  `${file.path}:${file.text.slice(0, position).split('\n').length}: ${message}`;

/** The files of a folder that are TypeScript. */
export const sourcesIn = (tree: Tree, ...folders: readonly string[]): Tree =>
  tree.filter(({ path }) => path.endsWith('.ts') && folders.some((folder) => path.startsWith(`${folder}/`)));

/** The file of this path; the rules that need one cannot do without. */
export function fileOf(tree: Tree, path: string): SourceFile {
  const file = tree.find((candidate) => candidate.path === path);
  if (file === undefined) throw new Error(`there is no ${path}`);
  return file;
}

/** Reads a checkout. `.gitignore` may hold plain names, with or without slashes around them. */
export async function readTree(root: string): Promise<Tree> {
  const patterns = (await readFile(join(root, '.gitignore'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '');
  const ignored = new Set(['.git', ...patterns.map((pattern) => pattern.replaceAll('/', ''))]);
  const paths: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (ignored.has(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile()) paths.push(path);
    }
  };
  await walk(root);
  const files = await Promise.all(
    paths.map(async (path) => {
      const bytes = await readFile(path);
      if (bytes.includes(0)) return [];
      return [sourceFile(relative(root, path).replaceAll(sep, '/'), bytes.toString('utf8'))];
    }),
  );
  return files.flat();
}
