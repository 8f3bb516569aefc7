import { mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type ExpectedSteps, Progress } from '../progress.ts';
import { type Architecture, architectures, isArchitecture } from './architecture.ts';
import { emitApplication, makeBundle } from './bundle.ts';
import { outputOf } from './commands.ts';
import { bundlePath, type Generated, layOut, type Release } from './debian-tree.ts';

/*
 * `npm run deb`: the Debian packages, in dist/. The same checkout makes the same bytes.
 *
 *   --arch arm64      only this one; may be repeated
 *   --version 0.2.0   instead of that in package.json
 *   --out DIR         instead of dist
 *   --quick           packs in seconds, into a larger file: for trying, not for a release
 */

const checkout = fileURLToPath(new URL('../..', import.meta.url));

interface Wanted {
  readonly architectures: readonly Architecture[];
  readonly release: Release;
  readonly out: string;
  readonly compression: readonly string[];
}

const small = ['-Zxz', '-z6'];
const quick = ['-Zgzip', '-z1'];

async function wanted(args: readonly string[]): Promise<Wanted> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      arch: { type: 'string', multiple: true, default: [...architectures] },
      version: { type: 'string', default: await ownVersion() },
      out: { type: 'string', default: join(checkout, 'dist') },
      quick: { type: 'boolean', default: false },
    },
  });
  const unknown = values.arch.find((name) => !isArchitecture(name));
  if (unknown !== undefined)
    throw new Error(`--arch ${unknown}: there are packages for ${architectures.join(' and ')}`);
  if (!/^\d[\w.+~]*$/.test(values.version))
    throw new Error(
      `--version ${values.version}: write one that Debian can compare, such as 0.2.0 or 0.2.0~rc1`,
    );
  return {
    architectures: values.arch.filter(isArchitecture),
    release: { version: values.version, epoch: await epoch() },
    out: resolve(values.out),
    compression: values.quick ? quick : small,
  };
}

async function ownVersion(): Promise<string> {
  return (JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')) as { version: string }).version;
}

/** The time that all files have: of the commit, unless the environment says it. */
async function epoch(): Promise<number> {
  const given = process.env['SOURCE_DATE_EPOCH'];
  const advice =
    'outside a git checkout set SOURCE_DATE_EPOCH to the time of the release, in seconds since 1970';
  const text = given ?? (await outputOf('git', ['log', '-1', '--format=%ct'], { cwd: checkout, advice }));
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(seconds))
    throw new Error(`SOURCE_DATE_EPOCH ${text}: ${advice}`);
  return seconds;
}

/** What the product writes about itself, by the Node of this machine. */
async function generate(app: string, { epoch: seconds }: Release): Promise<Generated> {
  const print = (...args: readonly string[]): Promise<string> =>
    outputOf(process.execPath, [join(app, 'src/edge/main.js'), ...args], {
      env: { SOURCE_DATE_EPOCH: String(seconds) },
      advice: 'the packaged application does not run: this is a bug of the build',
    });
  const completions = {
    bash: await print('completion', 'bash'),
    zsh: await print('completion', 'zsh'),
    fish: await print('completion', 'fish'),
  };
  return { manPage: await print('man'), completions };
}

async function pack(root: string, file: string, { release, compression }: Wanted): Promise<void> {
  const how = ['--root-owner-group', ...compression, '--build', root, `${file}.new`];
  await outputOf('dpkg-deb', how, {
    // The archive has times of its own.
    env: { SOURCE_DATE_EPOCH: String(release.epoch) },
    advice: 'apt install dpkg, or your system’s package of dpkg-deb',
  });
  await rename(`${file}.new`, file);
}

const emitting = 'JavaScript of the sources';

/** The steps of one package, and what they take. */
const stepsOf = (architecture: Architecture) => ({
  bundle: `${architecture}: dependencies and Node, as the lock file pins them`,
  files: `${architecture}: files of the package`,
  archive: `${architecture}: dpkg-deb`,
});

function expectedSteps(of: readonly Architecture[]): ExpectedSteps<string> {
  const each = of.map(stepsOf).flatMap(({ bundle, files, archive }): [string, number][] => [
    [bundle, 12],
    [files, 3],
    [archive, 40],
  ]);
  return { [emitting]: 5, ...Object.fromEntries(each) };
}

async function buildPackage(
  architecture: Architecture,
  { work, app }: { readonly work: string; readonly app: string },
  want: Wanted,
  progress: Progress<string>,
): Promise<void> {
  const { release, out } = want;
  const root = join(work, architecture);
  const file = join(out, `headwater_${release.version}_${architecture}.deb`);
  const steps = stepsOf(architecture);
  await progress.step(steps.bundle, () =>
    makeBundle({ checkout, work }, app, architecture, join(root, bundlePath)),
  );
  await progress.step(steps.files, async () => {
    const generated = await generate(join(root, bundlePath, 'app'), release);
    await layOut(checkout, root, architecture, release, generated);
  });
  await progress.step(steps.archive, () => pack(root, file, want));
  console.log(`${relative(process.cwd(), file)}: ${((await stat(file)).size / 1e6).toFixed(1)} MB`);
}

async function build(args: readonly string[]): Promise<void> {
  const want = await wanted(args);
  process.umask(0o022);
  await mkdir(want.out, { recursive: true });
  const work = await mkdtemp(join(want.out, 'building-'));
  try {
    const app = join(work, 'app');
    const progress = await Progress.of(expectedSteps(want.architectures), null, process.stdout);
    await progress.step(emitting, () => emitApplication({ checkout, work }, app, want.release.version));
    for (const architecture of want.architectures)
      await buildPackage(architecture, { work, app }, want, progress);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

try {
  await build(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
