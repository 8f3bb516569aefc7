import { chmod, copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { type Architecture, nodeNames } from './architecture.ts';
import { outputOf } from './commands.ts';

/** Where the checkout is, and where the build may write. */
export interface BuildFolders {
  readonly checkout: string;
  readonly work: string;
}

/** What `package.json` says that a bundle needs. */
interface Manifest {
  readonly name: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Files that the application reads where it lies, beside its code. */
const readAtRunTime = ['headwater.example.yaml', 'headwater.schema.json', 'LICENSE'];

/** Emits `src` as JavaScript into `app`, with the files it reads beside it. */
export async function emitApplication(
  { checkout }: BuildFolders,
  app: string,
  version: string,
): Promise<void> {
  const tsc = join(checkout, 'node_modules/.bin/tsc');
  await outputOf(tsc, ['-p', join(checkout, 'deploy/package'), '--outDir', app], {
    advice: 'run npm ci first',
  });
  // Modules and pictures of the page, as the browser gets them.
  const page = join(checkout, 'src/edge/page');
  await mkdir(join(app, 'src/edge/page'), { recursive: true });
  for (const name of await readdir(page))
    if (name !== 'tsconfig.json') await copyFile(join(page, name), join(app, 'src/edge/page', name));
  for (const name of readAtRunTime) await copyFile(join(checkout, name), join(app, name));
  const manifest = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')) as Manifest;
  const { name, description, license, dependencies } = manifest;
  const shown = { name, version, description, license, private: true, type: 'module', dependencies };
  await writeFile(join(app, 'package.json'), `${JSON.stringify(shown, undefined, 2)}\n`);
}

/**
 * Makes a bundle in `target`: `bin/headwater`, `bin/node`, and `app` with its production dependencies for this architecture, as the
 * lock file pins them. `emitted` is what {@link emitApplication} has made. Returns the folder with all packages, before anything
 * was left out.
 */
export async function makeBundle(
  { checkout, work }: BuildFolders,
  emitted: string,
  architecture: Architecture,
  target: string,
): Promise<void> {
  const staging = join(work, `dependencies-${architecture}`);
  await mkdir(staging, { recursive: true });
  for (const name of ['package.json', 'package-lock.json'])
    await copyFile(join(checkout, name), join(staging, name));
  const cpu = nodeNames[architecture];
  const only = ['--omit=dev', '--ignore-scripts', '--os=linux', `--cpu=${cpu}`, '--libc=glibc'];
  const quiet = ['--loglevel=error', '--no-audit', '--no-fund', '--no-update-notifier'];
  await outputOf('npm', ['ci', '--prefix', staging, ...only, ...quiet], {
    cwd: staging,
    advice: 'npm comes with Node.js (apt install npm); it must reach its registry',
  });
  const modules = join(staging, 'node_modules');
  const node = join(modules, `node-linux-${cpu}`);
  await mkdir(join(target, 'bin'), { recursive: true });
  await rename(join(node, 'bin/node'), join(target, 'bin/node'));
  await copyFile(join(node, 'LICENSE'), join(target, 'bin/LICENSE.node'));
  await rm(node, { recursive: true });
  const entry = join(target, 'bin/headwater');
  await copyFile(join(checkout, 'deploy/package/files/headwater-bundle.sh'), entry);
  for (const file of [join(target, 'bin/node'), entry]) await chmod(file, 0o755);
  await cp(emitted, join(target, 'app'), { recursive: true });
  await prune(modules, cpu);
  await rename(modules, join(target, 'app/node_modules'));
}

/** Kinds of files that run, or that running code reads. */
const kept = new Set(['.js', '.cjs', '.mjs', '.json', '.node', '.wasm', '.css']);
const isLicence = (name: string): boolean => /^(?:licen[cs]e|notice|copying|copyright)/i.test(name);

/** What packages carry beside what runs, in their first level: below it, `doc` and `test` may be code. */
const beside = /^(?:tests?|__tests__|docs?|examples?|bench(?:marks?)?|\.github|\.bin)$/;

/** Packages of types and of C headers. */
const neverLoaded = /^(?:@types\/.*|undici-types|node-addon-api)$/;

/** Takes away what never runs on this architecture. Licences stay. */
async function prune(modules: string, cpu: string): Promise<void> {
  await rm(join(modules, '.bin'), { recursive: true, force: true });
  await rm(join(modules, '.package-lock.json'), { force: true });
  for (const { name, folder } of await packagesIn(modules)) {
    if (neverLoaded.test(name)) {
      await rm(folder, { recursive: true });
      continue;
    }
    for (const entry of await readdir(folder, { withFileTypes: true }))
      if (entry.isDirectory() && beside.test(entry.name))
        await rm(join(folder, entry.name), { recursive: true });
    await pruneFiles(folder, cpu);
  }
  await removeEmptyFolders(modules);
}

export interface InstalledPackage {
  readonly name: string;
  readonly folder: string;
}

/** All packages in a folder of modules, those inside others too, in a fixed order. */
export async function packagesIn(modules: string): Promise<InstalledPackage[]> {
  const found: InstalledPackage[] = [];
  for (const name of (await readdir(modules).catch(() => [])).sort()) {
    if (name.startsWith('.')) continue;
    const names = name.startsWith('@')
      ? (await readdir(join(modules, name))).sort().map((own) => `${name}/${own}`)
      : [name];
    for (const full of names) {
      const folder = join(modules, full);
      found.push({ name: full, folder }, ...(await packagesIn(join(folder, 'node_modules'))));
    }
  }
  return found;
}

async function pruneFiles(folder: string, cpu: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules') await pruneFiles(path, cpu);
    } else if (!isNeeded(path, cpu)) await rm(path);
  }
}

/** Whether a file of a package may be loaded on Linux with this processor. */
export function isNeeded(path: string, cpu: string): boolean {
  const name = basename(path);
  if (isLicence(name)) return true;
  if (name.startsWith('.') || !kept.has(extname(name))) return false;
  const [, prebuilt] = path.split('/prebuilds/');
  if (prebuilt === undefined) return true;
  return /^linux-(\w+)[./]/.exec(prebuilt)?.[1] === cpu && !prebuilt.includes('musl');
}

async function removeEmptyFolders(folder: string): Promise<boolean> {
  let isEmpty = true;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const gone = entry.isDirectory() && (await removeEmptyFolders(join(folder, entry.name)));
    if (!gone) isEmpty = false;
  }
  if (isEmpty) await rm(folder, { recursive: true });
  return isEmpty;
}
