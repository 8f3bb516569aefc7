import { isBuiltin } from 'node:module';
import type { SourceFile } from './source-file.ts';
import { at, fileOf, type Rule, sourcesIn, type Tree } from './tree.ts';

/** Which folders of `src` a folder may import; see ARCHITECTURE.md. */
const layers: Readonly<Record<string, readonly string[]>> = {
  core: [],
  platform: ['core'],
  log: ['core'],
  ingest: ['core'],
  anomaly: ['core', 'log'],
  forwarder: ['core', 'log'],
  edge: ['core', 'platform', 'log', 'ingest', 'anomaly', 'forwarder'],
};

const entryPoint = 'src/edge/main.ts';

/** Tests start these as a process. They import nearly everything, so that what they import proves nothing. */
const composition: ReadonlySet<string> = new Set([
  entryPoint,
  'src/edge/gateway.ts',
  'src/edge/mqtt-broker.ts',
  'src/edge/anomaly-detection.ts',
  'src/edge/gateway-report.ts',
  'src/edge/open-storage.ts',
  'src/edge/gateway-file-keeping.ts',
  'src/edge/start-forwarder.ts',
  'src/edge/start-admin.ts',
]);

/** A list of implementations. A test that imports it runs its contract over all of them. */
const registry = 'src/edge/registry.ts';

const folderOf = (path: string): string => path.split('/')[1] ?? '';

const layering: Rule = {
  name: 'imports of src obey the table of layers',
  violations: (tree) =>
    sourcesIn(tree, 'src').flatMap((file) => {
      const folder = folderOf(file.path);
      const allowed = layers[folder];
      if (allowed === undefined) return [`${file.path}: src/${folder} is not in the table of layers`];
      return file.imports.flatMap(({ specifier, path, at: position }) => {
        if (path === null) {
          return folder === 'core' ? [at(file, position, `src/core imports nothing, not ${specifier}`)] : [];
        }
        if (path === 'package.json' && folder === 'edge') return [];
        // What it says above each setting is in the JSON schema.
        if (path === 'headwater.example.yaml' && folder === 'edge') return [];
        const isAllowed = path.startsWith('src/') && [folder, ...allowed].includes(folderOf(path));
        return isAllowed ? [] : [at(file, position, `src/${folder} may not import ${path}`)];
      });
    }),
};

/** `@scope/name/file` and `name/file` without the file. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** Outside packages with the files that import them. */
function packagesOf(files: Tree): ReadonlyMap<string, readonly SourceFile[]> {
  const found = files.flatMap((file) => {
    const specifiers = file.imports.filter(({ specifier, path }) => path === null && !isBuiltin(specifier));
    return [...new Set(specifiers.map(({ specifier }) => packageOf(specifier)))].map((name) => ({
      name,
      file,
    }));
  });
  const byName = Map.groupBy(found, ({ name }) => name);
  return new Map([...byName].map(([name, rows]) => [name, rows.map(({ file }) => file)]));
}

const onePlace: Rule = {
  name: 'each outside package is imported in one file of src',
  violations: (tree) =>
    [...packagesOf(sourcesIn(tree, 'src'))]
      .filter(([, files]) => files.length > 1)
      .map(
        ([name, files]) =>
          `${name} is imported in ${files.map(({ path }) => path).join(' and ')}; choose one`,
      ),
};

type Dependencies = Readonly<Record<string, string>>;

interface Manifest {
  readonly dependencies?: Dependencies;
  readonly devDependencies?: Dependencies;
  readonly optionalDependencies?: Dependencies;
}

const declared: Rule = {
  name: 'dependencies are declared, exact and used',
  violations: (tree) => {
    const manifest = JSON.parse(fileOf(tree, 'package.json').text) as Manifest;
    const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = manifest;
    const all: Dependencies = { ...dependencies, ...devDependencies, ...optionalDependencies };
    const inProduct = packagesOf(sourcesIn(tree, 'src'));
    const inTests = packagesOf(sourcesIn(tree, 'test', 'bench', 'demo'));
    return [
      ...Object.entries(all)
        .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        .map(([name, version]) => `package.json: ${name} ${version} is not an exact version`),
      ...[...inProduct.keys()]
        .filter((name) => !(name in dependencies))
        .map((name) => `package.json: src imports ${name}, which is not in dependencies`),
      ...[...inTests.keys()]
        .filter((name) => !(name in all))
        .map((name) => `package.json: tests import ${name}, which is not in devDependencies`),
      ...Object.keys(dependencies)
        .filter((name) => !inProduct.has(name))
        .map((name) => `package.json: nothing in src imports ${name}; remove it`),
    ];
  },
};

const imported: Rule = {
  name: 'each file of src is imported by src',
  violations: (tree) => {
    const targets = new Set(sourcesIn(tree, 'src').flatMap(({ imports }) => imports.map(({ path }) => path)));
    return sourcesIn(tree, 'src')
      .filter(({ path }) => path !== entryPoint && !targets.has(path))
      .map(({ path }) => `${path}: nothing in src imports it; remove it`);
  },
};

const tested: Rule = {
  name: 'each file of src has a test',
  violations: (tree) => {
    const files = new Map(tree.map((file) => [file.path, file]));
    const reached = new Set<string>();
    const reach = (path: string): void => {
      if (reached.has(path) || !path.startsWith('src/')) return;
      reached.add(path);
      if (composition.has(path)) return;
      for (const target of files.get(path)?.imports ?? []) {
        if (target.path !== null && (path === registry || folderOf(target.path) === folderOf(path)))
          reach(target.path);
      }
    };
    for (const { imports } of sourcesIn(tree, 'test')) for (const { path } of imports) if (path) reach(path);
    return sourcesIn(tree, 'src')
      .filter(({ path }) => !reached.has(path) && !composition.has(path))
      .map(
        ({ path }) => `${path}: no test imports it, nor a file of its folder that a test imports; write one`,
      );
  },
};

/** What may import what. */
export const importRules: readonly Rule[] = [layering, onePlace, declared, imported, tested];
