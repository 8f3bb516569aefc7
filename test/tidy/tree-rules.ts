import { posix } from 'node:path';
import { limitTables } from './code-rules.ts';
import { at, fileOf, type Rule, sourcesIn, type Tree } from './tree.ts';

const code = ['src', 'demo', 'test', 'bench', 'deploy'] as const;

const sizes: Rule = {
  name: 'a file has one idea: at most 400 lines, a test 800',
  violations: (tree) =>
    sourcesIn(tree, ...code).flatMap(({ path, text }) => {
      const linesMax = /^(?:src|demo)\//.test(path) ? 400 : 800;
      const lines = text.split('\n').length - 1;
      return lines > linesMax ? [`${path}: ${lines} lines, ${linesMax} at most; find its second idea`] : [];
    }),
};

const nameless = /(?:^|\/)(?:utils?|helpers?|common|misc|index)(?:\.[^/]*)?(?:\/|$)/i;

const names: Rule = {
  name: 'folders and files are named for what they do',
  violations: (tree) =>
    tree
      .filter(({ path }) => code.some((folder) => path.startsWith(`${folder}/`)) && nameless.test(path))
      .map(({ path }) => `${path}: name it for what it does`),
};

/** Absolute paths of one machine, and hosts that serve packages. */
const foreign: readonly RegExp[] = [
  /(?<![\w.)-])\/(?:work|root|home\/[\w-]+)\//g,
  /\bregistry\.[\w-]+\.(?:org|com|net|io|dev)\b|\bnpmjs\.|\brepo1?\.maven\b|"resolved"\s*:/g,
];

const portable: Rule = {
  name: 'no text names a machine or a package registry',
  violations: (tree) =>
    tree.flatMap((file) =>
      foreign.flatMap((pattern) =>
        [...file.text.matchAll(pattern)].map(({ 0: found, index }) =>
          at(file, index, `${found} exists on one machine only; remove it`),
        ),
      ),
    ),
};

/** Rows of a table that nothing uses. */
function unused(tree: Tree, table: string, row: RegExp, isUsed: (row: string, text: string) => boolean) {
  const file = fileOf(tree, table);
  const others = sourcesIn(tree, 'src').filter(({ path }) => path !== table);
  return [...file.text.matchAll(row)]
    .filter(({ 1: name = '' }) => !others.some(({ text }) => isUsed(name, text)))
    .map(({ index, 1: name }) => at(file, index, `nothing in src uses ${name}; remove it`));
}

const isQuotedIn = (name: string, text: string): boolean => text.includes(`'${name}'`);
const isWordIn = (name: string, text: string): boolean => new RegExp(`\\b${name}\\b`).test(text);

const tables: Rule = {
  name: 'each metric, limit and error code is used',
  violations: (tree) => [
    ...unused(tree, 'src/core/metrics.ts', /^ {2}(headwater_\w+):/gm, isQuotedIn),
    ...unused(tree, 'src/core/errors.ts', /^ {2}\| '([\w-]+)'/gm, isQuotedIn),
    ...limitTables.flatMap((table) => unused(tree, table, /^ {2}(\w+): /gm, isWordIn)),
  ],
};

const isDocument = (path: string): boolean => path.endsWith('.md') && path !== 'CHANGELOG.md';

/** Words in backticks that are paths: below a folder of ours, or the name of a source file. */
const namedPath = /`((?:src|demo|test|bench|deploy|docs|\.ci)\/[\w./-]*|[\w./-]+\.(?:ts|md))`/g;

const documents: Rule = {
  name: 'documents name files that exist',
  violations: (tree) => {
    const isThere = (name: string, document: string): boolean =>
      tree.some(
        ({ path }) =>
          `/${path}`.endsWith(`/${posix.normalize(name)}`) ||
          path === posix.join(posix.dirname(document), name) ||
          path.startsWith(name.endsWith('/') ? name : `${name}/`),
      );
    return tree
      .filter(({ path }) => isDocument(path))
      .flatMap((file) =>
        [...file.text.matchAll(namedPath)]
          .filter(({ 1: name = '' }) => !isThere(name, file.path))
          .map(({ index, 1: name }) => at(file, index, `there is no ${name}`)),
      );
  },
};

const scripts: Rule = {
  name: 'documents name scripts that exist',
  violations: (tree) => {
    const { scripts: known = {} } = JSON.parse(fileOf(tree, 'package.json').text) as { scripts?: object };
    return tree
      .filter(({ path }) => isDocument(path))
      .flatMap((file) =>
        [...file.text.matchAll(/\bnpm run (?:-s )?([\w:]+)/g)]
          .filter(({ 1: name = '' }) => !Object.hasOwn(known, name))
          .map(({ index, 1: name }) => at(file, index, `package.json has no script ${name}`)),
      );
  },
};

/** What stands where, and what it is called. */
export const treeRules: readonly Rule[] = [sizes, names, portable, tables, documents, scripts];
