import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { architectures, nodeNames } from '../../deploy/package/architecture.ts';
import { packagesIn } from '../../deploy/package/bundle.ts';
import { builtPackage } from './built-package.ts';
import { attempt, needTools, run } from './commands.ts';

let folder = '';

beforeAll(async () => {
  await needTools('dpkg-deb', 'lintian', 'systemd-analyze');
  folder = await mkdtemp(join(tmpdir(), 'headwater-package-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const sha256 = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

/** The machine that an ELF file is for: 183 is ARM64, 62 is AMD64. */
const elfMachines = { arm64: 183, amd64: 62 } as const;

describe.each(architectures)('for %s', (architecture) => {
  let file = '';
  let tree = '';
  const inTree = (...path: readonly string[]): string => join(tree, ...path);
  const text = (...path: readonly string[]): Promise<string> => readFile(inTree(...path), 'utf8');

  beforeAll(async () => {
    file = await builtPackage(folder, architecture);
    tree = join(folder, architecture);
    await run('dpkg-deb', '--raw-extract', file, tree);
  });

  test('lintian has nothing to say that is not overridden with a reason', async () => {
    const { code, said } = await attempt('lintian', [
      '--allow-root',
      '--no-cfg',
      '--fail-on',
      'error,warning',
      file,
    ]);
    expect({ code, said }).toEqual({ code: 0, said: '' });
    const overrides = (await text('usr/share/lintian/overrides/headwater')).trim().split('\n');
    for (const [index, line] of overrides.entries())
      if (line.startsWith('headwater:'))
        expect(overrides.slice(0, index).some((above) => above.startsWith('#'))).toBe(true);
  });

  test('each program and library is for this processor, and there is one of each', async () => {
    const found = (await run('find', inTree('usr/lib/headwater/app'), '-name', '*.node')).trim().split('\n');
    const libraries = found.map((path) => path.slice(path.lastIndexOf('/node_modules/') + 14)).sort();
    expect(libraries.map((path) => path.replace(/^(@[^/]+\/[^/-]+|[^/@]+).*/, '$1'))).toEqual([
      '@node-rs/crc32',
      '@serialport/bindings',
      'better-sqlite3',
    ]);
    for (const path of [...found, inTree('usr/lib/headwater/bin/node')]) {
      const head = await readFile(path);
      expect({ path, machine: head.readUInt16LE(18) }).toEqual({ path, machine: elfMachines[architecture] });
    }
  });

  test('the Node is the one that the lock file pins', async () => {
    const lock = JSON.parse(await readFile('package-lock.json', 'utf8')) as {
      packages: Record<string, { version: string }>;
    };
    const pinned = lock.packages[`node_modules/node-linux-${nodeNames[architecture]}`]?.version;
    const node = await readFile(inTree('usr/lib/headwater/bin/node'));
    expect(pinned).toMatch(/^\d+\.\d+\.\d+$/);
    expect(node.includes(`v${pinned}`)).toBe(true);
  });

  test('what an operator looks for is where Debian has such things', async () => {
    for (const path of [
      'usr/bin/headwater',
      'usr/lib/headwater/bin/headwater',
      'usr/lib/systemd/system/headwater.service',
      'usr/lib/sysusers.d/headwater.conf',
      'usr/lib/tmpfiles.d/headwater.conf',
      'usr/share/zsh/vendor-completions/_headwater',
      'usr/share/fish/vendor_completions.d/headwater.fish',
      'usr/share/bash-completion/completions/headwater',
      'usr/share/doc/headwater/headwater.example.yaml',
      'usr/lib/headwater/app/headwater.schema.json',
    ])
      expect({ path, isThere: existsSync(inTree(path)) }).toEqual({ path, isThere: true });
    expect(await text('DEBIAN/conffiles')).toBe('/etc/headwater/headwater.yaml\n');
    const page = gunzipSync(await readFile(inTree('usr/share/man/man1/headwater.1.gz'))).toString();
    expect(page).toContain('/etc/headwater/headwater.yaml');
    expect(page).toContain('HEADWATER_CONFIG');
    expect(await text('usr/share/bash-completion/completions/headwater')).toContain('consume');
  });

  test('nothing is in it that never runs, and each package of npm has its licence in the copyright file', async () => {
    const modules = inTree('usr/lib/headwater/app/node_modules');
    const odd = await run(
      'find',
      modules,
      '-type',
      'f',
      '(',
      '-name',
      '*.ts',
      '-o',
      '-name',
      '*.map',
      '-o',
      '-name',
      '*.c',
      ')',
    );
    expect(odd).toBe('');
    const copyright = await text('usr/share/doc/headwater/copyright');
    const packages = await packagesIn(modules);
    expect(packages.length).toBeGreaterThan(100);
    for (const { folder: path } of packages)
      expect(copyright).toContain(`\nFiles: ${path.slice(tree.length + 1)}/*\nCopyright: `);
    const named = new Set(
      [...copyright.matchAll(/^Files: .*\n(?:Copyright: .*\n(?: .*\n)*)License: (.*)$/gm)].map(
        ([, name]) => name,
      ),
    );
    const explained = new Set([...copyright.matchAll(/^License: (.*)\n /gm)].map(([, name]) => name));
    expect([...named].filter((name) => !explained.has(name))).toEqual([]);
    expect(named.size).toBeGreaterThan(4);
    // Of Node, whose text is of many works and stays whole.
    expect(copyright).toContain('Copyright Node.js contributors. All rights reserved.');
  });

  test('all dependencies of what is started are in it', async () => {
    const control = await text('DEBIAN/control');
    expect(control).toContain(`Architecture: ${architecture}\n`);
    for (const name of ['libc6 (>= 2.34)', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'systemd-sysusers'])
      expect(control).toContain(name);
  });
});

test('the same checkout makes the same bytes', async () => {
  const made = ['one', 'two'].map((name) => join(folder, name));
  const files: string[] = [];
  for (const out of made) {
    await mkdir(out);
    files.push(await builtPackage(out, 'amd64', '--quick', '--version', '0.2.0~rc1'));
  }
  const [one = '', two = ''] = files;
  expect(await sha256(one)).toBe(await sha256(two));
  expect(await run('dpkg-deb', '--field', one, 'Version')).toBe('0.2.0~rc1\n');
});

test('the unit is sound, and lets the gateway do little else', async () => {
  const unit = 'deploy/package/files/headwater.service';
  const security = await run(
    'systemd-analyze',
    'security',
    '--no-pager',
    '--offline=true',
    '--threshold=20',
    unit,
  );
  expect(Number(/exposure level for headwater\.service: ([\d.]+)/.exec(security)?.[1])).toBeLessThanOrEqual(
    2,
  );
});

test.each([
  [['--arch', 'riscv64'], 'there are packages for arm64 and amd64'],
  [['--version', 'newest'], 'write one that Debian can compare'],
])('the build refuses %j', async (args, message) => {
  const { code, said } = await attempt(process.execPath, ['deploy/package/build.ts', ...args]);
  expect(code).toBe(1);
  expect(said).toContain(message);
});

test.each([
  ['npm', 'apt install npm'],
  ['dpkg-deb', 'apt install dpkg'],
])('without %s the build says where to get it', async (tool, advice) => {
  const bare = join(folder, `without-${tool}`);
  await mkdir(bare);
  for (const one of ['npm', 'node', 'git', 'dpkg-deb', 'env', 'sh', 'tar', 'rm'])
    if (one !== tool) {
      const path = (await run('sh', '-c', 'command -v "$0"', one)).trim();
      await run('ln', '-s', path, join(bare, one));
    }
  const { code, said } = await attempt('env', [
    `PATH=${bare}`,
    process.execPath,
    'deploy/package/build.ts',
    '--arch',
    'amd64',
    '--quick',
    '--out',
    join(bare, 'out'),
  ]);
  expect({ code, isSaid: said.includes(`${tool} is not there`) && said.includes(advice) }).toEqual({
    code: 1,
    isSaid: true,
  });
});
