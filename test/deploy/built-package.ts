import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Architecture } from '../../deploy/package/architecture.ts';
import { run } from './commands.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** Builds a package as `npm run deb` does, into a folder, and gives its file. */
export async function builtPackage(
  out: string,
  architecture: Architecture,
  ...options: readonly string[]
): Promise<string> {
  const script = join(checkout, 'deploy/package/build.ts');
  const said = await run(process.execPath, script, '--arch', architecture, '--out', out, ...options);
  const name = /headwater_\S+\.deb/.exec(said)?.[0];
  if (name === undefined) throw new Error(`the build names no package: ${said}`);
  return join(out, name);
}

/** A package, packed quickly, and the same as an older and as a newer version. */
export async function threeVersions(out: string, architecture: Architecture) {
  const current = await builtPackage(out, architecture, '--quick');
  return {
    older: await relabelled(current, '0.0.9'),
    current,
    newer: await relabelled(current, '99.0.0~rc1'),
  };
}

/** The same package with another version, as the package manager and the application know it. */
async function relabelled(file: string, version: string): Promise<string> {
  const tree = `${file}-${version}`;
  await run('dpkg-deb', '--raw-extract', file, tree);
  const replace = async (path: string, found: RegExp, text: string): Promise<void> => {
    const before = await readFile(join(tree, path), 'utf8');
    await writeFile(join(tree, path), before.replace(found, text));
  };
  await replace('DEBIAN/control', /^Version: .*$/m, `Version: ${version}`);
  await replace('usr/lib/headwater/app/package.json', /"version": "[^"]*"/, `"version": "${version}"`);
  const relabelledFile = join(dirname(file), `headwater_${version}.deb`);
  await run('dpkg-deb', '--root-owner-group', '-Znone', '--build', tree, relabelledFile);
  await rm(tree, { recursive: true });
  return relabelledFile;
}
