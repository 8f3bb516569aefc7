import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import manifest from '../../package.json' with { type: 'json' };
import { mustRun } from './board.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const builder = join(repository, 'deploy/raspberry-pi');
const gateway = join(repository, `dist/headwater_${manifest.version}_arm64.deb`);

/** Where the images of tests are built; roots of Debian are kept beside, as `npm run image` keeps them. */
const cache = process.env['HEADWATER_IMAGE_CACHE'] ?? join(homedir(), '.cache/headwater-image');

/**
 * Gives the image of this checkout, not compressed, with the package that is in dist: one that an earlier test has built, unless
 * something in it is newer.
 * @throws Error if there is no package
 */
export async function builtImage(): Promise<string> {
  const out = join(cache, 'tested');
  const image = join(out, `headwater-${manifest.version}-arm64.img`);
  const builtMs = await changedMs(image);
  if ((await changedMs(gateway)) === 0)
    await mustRun('npm', ['--prefix', repository, 'run', 'deb', '--', '--arch', 'arm64']);
  if (builtMs < (await newestMs())) {
    const build = [join(builder, 'build-image.ts'), '--raw', '--cache', cache, '--out', out];
    await mustRun(process.execPath, build);
  }
  return image;
}

async function newestMs(): Promise<number> {
  const entries = await readdir(builder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Math.max(...(await Promise.all([gateway, ...files].map(changedMs))));
}

/** When a file was last changed; 0 if it is not there. */
const changedMs = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
