import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { mustRun } from './board.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Where the images of tests are built; roots of Debian are kept beside, as `npm run image` keeps them. */
const cache = process.env['HEADWATER_IMAGE_CACHE'] ?? join(homedir(), '.cache/headwater-image');

/** Builds the image of this checkout with the package in dist, and gives the file, not compressed. */
export async function builtImage(): Promise<string> {
  const out = join(cache, 'tested');
  const build = join(repository, 'deploy/raspberry-pi/build-image.ts');
  await mustRun(process.execPath, [build, '--raw', '--cache', cache, '--out', out]);
  const image = (await readdir(out)).find((name) => name.endsWith('.img'));
  if (image === undefined) throw new Error(`${build} has left no image in ${out}`);
  return join(out, image);
}
